// SPDX-License-Identifier: Apache-2.0
#include "filters/header_augmenting/exchange.h"

#include <algorithm>
#include <span>

#include "filters/header_augmenting/sha256.h"
#include "sdk/clock.h"
#include "sdk/log.h"
#include "sdk/random.h"
#include "sdk/text.h"

namespace inlay::header_augmenting {
namespace {

constexpr uint64_t kLookMs = 1000;  // between two looks for a newer token, while there is one that is good
constexpr uint64_t kPollMs = 50;    // while something is waited for
constexpr uint64_t kIdleMs = 250;
constexpr uint64_t kDropNs = 1'000'000'000;  // of a token's life, in which it is not dropped
constexpr uint64_t kLeastSetBytes = 32 << 10;

uint64_t set_bytes(const TokenCache& cache) {
  return std::max(cache.bytes / sets_for(cache.entries, TokenSlots::kSlots), kLeastSetBytes);
}

struct ReplyText {
  const char* details;
  const char* body;
  const char* challenge;  // RFC 6750 section 3; nullptr: none
};

// In the order of Outcome, from kNoSubject on.
constexpr ReplyText kReplies[] = {
    {"header_augmenting_no_subject", "a token is missing", "Bearer"},
    {"header_augmenting_subject_refused", "the token is not accepted", "Bearer error=\"invalid_token\""},
    {"header_augmenting_denied", "the token does not allow this", "Bearer error=\"insufficient_scope\""},
    {"header_augmenting_provider_refused", "no token can be had for this request", nullptr},
    {"header_augmenting_unavailable", "no token can be had now", nullptr},
    {"header_augmenting_token_too_long", "the token is too long", nullptr},
};

}  // namespace

std::unique_ptr<PerRequest> make_per_request(Source& source, const Config& config, sdk::RootContext& root,
                                             RequestMetrics& requests) {
  return std::make_unique<Exchange>(source, config, root, requests);
}

Exchange::Exchange(Source& source, const Config& config, sdk::RootContext& root, RequestMetrics& requests)
    : source_(source),
      config_(config),
      mine_(source.config()),
      root_(root),
      requests_(requests),
      table_(mine_.cache.entries, mine_.cache.bytes),
      slots_(mine_.name, mine_.cache.entries, static_cast<size_t>(set_bytes(mine_.cache))),
      gates_(std::make_unique<Gate[]>(config.rules.size())),
      renews_(mine_.oauth2.grant_type == OAuth2::Grant::kTokenExchange) {
  source.stand_for_names();
  if (!sdk::random_bytes(&hash_key_, sizeof hash_key_))
    hash_key_ = {sdk::steady_ns() ^ reinterpret_cast<uintptr_t>(this), sdk::now_ns()};
  static constexpr const char* kNames[] = {"hit", "miss", "waited", "refused", "evicted"};
  const auto name = [&](const char* what, sdk::Line&& line) {
    line.add("header_augmenting.").add(mine_.name).add(".exchange.").add(what);
    return line;
  };
  for (size_t i = 0; i < kCounts; ++i) counters_[i] = sdk::Counter::define(name(kNames[i], {}).view());
  entries_ = sdk::Gauge::define(name("entries", {}).view());
}

Exchange::~Exchange() {
  while (first_ != nullptr) {
    // Another worker may ask at once; who waits here, sees that the configuration is another.
    (void)slots_.publish(first_->key, first_->lease, Outcome::kUnavailable, {}, {}, sdk::steady_ms());
    remove(*first_);
  }
  flush();
  entries_.add(-static_cast<int64_t>(shown_entries_));
}

sdk::Task<> Exchange::run() {
  for (;;) {
    poll(sdk::steady_ms(), true);
    flush();
    requests_.flush();
    co_await root_.sleep(sdk::Duration(first_ != nullptr ? kPollMs : kIdleMs));
  }
}

void Exchange::flush() {
  counted_[kEvicted] = table_.evicted() + slots_.evicted();
  for (size_t i = 0; i < kCounts; ++i) {
    counters_[i].increment(counted_[i] - shown_[i]);
    shown_[i] = counted_[i];
  }
  if (shown_entries_ == table_.entries()) return;
  entries_.add(static_cast<int64_t>(table_.entries() - shown_entries_));
  shown_entries_ = table_.entries();
}

PerRequest::Look Exchange::look(const Rule& rule, Ticket& ticket) {
  Brought brought;
  if (!read_brought(mine_.oauth2, brought)) {
    if (mine_.on_error.no_subject == 0) return {Found::kWithout, Outcome::kNoSubject};
    return refused(Outcome::kNoSubject);
  }
  if (std::max(brought.subject.size(), brought.actor.size()) > mine_.cache.max_token) return refused(Outcome::kTooLong);
  ticket.hash = sip_hash({hash_key_.a ^ rule.with_digest, hash_key_.b}, brought.subject);
  if (!brought.actor.empty()) ticket.hash = sip_hash(ticket.hash, brought.actor);
  const uint64_t now = sdk::steady_ms();
  Token* const token = table_.find(ticket.hash);
  if (token == nullptr || now >= token->times.look_at_ms) [[unlikely]]
    return look_further(rule, ticket, brought, token, now);
  return found(*token, rule, ticket);
}

// found: what `token`, which is good, means for the request in hand.
PerRequest::Look Exchange::found(const Token& token, const Rule& rule, Ticket& ticket) {
  if (token.outcome != Outcome::kToken) return refused(token.outcome);
  ++counted_[kHit];
  return give(token, rule, ticket);
}

PerRequest::Look Exchange::give(const Token& token, const Rule& rule, Ticket& ticket) {
  ticket.made_ns = token.times.made_ns;
  take_off(mine_.oauth2.subject, rule);
  take_off(mine_.oauth2.actor, rule);
  return {Found::kHeaders, Outcome::kToken, token.pairs()};
}

// take_off: what was read of the request, unless it is replaced anyway.
void Exchange::take_off(const Party& party, const Rule& rule) const {
  if (party.header.data() == nullptr || party.remove == Presence::kAbsent) return;
  for (const abi::Pair& header : mine_.headers) {
    if (rule.mode == Mode::kSet && header.key == party.header) return;
  }
  (void)sdk::HttpContext::request_headers().remove(party.header);
}

PerRequest::Look Exchange::refused(Outcome outcome) {
  if (!is_for_want(outcome)) ++counted_[kRefused];
  return {Found::kAnswer, outcome};
}

// look_further: for a token that is not there, or not for long.
PerRequest::Look Exchange::look_further(const Rule& rule, Ticket& ticket, const Brought& brought, Token* token,
                                        uint64_t now_ms) {
  Pending* pending = pending_of(ticket.hash);
  const bool usable = token != nullptr && now_ms < token->times.until_ms;
  // A request that has a good token and brings what a newer one is made of has it renewed, and does not wait.
  if (usable) token->times.look_at_ms = std::min(token->times.until_ms, now_ms + kLookMs);
  if (usable ? pending == nullptr && is_open(gate_of(rule), now_ms) : pending == nullptr) {
    const uint64_t end_ms =
        is_token_text(brought.subject) && is_token_text(brought.actor) ? subject_end_ms(brought, now_ms) : 0;
    if (end_ms == 0) return refused(Outcome::kRefused);
    if (pendings_ < mine_.cache.max_waiting) {
      Pending& added = add(rule, ticket.hash, brought, end_ms, now_ms);
      if (usable) added.known_ns = token->times.made_ns;
      added.renews = usable;
      begin(added, now_ms);
    }
    token = table_.find(ticket.hash);
    pending = pending_of(ticket.hash);
  }
  if (token != nullptr && now_ms < token->times.until_ms) return found(*token, rule, ticket);
  if (pending == nullptr) return refused(outcome_without(rule, now_ms));
  pending->renews = false;
  if (pending->state != Pending::State::kInputs) pending->give_up_ms = now_ms + mine_.timeout_ms + kPatienceMs;
  ++counted_[kWaited];
  return {Found::kWait};
}

PerRequest::Look Exchange::look_again(const Rule& rule, Ticket& ticket) {
  const Token* const token = table_.find(ticket.hash);
  if (token != nullptr && token->outcome != Outcome::kToken) return refused(token->outcome);
  const uint64_t now = sdk::steady_ms();
  if (token == nullptr || now >= token->times.until_ms) return refused(outcome_without(rule, now));
  return give(*token, rule, ticket);
}

sdk::Event* Exchange::event(const Ticket& ticket) {
  Pending* const pending = pending_of(ticket.hash);
  return pending == nullptr ? nullptr : &pending->news;
}

sdk::Duration Exchange::patience() const {
  return sdk::Duration(2 * mine_.timeout_ms + 2 * kPatienceMs);
}

void Exchange::reply(sdk::HttpContext& stream, const Rule& rule, Outcome outcome) {
  const ReplyText& text = kReplies[static_cast<size_t>(outcome) - 1];
  const OnError& on_error = mine_.on_error;
  const uint64_t statuses[] = {on_error.no_subject,       on_error.subject_refused, on_error.denied,
                               on_error.provider_refused, on_error.unavailable,     431};
  sdk::Pair header{"www-authenticate", {}};
  sdk::Line seconds;
  if (text.challenge != nullptr) {
    header.value = text.challenge;
  } else if (outcome == Outcome::kUnavailable) {
    const uint64_t now = sdk::steady_ms();
    const uint64_t opens = gate_of(rule).opens_at_ms;
    header = {"retry-after", seconds.add(opens > now + 1000 ? (opens - now + 999) / 1000 : 1).view()};
  }
  const sdk::LocalReply reply{.status = static_cast<uint32_t>(statuses[static_cast<size_t>(outcome) - 1]),
                              .body = text.body,
                              .details = text.details};
  stream.reply(reply, std::span(&header, header.value.empty() ? 0 : 1));
}

void Exchange::drop(const Ticket& ticket) {
  // What an assertion was exchanged for cannot be had again for the same. A token that is refused as soon as it is
  // there, is refused for another reason than its age.
  if (!renews_ || ticket.made_ns == 0 || sdk::steady_ns() - ticket.made_ns < kDropNs) return;
  Token* const token = table_.find(ticket.hash);
  if (token == nullptr || token->times.made_ns != ticket.made_ns) return;
  slots_.drop(token->key(), ticket.made_ns);
  table_.remove(*token);
  source_.metrics().invalidated.increment();
}

void Exchange::on_queue_ready(uint32_t queue) {
  for (sdk::Bytes item = mailbox_.take(queue); !item.empty(); item = mailbox_.take(queue)) {
    for (Pending* pending = first_; pending != nullptr; pending = pending->next) {
      const std::string_view key(pending->key.bytes, sizeof pending->key.bytes);
      if (pending->state != Pending::State::kElsewhere || !key.starts_with(item.view())) continue;
      begin(*pending, sdk::steady_ms());
      break;
    }
  }
}

}  // namespace inlay::header_augmenting
