// SPDX-License-Identifier: Apache-2.0
// Exchange (exchange.h): the tokens that a worker waits for, and the calls that it makes for them.
#include <algorithm>

#include "filters/header_augmenting/digest.h"
#include "filters/header_augmenting/exchange.h"
#include "filters/header_augmenting/exchange_answer.h"
#include "filters/header_augmenting/sha256.h"
#include "sdk/clock.h"
#include "sdk/log.h"
#include "sdk/text.h"

namespace inlay::header_augmenting {
namespace {

// Longer than any call takes, and shorter than requests wait.
constexpr uint64_t kLeaseMarginMs = 1500;
constexpr uint64_t kMarginMs = 5000;  // for which a token must be good when it is sent on
constexpr uint64_t kFailedMs = 1000;  // how long a failure is remembered that is no word on the request
constexpr uint64_t kInputsMs = 1000;  // how long another source may take to have something newer
constexpr uint64_t kPermanentRetryMs = 10'000;
constexpr uint64_t kMaxPermanentRetryMs = 300'000;
constexpr uint64_t kComplainMs = 1000;
constexpr uint64_t kComplainAgainMs = 60'000;
constexpr size_t kItemSize = 8;  // of a key, by which a worker is told

}  // namespace

TokenKey Exchange::key_of(const Rule& rule, const Brought& brought) const {
  Sha256 sha;
  sha.add(mine_.digest);
  sha.add(rule.with_digest);
  sha.add(uint64_t{brought.subject.size()});
  sha.add(brought.subject);
  sha.add(brought.actor);
  TokenKey key;
  sha.finish(key.bytes);
  return key;
}

Exchange::Pending* Exchange::pending_of(const Hash128& hash) const {
  Pending* pending = first_;
  while (pending != nullptr && pending->hash != hash) pending = pending->next;
  return pending;
}

Exchange::Pending& Exchange::add(const Rule& rule, const Hash128& hash, const Brought& brought, uint64_t end_ms,
                                 uint64_t now_ms) {
  auto* const pending = new Pending(rule);
  pending->hash = hash;
  pending->key = key_of(rule, brought);
  pending->subject = pending->arena.copy(brought.subject);
  pending->actor = pending->arena.copy(brought.actor);
  pending->end_ms = end_ms;
  pending->give_up_ms = now_ms + mine_.timeout_ms + kPatienceMs;
  *last_ = pending;
  last_ = &pending->next;
  ++pendings_;
  return *pending;
}

// remove: requests that wait go on, with what the table has for them.
void Exchange::remove(Pending& pending) {
  Pending** at = &first_;
  while (*at != &pending) at = &(*at)->next;
  *at = pending.next;
  if (last_ == &pending.next) last_ = at;
  --pendings_;
  pending.news.notify();
  delete &pending;
}

// finish: takes over what has come. A token that is good is better than a failure of no consequence.
void Exchange::finish(Pending& pending, const Fresh& fresh, uint64_t now_ms) {
  Token* const old = table_.find(pending.hash);
  if (fresh.outcome >= Outcome::kProviderRefused && old != nullptr && old->outcome == Outcome::kToken &&
      now_ms < old->times.until_ms) {
    old->times.look_at_ms = std::min(old->times.until_ms, std::max(fresh.times.until_ms, now_ms + kFailedMs));
  } else {
    (void)table_.put(pending.hash, pending.key, fresh.outcome, fresh.times, fresh.pairs, now_ms);
  }
  remove(pending);
}

// publish: the same for all workers.
void Exchange::publish(Pending& pending, const Fresh& fresh, uint64_t now_ms) {
  const std::string_view item(pending.key.bytes, kItemSize);
  for (const char waiter :
       slots_.publish(pending.key, pending.lease, fresh.outcome, fresh.times, fresh.pairs, now_ms)) {
    Mailbox::send(static_cast<uint8_t>(waiter), item);
  }
  finish(pending, fresh, now_ms);
}

// begin: asks for it, unless it is there by now, or another worker asks. May end `pending`.
void Exchange::begin(Pending& pending, uint64_t now_ms) {
  pending.state = Pending::State::kQueued;
  if (calls_ >= mine_.cache.max_calls) return;
  const sdk::EffectiveScope scope(root_);  // else poll() begins
  if (!scope || source_.missing_input() != nullptr) return;
  Gate& gate = gate_of(pending.rule);
  const bool open = is_open(gate, now_ms);
  const TokenSlots::Wanted wanted{.known_ns = pending.known_ns,
                                  .lease_ms = mine_.timeout_ms + kLeaseMarginMs,
                                  .lease = pending.lease,
                                  .waiter = pending.renews ? uint8_t{0} : mailbox_.number(),
                                  .may_ask = open};
  switch (slots_.claim(pending.key, wanted, now_ms)) {
    case TokenSlots::Claim::kFound:
      finish(pending, {slots_.slot().outcome, slots_.slot().times, slots_.pairs()}, now_ms);
      return;
    case TokenSlots::Claim::kTheirs:
      pending.state = Pending::State::kElsewhere;
      if (pending.renews) remove(pending);
      return;
    case TokenSlots::Claim::kNone:
      if (!open) remove(pending);
      return;
    case TokenSlots::Claim::kMine:
      break;
  }
  pending.lease = slots_.lease();
  pending.state = Pending::State::kCalling;
  if (gate.failures != 0) gate.opens_at_ms = now_ms + kFailedMs;  // for the next
  if (!pending.renews) ++counted_[kMiss];
  ++calls_;
  root_.spawn(call(pending));
}

// poll: begins what has not begun; `all`: and looks after what another worker or another source is waited for.
void Exchange::poll(uint64_t now_ms, bool all) {
  if (polling_) return;
  polling_ = true;
  for (Pending* next = first_; next != nullptr;) {
    Pending& pending = *next;
    next = pending.next;
    if (pending.state == Pending::State::kQueued || (all && pending.state != Pending::State::kCalling))
      poll(pending, now_ms);
  }
  polling_ = false;
}

void Exchange::poll(Pending& pending, uint64_t now_ms) {
  const bool over = now_ms >= pending.give_up_ms;
  if (pending.state != Pending::State::kInputs) {
    if (over) return finish(pending, {Outcome::kUnavailable, {}, {}}, now_ms);
    return begin(pending, now_ms);
  }
  if (source_.look_at_inputs() != pending.inputs) return begin(pending, now_ms);
  if (over) give_up(pending, Outcome::kProviderRefused, 0, pending.for_all, true, now_ms);
}

// put_in: what the request brings and its rule asks for, into the call.
void Exchange::put_in(const Pending& pending, SourceConfig& call) const {
  OAuth2& oauth2 = call.oauth2;
  oauth2.subject.token = pending.subject;
  if (reads_actor(oauth2)) oauth2.actor.token = pending.actor;
  const With& with = pending.rule.with;
  if (with.audience.data() != nullptr) oauth2.audience = with.audience;
  if (with.scopes.data() != nullptr) oauth2.scopes = with.scopes;
  if (with.resource.data() != nullptr) oauth2.resource = with.resource;
}

sdk::Task<> Exchange::call(Pending& pending) {
  Arena arena;
  SourceConfig& sent = *::new (arena.take(sizeof(SourceConfig))) SourceConfig(mine_);
  put_in(pending, sent);
  FailedFetch failed;
  const bool made = source_.make_call(sent, arena, failed);
  pending.inputs = source_.inputs();
  if (!made) {
    --calls_;
    on_failed(pending, Outcome::kProviderRefused, failed, true);
    co_return;
  }
  const sdk::HttpRequest request{.cluster = sent.cluster, .headers = sent.call, .body = sent.body};
  const uint64_t sent_ms = sdk::steady_ms();
  const auto reply = co_await root_.http_call(request, sdk::Duration(sent.timeout_ms));
  --calls_;
  if (reply) {
    on_answer(pending, *reply, sent, sent_ms);
  } else {
    failed_call(reply.error(), sent.cluster, failed);
    on_failed(pending, Outcome::kUnavailable, failed, true);
  }
  poll(sdk::steady_ms(), false);
}

void Exchange::on_answer(Pending& pending, const sdk::HttpReply& reply, const SourceConfig& sent, uint64_t sent_ms) {
  Source::Fetched fetched;
  FailedFetch failed;
  if (!source_.read(reply, sent, fetched, failed)) {
    const Outcome outcome = outcome_of_failure(reply, failed, source_.max_body());
    return on_failed(pending, outcome, failed, is_for_all(reply, failed, outcome));
  }
  failed.reason = FetchFailure::kOtherToken;
  const auto body = reply.body();
  const char* const other = body ? check_token(body->view(), sent) : nullptr;
  const std::string_view pairs = fetched.answer.pairs.view();
  if (other == nullptr && slots_.fits(pairs.size()))
    return on_token(pending, pairs, fetched.lifetime_given ? fetched.lifetime_ms : mine_.cache.default_life_ms,
                    sent_ms);
  failed.detail.add(other != nullptr ? other : "it is larger than a set of the cache");
  on_failed(pending, Outcome::kProviderRefused, failed, false);
}

void Exchange::on_token(Pending& pending, std::string_view pairs, uint64_t lifetime_ms, uint64_t sent_ms) {
  const uint64_t now = sdk::steady_ms();
  gate_of(pending.rule) = {};
  source_.metrics().fetch_ok.increment();
  // It may have begun as early as the call was sent.
  uint64_t life = lifetime_ms;
  if (now > sent_ms) life -= std::min(now - sent_ms, life / 2);
  const bool outlived = pending.end_ms > now + life;
  life -= std::min(std::max(mine_.timeout_ms, kMarginMs), life / 2);
  TokenTimes times{.made_ns = sdk::steady_ns(), .until_ms = now + life, .look_at_ms = now + life};
  // One that ends with its subject cannot be had for longer.
  if (renews_ && outlived) {
    const Refresh& refresh = mine_.refresh;
    const uint64_t early = std::min(refresh.early.of(life), life / 2);
    times.look_at_ms -= early - source_.random(std::min(refresh.jitter.of(life), early / 2) + 1);
  }
  times.until_ms = std::min(times.until_ms, pending.end_ms);
  times.look_at_ms = std::min(times.look_at_ms, times.until_ms);
  publish(pending, {Outcome::kToken, times, pairs}, now);
}

void Exchange::on_failed(Pending& pending, Outcome outcome, const FailedFetch& failed, bool for_all) {
  const uint64_t now = sdk::steady_ms();
  if (is_for_want(outcome)) source_.metrics().fetch_failed[static_cast<size_t>(failed.reason)].increment();
  complain(failed, now);
  if (outcome == Outcome::kProviderRefused && failed.refused && !mine_.refers_to.empty() && !pending.retried) {
    // A secret may have been replaced.
    pending.retried = true;
    pending.for_all = for_all;
    pending.state = Pending::State::kInputs;
    pending.give_up_ms = now + kInputsMs;
    source_.read_inputs_again(now);
    return;
  }
  give_up(pending, outcome, failed.retry_after_ms, for_all, failed.permanent, now);
}

// give_up: has the requests answered that wait for it.
void Exchange::give_up(Pending& pending, Outcome outcome, uint64_t retry_after_ms, bool for_all, bool permanent,
                       uint64_t now_ms) {
  uint64_t life = kFailedMs;
  if (outcome < Outcome::kProviderRefused) {
    gate_of(pending.rule) = {};
    life = mine_.cache.refused_life_ms;
  } else if (for_all) {
    life = std::min(life, shut(pending, outcome, retry_after_ms, permanent, now_ms));
  }
  const TokenTimes times{.made_ns = sdk::steady_ns(), .until_ms = now_ms + life, .look_at_ms = now_ms + life};
  publish(pending, {outcome, times, {}}, now_ms);
}

// shut: lets one request at a time ask, and none before what it returns has passed, in milliseconds.
uint64_t Exchange::shut(const Pending& pending, Outcome outcome, uint64_t retry_after_ms, bool permanent,
                        uint64_t now_ms) {
  Gate& gate = gate_of(pending.rule);
  const Refresh& refresh = mine_.refresh;
  uint64_t wait = permanent ? kPermanentRetryMs : std::min(refresh.retry_initial_ms, kFailedMs);
  const uint64_t most = permanent ? kMaxPermanentRetryMs : kFailedMs;
  for (uint32_t i = 0; i < gate.failures && wait < most; ++i) wait *= 2;
  wait = std::min(wait, most);
  wait -= source_.random(wait / 4 + 1);
  if (!permanent) wait = std::max(wait, std::min(retry_after_ms, refresh.retry_max_ms));
  ++gate.failures;
  gate.outcome = outcome;
  gate.inputs = pending.inputs;
  gate.opens_at_ms = now_ms + wait;
  return wait;
}

// outcome_without: what to say of a request for which nothing is there.
Outcome Exchange::outcome_without(const Rule& rule, uint64_t now_ms) {
  const Gate& gate = gate_of(rule);
  return is_open(gate, now_ms) ? Outcome::kUnavailable : gate.outcome;
}

bool Exchange::is_open(const Gate& gate, uint64_t now_ms) {
  if (gate.failures == 0 || now_ms >= gate.opens_at_ms) return true;
  return !mine_.refers_to.empty() && source_.inputs() != gate.inputs;
}

// complain: once of what goes on as it was, and not often of anything.
void Exchange::complain(const FailedFetch& failed, uint64_t now_ms) {
  sdk::Line line;
  line.add(text_of(static_cast<size_t>(failed.reason)).log).add(failed.detail.view());
  Digest digest;
  digest.add(line.view());
  const bool again = digest.value() == complaint_;
  const bool quiet = complained_ms_ != 0 && now_ms - complained_ms_ < (again ? kComplainAgainMs : kComplainMs);
  sdk::log(quiet ? sdk::LogLevel::kDebug : sdk::LogLevel::kWarn, "source ", mine_.name,
           ": exchange failed: ", line.view());
  if (quiet) return;
  complained_ms_ = now_ms;
  complaint_ = digest.value();
}

}  // namespace inlay::header_augmenting
