// SPDX-License-Identifier: Apache-2.0
#pragma once

// What an embedder without an event loop runs guests with: the machine's clocks, a log of lines, no services, and one
// request with its response. host/embedder.h says what each has to do. docs/guide/out_of_tree.md has a whole program.
//
//     stats::MetricStore metrics;
//     SystemClock clock;
//     LineLog log(std::cerr);
//     Host host({.metrics = &metrics, .clock = &clock, .log = &log});
//     NoServices services;
//     Worker worker(host, services);  // then Worker::attach(), once for each plugin
//     for (const char* path : {"/", "/orders"}) {
//       StandaloneRequest request;
//       request.request_headers.add(":method", "GET");
//       request.request_headers.add(":path", path);
//       // ... HttpContext's callbacks with it, as in host/host.h
//       services.run_posted();
//     }

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

// LineLog writes "[level][component] message" lines to a stream, which outlives it, and flushes each. Any thread; a
// lock keeps lines whole. What the stream cannot take is lost.
class LineLog final : public Log {
 public:
  // `level`: the lowest that is written.
  explicit LineLog(std::ostream& out, abi::LogLevel level = abi::LogLevel::kInfo) : out_(out), level_(level) {}

  abi::LogLevel level(std::string_view component) const override;
  void write(abi::LogLevel level, std::string_view component, std::string_view message) override;

 private:
  std::mutex mutex_;
  std::ostream& out_;
  const abi::LogLevel level_;
};

// NoServices has no clusters, so that call-outs fail (a guest gets kBadArgument); its timers never fire, so that
// kFailReload never reloads and there are no ticks; roots have no attributes. What is posted waits for run_posted().
// Outlives the workers that it serves, which are all of one thread.
class NoServices final : public WorkerServices, private Upstreams {
 public:
  // Runs what was posted until nothing is left: items of queues for guests, the failure policy of streams whose VM has
  // trapped, VMs that are done with. On the worker's thread, outside of any callback. An embedder calls it between
  // requests; without it all of that is kept.
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
// calls the HttpContext, and looks at what the guest did. It has no attributes but those that the guest has set. For
// more, derive from it. Not thread-safe; lives until HttpContext::destroy().
class StandaloneRequest : public HttpStream {
 public:
  // For the embedder to fill in, and for the guest to read and edit: the request's until there is a response.
  http::HeaderMap request_headers;
  std::optional<http::HeaderMap> response_headers;  // none until there is a response

  // What the guest did. A local reply counts once, and not where there is a response: that is reset in its place.
  std::optional<LocalReply> local_reply;
  std::optional<std::string> reset_details;         // why it was reset, the first time
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
