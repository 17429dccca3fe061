// SPDX-License-Identifier: Apache-2.0
#include "filters/header_augmenting/source.h"

#include <array>
#include <string>
#include <utility>

#include "sdk/clock.h"
#include "sdk/log.h"

namespace inlay::header_augmenting {
namespace {

// Nothing is fetched while the host configures: it may do that on trial only.
constexpr sdk::Duration kStart{5};
constexpr sdk::Duration kEagerLook{50};  // while there are no headers yet
constexpr sdk::Duration kLook{250};
constexpr uint64_t kClockToleranceMs = 1000;
constexpr uint64_t kLeaseMarginMs = 1000;
constexpr uint64_t kMinRetryMs = 25;

// entry_key: the same for sources that would fetch the same, whichever plugin instance has them; a digest (FNV-1a), so
// that no part of a configuration shows in it.
std::string entry_key(const SourceConfig& config, size_t max_body) {
  uint64_t digest = 0xcbf29ce484222325;
  const auto mix = [&digest](std::string_view bytes) {
    for (const char c : bytes) digest = (digest ^ static_cast<unsigned char>(c)) * 0x100000001b3;
    digest = (digest ^ bytes.size()) * 0x100000001b3;
  };
  for (const std::string_view text :
       {std::string_view(config.cluster), std::string_view(config.authority), std::string_view(config.path)}) {
    mix(text);
  }
  for (const uint64_t number : {config.timeout_ms, config.every_ms, uint64_t{max_body}}) {
    char bytes[8];
    for (size_t i = 0; i < 8; ++i) bytes[i] = static_cast<char>(number >> (8 * i) & 0xff);
    mix({bytes, sizeof bytes});
  }
  std::string key = "inlay.header_augmenting.1.";
  for (int shift = 60; shift >= 0; shift -= 4) key.push_back("0123456789abcdef"[digest >> shift & 15]);
  return key;
}

}  // namespace

Source::Source(const SourceConfig& config, size_t max_body, sdk::RootContext& root, RequestMetrics& requests)
    : config_(config), max_body_(max_body), root_(root), requests_(requests), entry_(entry_key(config, max_body)) {
  metrics_.define(config.name);
}

sdk::Task<> Source::run() {
  co_await root_.sleep(kStart);
  for (;;) {
    const uint64_t now = sdk::now_ms();
    entry_.load();
    adopt(now);
    report(now);
    requests_.flush();
    if (is_due(now) && Lease::is_free(entry_, now, lease_length_ms())) {
      Lease lease = Lease::take(entry_, now, lease_length_ms());
      if (lease.held()) {
        co_await fetch(std::move(lease));
        continue;
      }
    }
    co_await root_.sleep(next_look(now));
  }
}

sdk::Task<> Source::fetch(Lease lease) {
  const std::array<sdk::Pair, 4> headers = {
      {{":method", "GET"}, {":path", config_.path}, {":authority", config_.authority}, {"accept", "application/json"}}};
  const sdk::HttpRequest request{.cluster = config_.cluster, .headers = headers};
  const auto reply = co_await root_.http_call(request, sdk::Duration(config_.timeout_ms));
  if (!reply) {
    const bool answered = reply.error() == sdk::Status::kBrokenConnection;
    on_failed(lease, {answered ? FetchFailure::kNoAnswer : FetchFailure::kNotSent});
    co_return;
  }
  const auto fetched = read(*reply);
  if (fetched)
    on_fetched(lease, *fetched);
  else
    on_failed(lease, fetched.error());
}

Result<Source::Fetched, Source::Failed> Source::read(const sdk::HttpReply& reply) const {
  if (reply.status != 200) return Failed{FetchFailure::kStatus, reply.status};
  if (reply.body_size > max_body_) return Failed{FetchFailure::kTooLarge};
  const auto body = reply.body(max_body_ + 1);
  if (!body) return Failed{FetchFailure::kNoAnswer};
  if (body->size() > max_body_) return Failed{FetchFailure::kTooLarge};
  auto answer = read_headers_answer(body->view(), config_.name);
  if (!answer) return Failed{answer.error()};
  Fetched fetched{.answer = *std::move(answer), .lifetime_ms = config_.every_ms};
  if (const auto cache_control = reply.headers().get("cache-control")) {
    if (const auto max_age = read_max_age(cache_control->view())) {
      fetched.lifetime_ms = *max_age * 1000;
      fetched.lifetime_given = true;
    }
  }
  return fetched;
}

void Source::on_fetched(Lease& lease, const Fetched& fetched) {
  const uint64_t now = sdk::now_ms();
  const uint64_t lifetime = fetched.lifetime_ms;
  uint64_t wait = lifetime;
  if (fetched.lifetime_given) wait -= lifetime / 100 * config_.early_percent;
  wait -= random(lifetime / 100 * config_.jitter_percent + 1);
  metrics_.fetch_ok.increment();
  metrics_.refused_header.increment(fetched.answer.refused);
  if (!lease.publish(fetched.answer.pairs.view(), now, now + lifetime, now + wait)) return;
  adopt(now);
  const auto level = version_ == 1 || failing_ ? sdk::LogLevel::kInfo : sdk::LogLevel::kDebug;
  sdk::log(level, "source ", config_.name, ": ", uint64_t{headers_.size()}, " headers fetched, the next fetch is in ",
           wait, " ms");
  failing_ = false;
}

void Source::on_failed(Lease& lease, const Failed& failed) {
  const auto reason = static_cast<size_t>(failed.reason);
  metrics_.fetch_failed[reason].increment();
  const uint64_t wait = retry_delay_ms(entry_.state().failures);
  sdk::Line line;
  line.add("source ").add(config_.name).add(": fetch failed: ").add(kFetchFailures[reason].log);
  if (failed.reason == FetchFailure::kStatus) line.add(failed.status);
  line.add(has_headers_ ? "; the last good headers stay in use" : "; there are no headers yet");
  sdk::log(sdk::LogLevel::kWarn, line.add("; the next try is in ").add(wait).add(" ms").view());
  failing_ = true;
  (void)lease.fail(sdk::now_ms() + wait);
}

// adopt: takes over the headers of the entry if they are new, and notes whether they have expired.
void Source::adopt(uint64_t now_ms) {
  const EntryState& state = entry_.state();
  if (state.version != version_ && state.version != 0 && headers_.assign(entry_.pairs())) {
    version_ = state.version;
    has_headers_ = true;
  }
  stale_ = has_headers_ && state.version != 0 && now_ms >= state.expires_at_ms;
}

// report: the gauges, once a second.
void Source::report(uint64_t now_ms) {
  if (!has_headers_ || now_ms / 1000 == reported_s_) return;
  reported_s_ = now_ms / 1000;
  const EntryState& state = entry_.state();
  metrics_.age_s.set(now_ms > state.fetched_at_ms ? (now_ms - state.fetched_at_ms) / 1000 : 0);
  metrics_.expires_in_s.set(state.expires_at_ms > now_ms ? (state.expires_at_ms - now_ms) / 1000 : 0);
}

// is_due: whether somebody should fetch. Times in the future that cannot be, come from a clock that was set back.
bool Source::is_due(uint64_t now_ms) const {
  const EntryState& state = entry_.state();
  if (now_ms >= state.due_at_ms || state.fetched_at_ms > now_ms + kClockToleranceMs) return true;
  return state.failures != 0 && state.due_at_ms > now_ms + config_.retry_max_ms;
}

// next_look: how long until this worker looks at the entry again.
sdk::Duration Source::next_look(uint64_t now_ms) const {
  const sdk::Duration look = has_headers_ ? kLook : kEagerLook;
  const uint64_t due = entry_.state().due_at_ms;
  if (due <= now_ms || due - now_ms >= static_cast<uint64_t>(look.count())) return look;
  return sdk::Duration(due - now_ms);
}

// lease_length_ms: longer than any call takes, and so short that a takeover, which comes with the first look after it,
// falls within two of them.
uint64_t Source::lease_length_ms() const {
  return config_.timeout_ms + kLeaseMarginMs;
}

uint64_t Source::retry_delay_ms(uint32_t failures) {
  uint64_t bound = config_.retry_initial_ms;
  for (; failures != 0 && bound < config_.retry_max_ms; --failures) bound *= 2;
  if (bound > config_.retry_max_ms) bound = config_.retry_max_ms;
  const uint64_t delay = random(bound + 1);
  return delay < kMinRetryMs ? kMinRetryMs : delay;
}

// random: from 0 to below `bound`, which is not 0 (xorshift64*; spreads load, keeps no secret).
uint64_t Source::random(uint64_t bound) {
  if (random_state_ == 0) random_state_ = (sdk::now_ns() ^ reinterpret_cast<uintptr_t>(this)) | 1;
  random_state_ ^= random_state_ >> 12;
  random_state_ ^= random_state_ << 25;
  random_state_ ^= random_state_ >> 27;
  return random_state_ * 0x2545f4914f6cdd1d % bound;
}

}  // namespace inlay::header_augmenting
