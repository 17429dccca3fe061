// SPDX-License-Identifier: Apache-2.0
#include "proxy/plugins/remote_code.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "config/redact.h"
#include "engine/sha256.h"
#include "upstream/back_off.h"

namespace inlay::proxy::plugins {

using std::chrono::milliseconds;

namespace {

constexpr size_t kQuotedBytes = 200;  // of what the server says

Error failed(std::string what) {
  return Error{ErrorCode::kUnavailable, std::move(what), ""};
}

// The module in the answer to one try.
Result<std::string> module_in(const config::RemoteCode& code, host::HttpCallResponse response) {
  if (response.reset) {
    return failed("the answer broke off, took longer than " + std::to_string(code.timeout.count()) +
                  " ms or is larger than " + std::to_string(config::kLargestModule >> 20) + " MiB");
  }
  const std::string status(response.headers.value(http::HeaderId::kStatus));
  if (const auto location = response.headers.get("location"); location && status.starts_with('3')) {
    return failed("status " + status + ": redirects are not followed; write the URI that it leads to, " +
                  config::without_secrets(location->substr(0, kQuotedBytes)));
  }
  if (status != "200") {
    std::string body(std::min(response.body.size(), kQuotedBytes), '\0');
    response.body.copy_out(0, body.size(), body.data());
    std::replace_if(
        body.begin(), body.end(), [](char c) { return c < ' ' || c > '~'; }, ' ');
    return failed("status " + status + (body.empty() ? "" : ": " + body));
  }
  std::string bytes(response.body.size(), '\0');
  response.body.copy_out(0, bytes.size(), bytes.data());
  const std::string found = engine::sha256(bytes);
  if (found != code.sha256) {
    return failed("the module's sha256 is " + found + ", but " + code.sha256 + " is expected");
  }
  return bytes;
}

}  // namespace

// One fetch with its retries.
class RemoteCode::Fetch final : private host::HttpCallHandler {
 public:
  Fetch(RemoteCode& owner, const config::RemoteCode& code)
      : owner_(owner), code_(code), timer_(owner.options_.loop, [this] { begin_try(); }) {
    timer_.arm(milliseconds(0));  // not from inside of fetch()
  }
  ~Fetch() override {
    if (call_ != 0) owner_.options_.upstreams.cancel_http_call(call_);
  }
  void add(Done done) { waiting_.push_back(std::move(done)); }
  std::vector<Done> take_waiting() { return std::move(waiting_); }
  const config::RemoteCode& code() const { return code_; }

 private:
  void begin_try() {
    host::HttpCallRequest request;
    request.cluster = code_.cluster;
    request.headers.add(":method", "GET");
    request.headers.add(":path", code_.path);
    request.headers.add(":authority", code_.host);
    request.timeout = code_.timeout;
    auto started = owner_.options_.upstreams.start_http_call(std::move(request), *this);
    if (started)
      call_ = *started;
    else
      end_try(started.error());
  }

  void on_http_call_response(uint64_t, host::HttpCallResponse response) override {
    call_ = 0;
    end_try(module_in(code_, std::move(response)));
  }

  void end_try(Result<std::string> module) {
    if (module || tries_ == code_.num_retries) return owner_.finished(code_.sha256, std::move(module));
    // Anywhere up to the back-off, as in Envoy: many proxies must not come back at the same moment.
    const int64_t limit = upstream::longest_back_off(code_.back_off_base, code_.back_off_max, tries_).count();
    const milliseconds wait(std::uniform_int_distribution<int64_t>(0, limit)(owner_.random_));
    ++tries_;
    owner_.options_.log.info("wasm", "fetching " + code_.uri + " failed: " + module.error().message + "; retry " +
                                         std::to_string(tries_) + " of " + std::to_string(code_.num_retries) + " in " +
                                         std::to_string(wait.count()) + " ms");
    timer_.arm(wait);
  }

  RemoteCode& owner_;
  const config::RemoteCode code_;
  net::Timer timer_;
  std::vector<Done> waiting_;
  uint64_t call_ = 0;
  uint32_t tries_ = 0;  // retries so far
};

RemoteCode::RemoteCode(Options options)
    : options_(options), random_(std::random_device{}()), alive_(std::make_shared<bool>(true)) {
  const auto counter = [&](const std::string& name) {
    return stats::Counter(options_.metrics.define(abi::MetricType::kCounter, "wasm.remote_load_" + name));
  };
  hits_ = counter("cache_hits");
  negative_hits_ = counter("cache_negative_hits");
  misses_ = counter("cache_misses");
  successes_ = counter("fetch_successes");
  failures_ = counter("fetch_failures");
  entry_count_ = stats::Gauge(options_.metrics.define(abi::MetricType::kGauge, "wasm.remote_load_cache_entries"));
}

RemoteCode::~RemoteCode() {
  *alive_ = false;
}

Code RemoteCode::find(const config::RemoteCode& code) {
  const auto known = entries_.find(code.sha256);
  Code found = known != entries_.end() ? known->second.code : nullptr;
  if (!found && (found = options_.cache.find(code.sha256))) {
    entries_[code.sha256].code = found;
    count_entries();
  }
  if (found) hits_.add();
  return found;
}

void RemoteCode::fetch(const config::RemoteCode& code, Done done) {
  if (Code found = find(code)) return answer_later(std::move(done), std::move(found));
  Entry& entry = entries_[code.sha256];
  count_entries();
  const auto since = std::chrono::nanoseconds(options_.loop.now() - entry.failed_at);
  if (entry.failed_at != 0 && since < kForgetFailure) {
    negative_hits_.add();
    return answer_later(std::move(done), entry.failure);
  }
  misses_.add();
  if (!entry.fetch) {
    options_.log.info("wasm", "fetching " + code.uri + " from cluster '" + code.cluster + "'");
    entry.fetch = std::make_unique<Fetch>(*this, code);
  }
  entry.fetch->add(std::move(done));
}

void RemoteCode::answer_later(Done done, Result<Code> answer) {
  options_.loop.post([alive = alive_, done = std::move(done), answer = std::move(answer)] {
    if (*alive) done(answer);
  });
}

void RemoteCode::finished(const std::string& sha256, Result<std::string> module) {
  Entry& entry = entries_[sha256];
  Result<Code> answer = Code();
  if (module) {
    successes_.add();
    options_.log.info("wasm", "fetched " + entry.fetch->code().uri + ", " + std::to_string(module->size()) + " bytes");
    if (auto kept = options_.cache.store(sha256, *module); !kept)
      options_.log.warn("wasm", "a later start will fetch it again: " + kept.error().to_string());
    entry.code = std::make_shared<const std::vector<uint8_t>>(module->begin(), module->end());
    entry.failed_at = 0;
    answer = entry.code;
  } else {
    failures_.add();
    entry.failure = module.error();
    entry.failed_at = options_.loop.now();
    answer = entry.failure;
  }
  for (Done& done : entry.fetch->take_waiting()) answer_later(std::move(done), answer);
  options_.loop.delete_later(std::move(entry.fetch));  // one of its functions is on the stack
}

void RemoteCode::count_entries() const {
  entry_count_.set(entries_.size());
}

}  // namespace inlay::proxy::plugins
