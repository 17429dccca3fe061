// SPDX-License-Identifier: Apache-2.0
#pragma once

// Exchange: a source that exchanges what a request brings for another token (RFC 8693, RFC 7523), as one worker sees
// it. A request finds its token in the worker's own table. Where there is none, the worker looks into the slots that it
// shares with the others, and asks the service if nobody else does; requests wait for that, in the worker's list.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "filters/header_augmenting/arena.h"
#include "filters/header_augmenting/config.h"
#include "filters/header_augmenting/exchange_subject.h"
#include "filters/header_augmenting/failed_fetch.h"
#include "filters/header_augmenting/mailbox.h"
#include "filters/header_augmenting/metrics.h"
#include "filters/header_augmenting/per_request.h"
#include "filters/header_augmenting/source.h"
#include "filters/header_augmenting/token_slots.h"
#include "filters/header_augmenting/token_table.h"
#include "sdk/http_call.h"

namespace inlay::header_augmenting {

// Gate keeps requests from asking a service that fails for all of them: one attempt at a time passes.
struct Gate {
  uint64_t opens_at_ms = 0;
  uint64_t inputs = 0;    // of the call that failed
  uint32_t failures = 0;  // 0: it is open
  Outcome outcome = Outcome::kUnavailable;
};

class Exchange final : public PerRequest {
 public:
  Exchange(Source& source, const Config& config, sdk::RootContext& root, RequestMetrics& requests);
  ~Exchange() override;

  sdk::Task<> run() override;
  Look look(const Rule& rule, Ticket& ticket) override;
  Look look_again(const Rule& rule, Ticket& ticket) override;
  sdk::Event* event(const Ticket& ticket) override;
  sdk::Duration patience() const override;
  void reply(sdk::HttpContext& stream, const Rule& rule, Outcome outcome) override;
  void drop(const Ticket& ticket) override;
  void on_queue_ready(uint32_t queue) override;

 private:
  static constexpr uint64_t kPatienceMs = 2000;  // of requests, beyond the time-out of a call

  enum Count : uint8_t { kHit, kMiss, kWaited, kRefused, kEvicted, kCounts };

  // Pending: a token that this worker waits for.
  struct Pending {
    enum class State : uint8_t {
      kQueued,     // nobody asks yet: there are too many calls, or another source has no value
      kCalling,    // this worker asks
      kElsewhere,  // another worker asks
      kInputs,     // refused; it is seen whether another source has something newer
    };
    explicit Pending(const Rule& whose) : rule(whose) {}

    Pending* next = nullptr;
    const Rule& rule;
    Hash128 hash;
    TokenKey key;
    Arena arena;  // of what follows
    std::string_view subject;
    std::string_view actor;
    uint64_t end_ms = 0;      // of the subject
    uint64_t give_up_ms = 0;  // unless it is being asked for
    uint64_t known_ns = 0;    // the token that is to be renewed
    uint64_t lease = 0;
    uint64_t inputs = 0;  // that the last call was made of
    State state = State::kQueued;
    bool renews = false;   // and no request waits
    bool retried = false;  // after kInputs
    bool for_all = false;  // the refusal before kInputs
    sdk::Event news;
  };

  // Fresh: what has come for one.
  struct Fresh {
    Outcome outcome = Outcome::kUnavailable;
    TokenTimes times;
    std::string_view pairs = {};
  };

  Look found(const Token& token, const Rule& rule, Ticket& ticket);
  Look give(const Token& token, const Rule& rule, Ticket& ticket);
  void take_off(const Party& party, const Rule& rule) const;
  Look refused(Outcome outcome);
  Look look_further(const Rule& rule, Ticket& ticket, const Brought& brought, Token* token, uint64_t now_ms);
  Pending& add(const Rule& rule, const Hash128& hash, const Brought& brought, uint64_t end_ms, uint64_t now_ms);
  TokenKey key_of(const Rule& rule, const Brought& brought) const;
  Pending* pending_of(const Hash128& hash) const;
  void begin(Pending& pending, uint64_t now_ms);
  void poll(uint64_t now_ms, bool all);
  void poll(Pending& pending, uint64_t now_ms);
  sdk::Task<> call(Pending& pending);
  void put_in(const Pending& pending, SourceConfig& call) const;
  void on_token(Pending& pending, std::string_view pairs, uint64_t lifetime_ms, uint64_t sent_ms);
  void on_answer(Pending& pending, const sdk::HttpReply& reply, const SourceConfig& sent, uint64_t sent_ms);
  void on_failed(Pending& pending, Outcome outcome, const FailedFetch& failed, bool for_all);
  void give_up(Pending& pending, Outcome outcome, uint64_t retry_after_ms, bool for_all, bool permanent,
               uint64_t now_ms);
  void publish(Pending& pending, const Fresh& fresh, uint64_t now_ms);
  void finish(Pending& pending, const Fresh& fresh, uint64_t now_ms);
  void remove(Pending& pending);
  uint64_t shut(const Pending& pending, Outcome outcome, uint64_t retry_after_ms, bool permanent, uint64_t now_ms);
  Outcome outcome_without(const Rule& rule, uint64_t now_ms);
  bool is_open(const Gate& gate, uint64_t now_ms);
  Gate& gate_of(const Rule& rule) const { return gates_[static_cast<size_t>(&rule - config_.rules.data())]; }
  void complain(const FailedFetch& failed, uint64_t now_ms);
  void flush();

  Source& source_;
  const Config& config_;
  const SourceConfig& mine_;
  sdk::RootContext& root_;
  RequestMetrics& requests_;
  Hash128 hash_key_;
  TokenTable table_;
  TokenSlots slots_;
  Mailbox mailbox_;
  std::unique_ptr<Gate[]> gates_;  // one a rule
  Pending* first_ = nullptr;       // the list, in order of arrival
  Pending** last_ = &first_;
  uint64_t pendings_ = 0;
  uint64_t calls_ = 0;  // under way
  uint64_t complained_ms_ = 0;
  uint64_t complaint_ = 0;  // a digest
  bool polling_ = false;
  bool renews_ = false;  // ahead of the end

  sdk::Counter counters_[kCounts];
  uint64_t counted_[kCounts] = {};
  uint64_t shown_[kCounts] = {};  // of which the host knows
  sdk::Gauge entries_;
  uint64_t shown_entries_ = 0;
};

}  // namespace inlay::header_augmenting
