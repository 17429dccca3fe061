// SPDX-License-Identifier: Apache-2.0
#include "filters/header_augmenting/root.h"

#include <algorithm>
#include <span>
#include <utility>

#include "filters/header_augmenting/features.h"
#include "filters/header_augmenting/texts.h"
#include "sdk/buffer.h"
#include "sdk/clock.h"
#include "sdk/environment.h"
#include "sdk/log.h"

namespace inlay::header_augmenting {
namespace {

// Waiting: a place among those that wait.
struct Waiting {
  explicit Waiting(uint64_t& waiting) : count(waiting) { ++count; }
  ~Waiting() { --count; }
  uint64_t& count;
};

void set(Mode mode, const abi::Pair& header) {
  const sdk::HeaderMap headers = sdk::HttpContext::request_headers();
  if (mode == Mode::kSet)
    (void)headers.set(header.key, header.value);
  else if (mode == Mode::kAppend || !headers.get(header.key))
    (void)headers.add(header.key, header.value);
}

}  // namespace

AugmentingRoot::~AugmentingRoot() {
  metrics_.flush();
  if (has(kExchange)) delete per_request_;
  clear_sources();
}

void AugmentingRoot::clear_sources() {
  for (Source& source : sources_) source.~Source();
  sources_ = {};
}

bool AugmentingRoot::on_configure(size_t) {
  const auto text = sdk::plugin_configuration().read();
  const sdk::Bytes environment = sdk::read_environment();
  auto config = std::make_unique<Config>();
  if (!parse_config(text ? text->view() : std::string_view(), environment.view(), *config)) return false;
  cancel_tasks();  // of an earlier configuration, whose requests are left as they are
  PerRequests* const before = per_request_;
  clear_sources();
  config_ = std::move(config);
  configured_ = ++generation_;
  metrics_.define();
  SourceObserver& observer = *this;
  const size_t count = config_->sources.size();
  auto* const sources = static_cast<Source*>(config_->arena.take(count * sizeof(Source)));
  for (size_t i = 0; i < count; ++i) {
    ::new (sources + i) Source(config_->sources[i], static_cast<size_t>(config_->max_body), *this, observer, metrics_);
  }
  sources_ = {sources, count};
  if (has(kExchange)) per_request_ = new PerRequests(count);
  for (size_t i = 0; i < count; ++i) {
    if (!has(kExchange) || !config_->sources[i].per_request) {
      spawn(sources_[i].run());
      continue;
    }
    (*per_request_)[i] = make_per_request(sources_[i], *config_, *this, metrics_);
    spawn((*per_request_)[i]->run());
  }
  if (has(kHold)) changed_.notify();
  if (has(kExchange)) delete before;
  return true;
}

sdk::HeadersStatus AugmentingRoot::on_request(AugmentingStream& stream) {
  RequestView request;
  const Rule* const rule = find_rule(request);
  if (rule == nullptr || (rule->sources.empty() && rule->remove.empty())) return sdk::HeadersStatus::kContinue;
  stream.rule_ = rule;
  stream.generation_ = generation_;
  remove(*rule);
  if (rule->sources.empty()) return sdk::HeadersStatus::kContinue;
  // The answer to a TRACE is the request, with all that was added.
  if (config_->trace != Presence::kAbsent && request.is_trace()) [[unlikely]] {
    if (rule->mode == Mode::kSet) take_off(sdk::HttpContext::request_headers(), *rule, Off::kOwned);
    return sdk::HeadersStatus::kContinue;
  }
  if (!is_usable(*rule) && !look(*rule)) [[unlikely]]
    return on_missing(stream, *rule);
  return augment(stream, *rule);
}

sdk::HeadersStatus AugmentingRoot::augment(AugmentingStream& stream, const Rule& rule) {
  if (has(kExchange) && rule.per_request != kNoSource)
    return act_on(stream, rule, (*per_request_)[rule.per_request]->look(rule, stream.ticket_));
  inject(stream, rule, {});
  return sdk::HeadersStatus::kContinue;
}

sdk::HeadersStatus AugmentingRoot::act_on(AugmentingStream& stream, const Rule& rule, const PerRequest::Look& look) {
  using Found = PerRequest::Found;
  const bool waits = look.found == Found::kWait;
  if (waits && waiting_count_ < sources_[rule.per_request].config().cache.max_waiting) {
    stream.spawn(wait(stream, rule));
    return sdk::HeadersStatus::kStopAllIterationAndWatermark;
  }
  if (waits || look.found == Found::kAnswer) {
    const Outcome outcome = waits ? Outcome::kUnavailable : look.outcome;
    if (is_for_want(outcome)) metrics_.add(RequestMetrics::kRejected);
    (*per_request_)[rule.per_request]->reply(stream, rule, outcome);
    return sdk::HeadersStatus::kStopIteration;
  }
  if (look.found == Found::kWithout) {
    if (rule.mode == Mode::kSet) take_off(sdk::HttpContext::request_headers(), rule, Off::kOwned);
    if (rule.sources.size() == 1) return sdk::HeadersStatus::kContinue;
  }
  inject(stream, rule, look.pairs);
  return sdk::HeadersStatus::kContinue;
}

void AugmentingRoot::on_trailers(const AugmentingStream& stream) {
  if (stream.rule_ == nullptr || stream.generation_ < configured_) return;
  const Rule& rule = *stream.rule_;
  take_off(sdk::HttpContext::request_trailers(), rule, rule.mode == Mode::kAppend ? Off::kRemoved : Off::kOwned);
}

// remove: takes off what the rule says. A name without an alias costs no look at the request.
void AugmentingRoot::remove(const Rule& rule) const {
  bool aliases = false;
  for (const std::string_view name : rule.remove) {
    if (has_aliases(name))
      aliases = true;
    else
      (void)sdk::HttpContext::request_headers().remove(name);
  }
  if (aliases) take_off(sdk::HttpContext::request_headers(), rule, Off::kRemoved);
}

const Rule* AugmentingRoot::find_rule(RequestView& request) const {
  for (const Rule& rule : config_->rules) {
    if (matches(rule.match, request)) return &rule;
  }
  return nullptr;
}

bool AugmentingRoot::is_usable(const Rule& rule) const {
  for (const uint32_t source : rule.sources) {
    if (!sources_[source].usable()) return false;
  }
  return true;
}

bool AugmentingRoot::look(const Rule& rule) {
  bool usable = true;
  for (const uint32_t source : rule.sources) {
    if (!sources_[source].usable()) usable = sources_[source].look_for_request() && usable;
  }
  return usable;
}

void AugmentingRoot::inject(AugmentingStream& stream, const Rule& rule, std::string_view pairs) {
  if (rule.mode != Mode::kAppend) {
    bool more = false;
    for (const uint32_t source : rule.sources) {
      const HeaderSet& headers = sources_[source].headers();
      for (const std::string_view alias : headers.aliases()) (void)sdk::HttpContext::request_headers().remove(alias);
      more = more || headers.has_more_aliases();
    }
    if (more) [[unlikely]]
      take_off(sdk::HttpContext::request_headers(), rule, Off::kAliases);
  }
  bool stale = false;
  for (const uint32_t source : rule.sources) {
    if (has(kExchange) && source == rule.per_request) continue;
    for (const abi::Pair& header : sources_[source].headers()) set(rule.mode, header);
    stale = stale || sources_[source].stale();
  }
  if (has(kExchange)) {
    if (auto reader = abi::PairsReader::open(pairs)) {
      for (abi::Pair header; reader->next(header);) set(rule.mode, header);
    }
  }
  stream.given_ = true;
  stream.generation_ = generation_;
  metrics_.add(RequestMetrics::kInjected);
  if (stale) [[unlikely]]
    metrics_.add(RequestMetrics::kStaleUsed);
}

sdk::HeadersStatus AugmentingRoot::on_missing(AugmentingStream& stream, const Rule& rule) {
  const WhenMissing& missing = config_->when_missing;
  if (missing.action == WhenMissing::Action::kPass) {
    metrics_.add(RequestMetrics::kPassedWithout);
    if (rule.mode == Mode::kSet) take_off(sdk::HttpContext::request_headers(), rule, Off::kOwned);
    return sdk::HeadersStatus::kContinue;
  }
  if (has(kHold) && missing.action == WhenMissing::Action::kHold && held_count_ < missing.max_held) {
    metrics_.add(RequestMetrics::kHeld);
    stream.generation_ = generation_;
    stream.spawn(hold(stream, rule));
    return sdk::HeadersStatus::kStopAllIterationAndWatermark;
  }
  reject(stream);
  return sdk::HeadersStatus::kStopIteration;
}

void AugmentingRoot::take_off(sdk::HeaderMap map, const Rule& rule, Off off) const {
  const auto pairs = map.pairs();
  if (!pairs) return;
  abi::PairsReader reader = pairs->reader();
  for (abi::Pair pair; reader.next(pair);) {
    if (is_off(rule, pair.key, off)) (void)map.remove(pair.key);
  }
}

bool AugmentingRoot::is_off(const Rule& rule, std::string_view name, Off off) const {
  for (const std::string_view removed : rule.remove) {
    if (is_same(name, removed) || is_alias(removed, name)) return true;
  }
  if (off == Off::kRemoved) return false;
  const auto is_owned = [&](std::string_view owned) {
    return is_alias(owned, name) || (off == Off::kOwned && is_same(owned, name));
  };
  for (const uint32_t source : rule.sources) {
    for (const abi::Pair& header : sources_[source].headers()) {
      if (is_owned(header.key)) return true;
    }
    for (const abi::Pair& header : sources_[source].config().headers) {
      if (is_owned(header.key)) return true;
    }
  }
  return false;
}

void AugmentingRoot::reject(AugmentingStream& stream) {
  const WhenMissing& missing = config_->when_missing;
  metrics_.add(RequestMetrics::kRejected);
  std::string_view body = missing.body;
  // The body becomes the message of a gRPC status, which is one line.
  const auto type = sdk::HttpContext::request_headers().get("content-type");
  if (type && type->view().starts_with("application/grpc")) {
    size_t size = 0;
    while (size < body.size() && body[size] != '\r' && body[size] != '\n') ++size;
    body = body.substr(0, size);
  }
  const sdk::Pair retry_after[] = {{"retry-after", missing.retry_after}};
  const sdk::LocalReply reply{
      .status = static_cast<uint32_t>(missing.status), .body = body, .details = "header_augmenting_no_headers_yet"};
  stream.reply(reply, std::span(retry_after, missing.retry_after.empty() ? 0 : 1));
}

uint32_t AugmentingRoot::on_new_headers() {
  const uint32_t generation = ++generation_;
  if (has(kHold)) changed_.notify();
  return generation;
}

// hold: ends with the stream.
sdk::Task<> AugmentingRoot::hold(AugmentingStream& stream, const Rule& rule) {
  const Waiting place(held_count_);
  const uint64_t until_ms = sdk::steady_ms() + config_->when_missing.hold_for_ms;
  uint64_t left_ms = config_->when_missing.hold_for_ms;
  while (co_await changed_.wait(sdk::Duration(left_ms))) {
    if (stream.generation_ < configured_) break;  // its rule is no more
    if (is_usable(rule)) {
      if (augment(stream, rule) == sdk::HeadersStatus::kContinue) stream.resume_request();
      co_return;
    }
    const uint64_t now_ms = sdk::steady_ms();
    if (now_ms >= until_ms) break;
    // A deadline further away than any can be comes from a clock that was set back.
    left_ms = std::min(until_ms - now_ms, left_ms);
  }
  reject(stream);
}

// wait: ends with the stream.
sdk::Task<> AugmentingRoot::wait(AugmentingStream& stream, const Rule& rule) {
  const Waiting place(waiting_count_);
  PerRequest& source = *(*per_request_)[rule.per_request];
  sdk::Event* const event = source.event(stream.ticket_);
  if (event != nullptr) (void)co_await event->wait(source.patience());
  if (stream.generation_ < configured_) co_return reject(stream);  // its rule is no more
  if (act_on(stream, rule, source.look_again(rule, stream.ticket_)) == sdk::HeadersStatus::kContinue)
    stream.resume_request();
}

void AugmentingRoot::on_queue(uint32_t queue) {
  if (per_request_ == nullptr) return;
  for (const auto& source : *per_request_) {
    if (source != nullptr) source->on_queue_ready(queue);
  }
}

void AugmentingRoot::on_response(AugmentingStream& stream) {
  if (stream.generation_ < configured_) return;
  uint32_t status = 0;
  for (const uint32_t index : stream.rule_->sources) {
    Source& source = sources_[index];
    for (const uint64_t one : source.config().invalidate_on) {
      if (status == 0) status = stream.response_headers().status();
      if (one != status) continue;
      if (has(kExchange) && (*per_request_)[index] != nullptr)
        (*per_request_)[index]->drop(stream.ticket_);
      else
        source.invalidate(stream.generation_);
    }
  }
}

}  // namespace inlay::header_augmenting
