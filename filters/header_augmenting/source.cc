// SPDX-License-Identifier: Apache-2.0
#include "filters/header_augmenting/source.h"

#include <algorithm>
#include <utility>

#include "filters/header_augmenting/call.h"
#include "filters/header_augmenting/client_jwt.h"
#include "filters/header_augmenting/digest.h"
#include "filters/header_augmenting/references.h"
#include "filters/header_augmenting/refresh_token.h"
#include "sdk/clock.h"
#include "sdk/log.h"

namespace inlay::header_augmenting {
namespace {

// Nothing is fetched while the host configures: it may do that on trial only.
constexpr sdk::Duration kStart{5};
constexpr uint64_t kEagerLookMs = 50;  // while something is waited for
constexpr uint64_t kLookMs = 250;
constexpr uint64_t kClockToleranceMs = 1000;
constexpr uint64_t kLeaseMarginMs = 1000;
constexpr uint64_t kMinRetryMs = 25;
// After a failure that asking again does not mend.
constexpr uint64_t kPermanentRetryMs = 10'000;
constexpr uint64_t kMaxPermanentRetryMs = 300'000;
// While requests are turned away: one attempt a second, give or take a quarter.
constexpr uint64_t kWantedMs = 750;
constexpr uint64_t kWantedJitterMs = 500;
constexpr uint64_t kWantedForMs = 2'000;  // since the last of them

// entry_key: the same for sources of one configuration, whichever plugin instance has them.
std::string_view entry_key(const SourceConfig& config, sdk::Line& line) {
  line.add("inlay.header_augmenting.4.");
  for (int shift = 60; shift >= 0; shift -= 4) line.add({&"0123456789abcdef"[config.digest >> shift & 15], 1});
  return line.view();
}

// doubled: `ms` with each of `times`, up to `most`.
uint64_t doubled(uint64_t ms, uint32_t times, uint64_t most) {
  for (; times != 0 && ms < most; --times) ms *= 2;
  return std::min(ms, most);
}

}  // namespace

Source::Source(const SourceConfig& config, size_t max_body, sdk::RootContext& root, SourceObserver& observer,
               RequestMetrics& requests)
    : config_(config), max_body_(max_body), root_(root), observer_(observer), requests_(requests) {
  sdk::Line key;
  entry_.open(entry_key(config, key));
  metrics_.define(config.name);
}

sdk::Task<> Source::run() {
  co_await root_.sleep(kStart);
  for (;;) {
    const uint64_t now = sdk::steady_ms();
    entry_.load();
    adopt(now);
    report(now);
    requests_.flush();
    fetch_if_due(now);
    co_await root_.sleep(next_look(now));
  }
}

// fetch_if_due: starts a fetch of the entry as it was last loaded, if this worker gets the lease.
void Source::fetch_if_due(uint64_t now_ms) {
  if (fetching_ || !is_due(now_ms) || !Lease::is_free(entry_, now_ms, lease_length_ms())) return;
  if (Source* const missing = missing_input()) {
    if (is_wanted(now_ms)) missing->wanted_ms_ = now_ms;
    wait_for(*missing);
    return;
  }
  const bool wanted = now_ms < entry_.state().due_at_ms && is_wanted(now_ms);
  Lease lease = Lease::take(entry_, now_ms, lease_length_ms());
  // Beside run(), so that headers expire on time while an answer is waited for.
  if (!lease.held()) return;
  was_wanted_ = wanted;
  root_.spawn(fetch(std::move(lease)));
}

sdk::Task<> Source::fetch(Lease lease) {
  fetching_ = true;
  Arena arena;  // of the call, which lives until its answer has been read
  SourceConfig* const sent = ::new (arena.take(sizeof(SourceConfig))) SourceConfig(config_);
  FailedFetch failed;
  const bool made = make_call(*sent, arena, failed);
  const uint64_t used = inputs();
  if (made) {
    const sdk::HttpRequest request{.cluster = sent->cluster, .headers = sent->call, .body = sent->body};
    const uint64_t sent_at = sdk::steady_ms();
    const auto reply = co_await root_.http_call(request, sdk::Duration(sent->timeout_ms));
    Fetched fetched;
    if (!reply) {
      failed_call(reply.error(), sent->cluster, failed);
    } else {
      const bool good = read(*reply, *sent, fetched, failed);
      // First of all: the next call, of whatever worker, may be made with this one only.
      if (has(kAssertions)) keep_refresh_token(refresh_token_, fetched.answer.refresh_token.view());
      if (good) {
        fetching_ = false;
        on_fetched(lease, fetched, sent_at);
        co_return;
      }
    }
  }
  fetching_ = false;
  on_failed(lease, failed, used);
}

bool Source::make_call(SourceConfig& call, Arena& arena, FailedFetch& failed) {
  if (!is_made_anew(config_)) return true;
  const Pairs values = arena.array<abi::Pair>(others().size());
  for (size_t i = 0; i < values.size(); ++i) {
    Source& other = observer_.source_at(others()[i]);
    other.look();
    values[i] = {other.config_.name, arena.copy(other.value())};
  }
  fill_in(call, values, arena);
  if (has(kAssertions)) refresh_token_ = follow_refresh_token(call, arena);
  if (has(kAssertions) && call.oauth2.auth_method == OAuth2::Authentication::kPrivateKey) {
    const auto jwt = make_client_jwt(call.oauth2, arena);
    if (!jwt) {
      failed_signature(jwt.error(), failed);
      return false;
    }
    call.oauth2.client_assertion = *jwt;
  }
  if (prepare_call(call, arena)) return true;
  failed.reason = FetchFailure::kNotSent;
  failed.detail.add("the value of another source has a character that no header may have");
  return false;
}

Source* Source::missing_input() {
  for (const uint32_t index : others()) {
    Source& other = observer_.source_at(index);
    if (other.value().empty()) other.look();
    if (other.value().empty()) return &other;
  }
  return nullptr;
}

// wait_for: says once, for all workers, what is waited for.
void Source::wait_for(const Source& other) {
  Digest digest;
  digest.add(other.config_.name);
  EntryState state = entry_.state();
  if (state.complaint == digest.value()) return;
  state.complaint = digest.value();
  if (!entry_.store(state, entry_.pairs())) return;  // another worker says it
  sdk::log_info("source ", config_.name, ": waits for source ", other.config_.name, ", which has no value yet");
  entry_.load();
}

uint64_t Source::inputs() const {
  Digest digest;
  for (const uint32_t index : others()) digest.add(observer_.source_at(index).value());
  return others().empty() ? 0 : digest.value();
}

// has_new_inputs: whether a value has changed since it was of no use to a fetch.
bool Source::has_new_inputs() {
  return inputs() != entry_.state().inputs && look_at_inputs() != entry_.state().inputs;
}

uint64_t Source::look_at_inputs() {
  for (const uint32_t index : others()) observer_.source_at(index).look();
  return inputs();
}

void Source::read_inputs_again(uint64_t now_ms) {
  for (const uint32_t index : others()) observer_.source_at(index).read_again(now_ms);
}

void Source::stand_for_names() {
  Arena arena;
  const Pairs names = arena.array<abi::Pair>(config_.headers.size());
  for (size_t i = 0; i < names.size(); ++i) names[i].key = config_.headers[i].key;
  const std::span<const abi::Pair> made = names;
  sdk::Bytes pairs = sdk::Bytes::allocate(abi::pairs_size(made));
  if (pairs.data() == nullptr) return;
  abi::write_pairs(made, pairs.data());
  usable_ = headers_.assign(pairs.view());
}

bool Source::read(const sdk::HttpReply& reply, const SourceConfig& sent, Fetched& fetched, FailedFetch& failed) const {
  if (reply.status != 200) {
    failed_status(reply, sent, max_body_, failed);
    return false;
  }
  if (has(kSvid) && config_.format == SourceConfig::Format::kJwtSvid && failed_grpc(reply, failed)) return false;
  failed.reason = FetchFailure::kTooLarge;
  if (reply.body_size > max_body_) return false;
  const auto body = reply.body(max_body_ + 1);
  if (!body) failed.reason = FetchFailure::kNoAnswer;
  if (!body || body->size() > max_body_) return false;
  if (!read_answer(body->view(), config_, fetched.answer, failed.reason)) {
    failed_body(reply, body->view(), sent, failed);
    return false;
  }
  uint64_t given = fetched.answer.lifetime_ms;
  if (given == 0) {
    if (const auto cache_control = reply.headers().get("cache-control"))
      given = read_max_age(cache_control->view()) * 1000;
  }
  fetched.lifetime_ms = given != 0 ? given : config_.refresh.every_ms;
  fetched.lifetime_given = given != 0;
  return true;
}

void Source::on_fetched(Lease& lease, const Fetched& fetched, uint64_t sent_ms) {
  const uint64_t now = sdk::steady_ms();
  uint64_t lifetime = fetched.lifetime_ms;
  // It may have begun as early as the call was sent (RFC 9111 section 4.2.3 counts so, too).
  if (fetched.lifetime_given && !(has(kText) && fetched.answer.is_jwt) && now > sent_ms)
    lifetime -= std::min(now - sent_ms, lifetime / 2);
  const Refresh& refresh = config_.refresh;
  uint64_t wait = lifetime;
  // Headers that must not be used past their expiry for as long as a fetch may take are renewed ahead of it.
  if (fetched.lifetime_given || config_.max_stale_ms < config_.timeout_ms) {
    // However early: never before half of the lifetime, so that a short one is no flood; however much jitter: half of
    // what is left stays for a second try.
    const uint64_t early = std::min(refresh.early.of(lifetime), lifetime / 2);
    wait += random(std::min(refresh.jitter.of(lifetime), early / 2) + 1) - early;
  } else {
    wait -= random(std::min(refresh.jitter.of(lifetime), lifetime / 2) + 1);
  }
  metrics_.fetch_ok.increment();
  requests_.add(RequestMetrics::kRefusedHeader, fetched.answer.refused);
  requests_.flush();
  EntryState values;
  if (has(kText) && fetched.answer.is_jwt) values.flags = EntryState::kIsJwt;
  values.fetched_at_ms = now;
  values.expires_at_ms = now + lifetime;
  values.due_at_ms = now + wait;
  if (!lease.publish(fetched.answer.pairs.view(), values)) return;
  adopt(now);
  const auto level = version_ == 1 || failing_ ? sdk::LogLevel::kInfo : sdk::LogLevel::kDebug;
  sdk::log(level, "source ", config_.name, ": ", uint64_t{headers_.size()}, " headers",
           !has(kReferences) || headers_.value().empty() ? "" : " and a value", " fetched, the next fetch is in ", wait,
           " ms");
  failing_ = false;
}

void Source::on_failed(Lease& lease, const FailedFetch& failed, uint64_t inputs) {
  const auto reason = static_cast<size_t>(failed.reason);
  const uint64_t now = sdk::steady_ms();
  entry_.load();
  metrics_.fetch_failed[reason].increment();
  const uint64_t wait = wait_after(failed);
  EntryState values;
  if (failed.permanent) values.flags = EntryState::kPermanent;
  values.due_at_ms = now + wait;
  // Who is told to wait, waits.
  const bool eager = !failed.permanent && failed.retry_after_ms == 0;
  const uint64_t wanted = eager ? kWantedMs + random(kWantedJitterMs + 1) : wait;
  values.wanted_at_ms = now + std::min(wanted, wait);
  values.inputs = inputs;
  sdk::Line line;
  line.add(text_of(reason).log).add(failed.detail.view());
  Digest complaint;
  complaint.add(line.view());
  values.complaint = complaint.value();
  // What goes on as it was is said once, if it goes on for long or is asked for often.
  const bool again = values.complaint == entry_.state().complaint && (failed.permanent || was_wanted_);
  sdk::log(again ? sdk::LogLevel::kDebug : sdk::LogLevel::kWarn, "source ", config_.name,
           ": fetch failed: ", line.view(),
           usable_ ? "; the last good headers stay in use" : "; there are no usable headers", "; the next try is in ",
           wait, " ms");
  failing_ = true;
  (void)lease.fail(values);
  if (failed.refused) read_inputs_again(now);
}

// wait_after: how long until the next try.
uint64_t Source::wait_after(const FailedFetch& failed) {
  const EntryState& state = entry_.state();
  const bool same = failed.permanent == ((state.flags & EntryState::kPermanent) != 0);
  const uint32_t failures = same ? state.failures : 0;
  if (failed.permanent) {
    const uint64_t wait = doubled(kPermanentRetryMs, failures, kMaxPermanentRetryMs);
    return wait - random(wait / 5 + 1);
  }
  const uint64_t wait = random(doubled(config_.refresh.retry_initial_ms, failures, config_.refresh.retry_max_ms) + 1);
  // As the service says, if that is later; never later than retries come at all, so that no answer can stop them.
  return std::max({wait, kMinRetryMs, std::min(failed.retry_after_ms, config_.refresh.retry_max_ms)});
}

// read_again: another source's call was refused that was made of this one's value, which may be old.
void Source::read_again(uint64_t now_ms) {
  if (fetching_ || !bring_forward(now_ms)) return;
  entry_.load();
  fetch_if_due(now_ms);
}

// adopt: takes over the headers of the entry if they are new, and notes whether they have expired.
void Source::adopt(uint64_t now_ms) {
  const EntryState& state = entry_.state();
  const bool is_new = state.version != version_ && state.version != 0 && headers_.assign(entry_.pairs());
  if (is_new) {
    version_ = state.version;
    has_headers_ = true;
  }
  stale_ = has_headers_ && now_ms >= state.expires_at_ms;
  usable_ = has_headers_ && now_ms < usable_until_ms();
  if (is_new) generation_ = observer_.on_new_headers();
}

bool Source::look() {
  entry_.load();
  adopt(sdk::steady_ms());
  return usable_;
}

bool Source::look_for_request() {
  const uint64_t now = sdk::steady_ms();
  entry_.load();
  adopt(now);
  if (!usable_) wanted_ms_ = now;
  return usable_;
}

// is_wanted: whether requests have been turned away lately for want of this source.
bool Source::is_wanted(uint64_t now_ms) const {
  return wanted_ms_ != 0 && now_ms - wanted_ms_ < kWantedForMs;
}

// bring_forward: has the source asked now, or as soon as a first retry could come after the last fetch. False if it is
// asked by then anyway, or there is something newer already.
bool Source::bring_forward(uint64_t now_ms) {
  entry_.load();
  EntryState state = entry_.state();
  const uint64_t at = std::max(now_ms, state.fetched_at_ms + config_.refresh.retry_initial_ms);
  // After a failure, the retry schedule rules; what is due by then needs no second reason.
  if (state.failures != 0 || state.due_at_ms <= at || state.version != version_) return false;
  state.due_at_ms = at;
  return entry_.store(state, entry_.pairs());
}

void Source::invalidate(uint32_t generation) {
  if (generation < generation_ || fetching_) return;
  const uint64_t now = sdk::steady_ms();
  if (!bring_forward(now)) return;
  const uint64_t at = entry_.state().due_at_ms;
  metrics_.invalidated.increment();
  sdk::log_info("source ", config_.name, ": an upstream did not accept its headers; they are fetched anew in ",
                at - now, " ms");
  entry_.load();
  // A response's callback is under way here. Where its context has to stay the effective one (a capability restriction
  // takes the function away), no fetch could be sent, and run() starts it when it looks next.
  if (const sdk::EffectiveScope scope(root_); scope) fetch_if_due(now);
}

// report: the gauges, once a second.
void Source::report(uint64_t now_ms) {
  if (!has_headers_ || now_ms / 1000 == reported_s_) return;
  reported_s_ = now_ms / 1000;
  const EntryState& state = entry_.state();
  metrics_.age_s.set(now_ms > state.fetched_at_ms ? (now_ms - state.fetched_at_ms) / 1000 : 0);
  metrics_.expires_in_s.set(state.expires_at_ms > now_ms ? (state.expires_at_ms - now_ms) / 1000 : 0);
}

// is_due: whether somebody should fetch. Times in the future that cannot be, come from a clock that was set back, on a
// host that has none but the wall clock.
bool Source::is_due(uint64_t now_ms) {
  const EntryState& state = entry_.state();
  if (now_ms >= state.due_at_ms || state.fetched_at_ms > now_ms + kClockToleranceMs) return true;
  if (state.failures == 0) return false;
  const bool permanent = (state.flags & EntryState::kPermanent) != 0;
  if (state.due_at_ms > now_ms + (permanent ? kMaxPermanentRetryMs : config_.refresh.retry_max_ms)) return true;
  return (is_wanted(now_ms) && now_ms >= state.wanted_at_ms) || has_new_inputs();
}

// usable_until_ms: when the headers that there are become too old.
uint64_t Source::usable_until_ms() const {
  const uint64_t expires = entry_.state().expires_at_ms;
  if (has(kText) && config_.ends_with_jwt && (entry_.state().flags & EntryState::kIsJwt) != 0) return expires;
  return config_.max_stale_ms > kUnlimited - expires ? kUnlimited : expires + config_.max_stale_ms;
}

// next_look: how long until this worker looks at the entry again: at the latest when something is bound to change.
sdk::Duration Source::next_look(uint64_t now_ms) const {
  const EntryState& state = entry_.state();
  const bool waiting = !usable_ || fetching_ || state.due_at_ms <= now_ms;  // for a fetch, of whatever worker
  uint64_t look = waiting ? kEagerLookMs : kLookMs;
  for (const uint64_t change : {state.due_at_ms, state.expires_at_ms, usable_until_ms()}) {
    if (change > now_ms) look = std::min(look, change - now_ms);
  }
  return sdk::Duration(look);
}

// lease_length_ms: longer than any call takes, and so short that a takeover, which comes with the first look after it,
// falls within two of them.
uint64_t Source::lease_length_ms() const {
  return config_.timeout_ms + kLeaseMarginMs;
}

// random: xorshift64*.
uint64_t Source::random(uint64_t bound) {
  if (random_state_ == 0) random_state_ = (sdk::steady_ns() ^ reinterpret_cast<uintptr_t>(this)) | 1;
  random_state_ ^= random_state_ >> 12;
  random_state_ ^= random_state_ << 25;
  random_state_ ^= random_state_ >> 27;
  return random_state_ * 0x2545f4914f6cdd1d % bound;
}

}  // namespace inlay::header_augmenting
