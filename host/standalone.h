// SPDX-License-Identifier: Apache-2.0
#pragma once

// What an embedder without an event loop runs guests with: the machine's clocks, a log of lines, no services, and one
// request with its response. host/embedder.h says what each has to do.
//
//     MetricStore metrics;
//     SystemClock clock;
//     LineLog log(std::cerr);
//     Host host({.metrics = &metrics, .clock = &clock, .log = &log});
//     NoServices services;
//     Worker worker(host, services);
//     StandaloneRequest request;
//     request.request_headers.add(":path", "/");

#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "host/embedder.h"

namespace inlay::host {

// SystemClock: the machine's. Any thread.
class SystemClock final : public Clock {
 public:
  int64_t system_time() const override { return nanoseconds<std::chrono::system_clock>(); }
  int64_t monotonic_time() const override { return nanoseconds<std::chrono::steady_clock>(); }

 private:
  template <class C>
  static int64_t nanoseconds() {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(C::now().time_since_epoch()).count();
  }
};

// LineLog writes "[level][component] message" lines to a stream, which outlives it. Any thread.
class LineLog final : public Log {
 public:
  explicit LineLog(std::ostream& out, abi::LogLevel level = abi::LogLevel::kInfo) : out_(out), level_(level) {}

  abi::LogLevel level(std::string_view component) const override;
  void write(abi::LogLevel level, std::string_view component, std::string_view message) override;

 private:
  std::mutex mutex_;
  std::ostream& out_;
  const abi::LogLevel level_;
};

// NoServices has no clusters, so that call-outs fail with kNotFound; its timers never fire; roots have no attributes.
// What is posted waits for run_posted(). Outlives the workers that it serves.
class NoServices final : public WorkerServices, private Upstreams {
 public:
  // Runs what was posted until nothing is left: guests' queues, VMs that have trapped. On the worker's thread, outside
  // of any callback; an embedder calls it between requests.
  void run_posted();

  Upstreams& upstreams() override { return *this; }
  std::unique_ptr<Timer> create_timer(std::function<void()> on_fire) override;
  void post(std::function<void()> task) override;
  abi::Status get_property(const std::vector<std::string_view>& path, std::string& value) override;

 private:
  Result<uint64_t> start_http_call(HttpCallRequest request, HttpCallHandler& handler) override;
  void cancel_http_call(uint64_t) override {}

  std::mutex mutex_;
  std::vector<std::function<void()>> posted_;
};

// StandaloneRequest is a request and its response, without bodies and trailers: the embedder fills in the headers,
// calls the HttpContext, and looks at what the guest did. It knows no attributes but those that the guest has set. For
// more, derive from it.
class StandaloneRequest : public HttpStream {
 public:
  http::HeaderMap request_headers;
  std::optional<http::HeaderMap> response_headers;  // none until there is a response

  // What the guest did.
  std::optional<LocalReply> local_reply;            // the first; a response that had begun is reset in its place
  std::optional<std::string> reset_details;         // why it was reset
  std::map<std::string, std::string> filter_state;  // by path, without its "wasm."

  http::HeaderMap* headers(abi::MapType type, bool writable) override;
  Buffer* body(abi::BufferType) override { return nullptr; }
  void continue_stream(Direction) override {}
  void send_local_reply(LocalReply reply) override;
  void reset(std::string_view details) override;
  bool response_begun() const override { return response_headers.has_value(); }
  void clear_route_cache() override {}
  abi::Status get_property(const std::vector<std::string_view>& path, std::string& value) override;
  abi::Status set_property(std::string_view path, std::string_view value, const PropertyTraits& traits) override;

 private:
  std::map<std::string, PropertyTraits> traits_;  // of filter_state, as first set
};

}  // namespace inlay::host
