// SPDX-License-Identifier: Apache-2.0
#pragma once

// Source: one header-providing service, as one worker sees it. Its task `run` lives in the root context: it watches the
// shared entry, and fetches when a fetch is due and this worker gets the lease. Requests read headers() and nothing
// else.

#include <cstddef>
#include <cstdint>
#include <span>

#include "filters/header_augmenting/answer.h"
#include "filters/header_augmenting/config.h"
#include "filters/header_augmenting/failed_fetch.h"
#include "filters/header_augmenting/features.h"
#include "filters/header_augmenting/header_set.h"
#include "filters/header_augmenting/lease.h"
#include "filters/header_augmenting/metrics.h"
#include "filters/header_augmenting/shared_entry.h"
#include "sdk/context.h"

namespace inlay::header_augmenting {

class Source;

// SourceObserver is told what has changed in a source, and knows the others.
class SourceObserver {
 public:
  // source_at: the source at a place of Config::sources.
  virtual Source& source_at(uint32_t index) = 0;
  // on_new_headers: gives the number by which invalidate can tell whether a request had these headers.
  virtual uint32_t on_new_headers() = 0;

 protected:
  ~SourceObserver() = default;
};

class Source {
 public:
  // `root` is the context that calls and sleeps; all that is referred to outlives the source. Sources of equal
  // configuration share an entry.
  Source(const SourceConfig& config, size_t max_body, sdk::RootContext& root, SourceObserver& observer,
         RequestMetrics& requests);

  // run: never ends. The caller spawns it.
  sdk::Task<> run();

  // headers: what to set. usable: whether there is anything, and it is not too long past its expiry; stale: whether it
  // is past its expiry. Both as of the last tick, which comes when either changes. All cost nothing.
  const HeaderSet& headers() const { return headers_; }
  bool usable() const { return usable_; }
  bool stale() const { return stale_; }
  // value: what ${source:NAME} stands for in other sources; empty while there is none.
  std::string_view value() const { return usable_ ? headers_.value() : std::string_view(); }

  // look: sees at once what another worker has published; says usable(). It costs a read of the shared entry.
  bool look();
  // look_for_request: the same for a request that finds nothing. While such come, a source whose fetches fail is asked
  // once a second, however long the next try would be away, unless asking again is of no use.
  bool look_for_request();

  // invalidate: an upstream did not accept the headers that a request got at `generation`: has them fetched anew, at
  // once, or once the first retry delay has passed since the last fetch; not if there are newer ones, or a fetch is due
  // by then anyway.
  void invalidate(uint32_t generation);

  const SourceConfig& config() const { return config_; }

  // What follows is for a source that is asked for each request (per_request.h), which this then only helps: run() is
  // not spawned.

  // stand_for_names: makes headers() the names that the source sets, without values, and the source usable.
  void stand_for_names();
  // make_call: `call`, a copy of the configuration, with the newest values of other sources in their places, and what
  // depends on them or on the time; what is made belongs to `arena`. False, with the reason, if there can be no such
  // call.
  bool make_call(SourceConfig& call, Arena& arena, FailedFetch& failed);
  // missing_input: a source that this one refers to and that has no value; nullptr if there is none.
  Source* missing_input();
  // inputs: a digest of the values that a call would be made of, as they are known here; look_at_inputs: the same after
  // a look at what other workers have published.
  uint64_t inputs() const;
  uint64_t look_at_inputs();
  // read_inputs_again: has those asked that this source refers to: a call was refused that was made of their values.
  void read_inputs_again(uint64_t now_ms);
  // random: from 0 to below `bound`, which is not 0; it spreads load, and keeps no secret.
  uint64_t random(uint64_t bound);
  // read: what an answer to the call `sent` holds; false if nothing of use, with the reason.
  struct Fetched {
    Answer answer;
    uint64_t lifetime_ms = 0;
    bool lifetime_given = false;  // by the answer
  };
  bool read(const sdk::HttpReply& reply, const SourceConfig& sent, Fetched& fetched, FailedFetch& failed) const;
  SourceMetrics& metrics() { return metrics_; }
  size_t max_body() const { return max_body_; }

 private:
  void fetch_if_due(uint64_t now_ms);
  sdk::Task<> fetch(Lease lease);
  bool bring_forward(uint64_t now_ms);
  void read_again(uint64_t now_ms);
  // others: the sources that this one refers to.
  std::span<const uint32_t> others() const {
    return has(kReferences) ? config_.refers_to : std::span<const uint32_t>();
  }
  void wait_for(const Source& other);
  bool has_new_inputs();
  void on_fetched(Lease& lease, const Fetched& fetched, uint64_t sent_ms);
  void on_failed(Lease& lease, const FailedFetch& failed, uint64_t inputs);
  void adopt(uint64_t now_ms);
  void report(uint64_t now_ms);
  bool is_due(uint64_t now_ms);
  uint64_t usable_until_ms() const;
  sdk::Duration next_look(uint64_t now_ms) const;
  uint64_t lease_length_ms() const;
  uint64_t wait_after(const FailedFetch& failed);
  bool is_wanted(uint64_t now_ms) const;

  const SourceConfig& config_;
  const size_t max_body_;
  sdk::RootContext& root_;
  SourceObserver& observer_;
  RequestMetrics& requests_;
  SourceMetrics metrics_;
  SharedEntry entry_;
  HeaderSet headers_;
  bool has_headers_ = false;
  bool usable_ = false;
  bool stale_ = false;
  bool fetching_ = false;
  bool failing_ = false;
  bool was_wanted_ = false;     // the fetch under way would not have been due, but for requests
  uint64_t version_ = 0;        // of headers_
  uint32_t generation_ = 0;     // the observer's, of headers_
  uint64_t refresh_token_ = 0;  // which one the fetch under way began with (refresh_token.h)
  uint64_t wanted_ms_ = 0;      // when a request was turned away; 0: never
  uint64_t reported_s_ = UINT64_MAX;
  uint64_t random_state_ = 0;
};

}  // namespace inlay::header_augmenting
