// SPDX-License-Identifier: Apache-2.0
#include "filters/header_augmenting/source.h"

#include <algorithm>
#include <utility>

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

// entry_key: the same for sources of one configuration, whichever plugin instance has them.
std::string_view entry_key(const SourceConfig& config, sdk::Line& line) {
  line.add("inlay.header_augmenting.3.");
  for (int shift = 60; shift >= 0; shift -= 4) line.add({&"0123456789abcdef"[config.digest >> shift & 15], 1});
  return line.view();
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
  Lease lease = Lease::take(entry_, now_ms, lease_length_ms());
  // Beside run(), so that headers expire on time while an answer is waited for.
  if (lease.held()) root_.spawn(fetch(std::move(lease)));
}

sdk::Task<> Source::fetch(Lease lease) {
  fetching_ = true;
  const sdk::HttpRequest request{.cluster = config_.cluster, .headers = config_.call, .body = config_.body};
  const uint64_t sent = sdk::steady_ms();
  const auto reply = co_await root_.http_call(request, sdk::Duration(config_.timeout_ms));
  fetching_ = false;
  if (!reply) {
    on_failed(lease, failed_call(reply.error(), config_.cluster));
    co_return;
  }
  const auto fetched = read(*reply);
  if (fetched)
    on_fetched(lease, *fetched, sent);
  else
    on_failed(lease, fetched.error());
}

Result<Source::Fetched, FailedFetch> Source::read(const sdk::HttpReply& reply) const {
  if (reply.status != 200) return failed_status(reply, config_, max_body_);
  if (reply.body_size > max_body_) return FailedFetch{FetchFailure::kTooLarge};
  const auto body = reply.body(max_body_ + 1);
  if (!body) return FailedFetch{FetchFailure::kNoAnswer};
  if (body->size() > max_body_) return FailedFetch{FetchFailure::kTooLarge};
  auto answer = read_answer(body->view(), config_);
  if (!answer) return failed_body(answer.error(), reply, body->view(), config_);
  uint64_t given = answer->lifetime_ms;
  if (given == 0) {
    if (const auto cache_control = reply.headers().get("cache-control"))
      given = read_max_age(cache_control->view()) * 1000;
  }
  return Fetched{*std::move(answer), given != 0 ? given : config_.refresh.every_ms, given != 0};
}

void Source::on_fetched(Lease& lease, const Fetched& fetched, uint64_t sent_ms) {
  const uint64_t now = sdk::steady_ms();
  uint64_t lifetime = fetched.lifetime_ms;
  // It may have begun as early as the call was sent (RFC 9111 section 4.2.3 counts so, too).
  if (fetched.lifetime_given && now > sent_ms) lifetime -= std::min(now - sent_ms, lifetime / 2);
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
  if (!lease.publish(fetched.answer.pairs.view(), now, now + lifetime, now + wait)) return;
  adopt(now);
  const auto level = version_ == 1 || failing_ ? sdk::LogLevel::kInfo : sdk::LogLevel::kDebug;
  sdk::log(level, "source ", config_.name, ": ", uint64_t{headers_.size()}, " headers fetched, the next fetch is in ",
           wait, " ms");
  failing_ = false;
}

void Source::on_failed(Lease& lease, const FailedFetch& failed) {
  const auto reason = static_cast<size_t>(failed.reason);
  entry_.load();
  metrics_.fetch_failed[reason].increment();
  // As the service says, if that is later; never later than retries come at all, so that no answer can stop them.
  const uint64_t told = std::min(failed.retry_after_ms, config_.refresh.retry_max_ms);
  const uint64_t wait = std::max(retry_delay_ms(entry_.state().failures), told);
  sdk::Line line;
  line.add("source ").add(config_.name).add(": fetch failed: ");
  line.add(kFetchFailures[reason].log).add(failed.detail.view());
  line.add(usable_ ? "; the last good headers stay in use" : "; there are no usable headers");
  sdk::log(sdk::LogLevel::kWarn, line.add("; the next try is in ").add(wait).add(" ms").view());
  failing_ = true;
  (void)lease.fail(sdk::steady_ms() + wait);
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

void Source::invalidate(uint32_t generation) {
  if (generation < generation_ || fetching_) return;
  entry_.load();
  const uint64_t now = sdk::steady_ms();
  EntryState state = entry_.state();
  // No sooner after the last fetch than a first retry could come.
  const uint64_t at = std::max(now, state.fetched_at_ms + config_.refresh.retry_initial_ms);
  // After a failure, the retry schedule rules; what is due by then needs no second reason.
  if (state.failures != 0 || state.due_at_ms <= at || state.version != version_) return;
  state.due_at_ms = at;
  if (!entry_.store(state, entry_.pairs())) return;
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
bool Source::is_due(uint64_t now_ms) const {
  const EntryState& state = entry_.state();
  if (now_ms >= state.due_at_ms || state.fetched_at_ms > now_ms + kClockToleranceMs) return true;
  return state.failures != 0 && state.due_at_ms > now_ms + config_.refresh.retry_max_ms;
}

// usable_until_ms: when the headers that there are become too old.
uint64_t Source::usable_until_ms() const {
  const uint64_t expires = entry_.state().expires_at_ms;
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

uint64_t Source::retry_delay_ms(uint32_t failures) {
  uint64_t bound = config_.refresh.retry_initial_ms;
  for (; failures != 0 && bound < config_.refresh.retry_max_ms; --failures) bound *= 2;
  if (bound > config_.refresh.retry_max_ms) bound = config_.refresh.retry_max_ms;
  const uint64_t delay = random(bound + 1);
  return delay < kMinRetryMs ? kMinRetryMs : delay;
}

// random: from 0 to below `bound`, which is not 0 (xorshift64*; spreads load, keeps no secret).
uint64_t Source::random(uint64_t bound) {
  if (random_state_ == 0) random_state_ = (sdk::steady_ns() ^ reinterpret_cast<uintptr_t>(this)) | 1;
  random_state_ ^= random_state_ >> 12;
  random_state_ ^= random_state_ << 25;
  random_state_ ^= random_state_ >> 27;
  return random_state_ * 0x2545f4914f6cdd1d % bound;
}

}  // namespace inlay::header_augmenting
