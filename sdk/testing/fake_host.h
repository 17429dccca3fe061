// SPDX-License-Identifier: Apache-2.0
#pragma once

// A proxy-wasm host for native tests: FakeHost is the process (virtual time, shared data, services, logs, metrics),
// FakeWorker one of its VMs. The filter's own code runs in it, linked natively, with no WebAssembly between. Everything
// happens in advance() and in the calls on a worker; nothing sleeps. One FakeHost at a time; not thread-safe.
//
//     FakeHost host;
//     host.services["sidecar"] = [](const FakeCall&) { return FakeReply{.body = R"({"x-key":"1"})"}; };
//     FakeWorker& worker = host.add_worker();
//     ContextId root = worker.start("my_root_id", configuration);
//     host.advance(1s);
//     FakeStream stream = worker.request(root, {{":path", "/"}});
//     EXPECT_EQ(stream.header("x-key"), "1");
//
// It does as Envoy does where the ABI leaves a choice: the compare-and-swap value of an absent key is not looked at, an
// unknown cluster is kBadArgument, a tick comes again and again in its period.

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "abi/pairs.h"
#include "sdk/detail/vm.h"
#include "sdk/host_functions.h"

namespace inlay::sdk::testing {

using abi::LogLevel;
using abi::MapType;
using Headers = std::vector<std::pair<std::string, std::string>>;

// FakeCall: an HTTP call that the filter has sent.
struct FakeCall {
  std::string cluster;
  Headers headers;
  std::string body;
  uint64_t at_ms = 0;

  std::string header(std::string_view name) const {
    for (const auto& [key, value] : headers) {
      if (key == name) return value;
    }
    return {};
  }
};

// FakeReply: what a service does with a call.
struct FakeReply {
  uint32_t status = 200;
  std::string body = {};
  Headers headers = {};
  uint64_t delay_ms = 0;
  bool refuse = false;  // the call cannot be sent: kInternalFailure
  bool reset = false;   // no answer: the callback comes with 0 headers
  bool silent = false;  // no answer and no callback, ever
};

using FakeService = std::function<FakeReply(const FakeCall&)>;

// FakeForeign: a foreign function, from its argument to its result or the status that it refuses with.
using FakeForeign = std::function<Result<std::string>(std::string_view argument)>;

struct FakeLog {
  LogLevel level;
  std::string text;
};

// FakeStream: what has become of a request.
struct FakeStream {
  abi::ContextId id = 0;
  HeadersStatus status = HeadersStatus::kContinue;
  Headers headers;            // as the filter left them
  uint32_t reply_status = 0;  // of a local reply; 0: none
  std::string reply_body;
  std::string reply_details;
  Headers reply_headers;
  Headers response = {};   // what respond was given, as the filter left it
  uint64_t continued = 0;  // which continue_stream of the host's it was that let the request go on; 0: none
  size_t host_calls = 0;   // calls into the host in the last callback

  std::string header(std::string_view name) const {
    std::string all;
    for (const auto& [key, value] : headers) {
      if (key == name) all += (all.empty() ? "" : ",") + value;
    }
    return all;
  }
};

class FakeHost;

class FakeWorker {
 public:
  explicit FakeWorker(FakeHost& host) : host_(host) {}
  ~FakeWorker() { kill(); }
  FakeWorker(const FakeWorker&) = delete;
  FakeWorker& operator=(const FakeWorker&) = delete;

  // start: creates and configures a root context. 0 if the filter refused the configuration.
  abi::ContextId start(std::string_view root_id, std::string_view configuration);
  // configure: gives a root context another configuration; false if the filter refused it.
  bool configure(abi::ContextId root, std::string_view configuration);
  // request: a stream context, whose request headers the filter sees.
  FakeStream request(abi::ContextId root, Headers headers);
  // open: the same, but the stream stays, until close. respond: the response headers of such a stream.
  FakeStream& open(abi::ContextId root, Headers headers);
  HeadersStatus respond(FakeStream& stream, Headers headers);
  void close(FakeStream& stream);
  // stop: deletes a root context as a host does that shuts down. kill: the VM is gone, and nothing is told.
  void stop(abi::ContextId root);
  void kill();

  // root_id: that of the root context under construction.
  std::string_view root_id() { return roots_[effective_].root_id; }

 private:
  friend class FakeHost;
  friend struct FakeHostFunctions;
  struct Root {
    std::string root_id;
    std::string configuration;
    uint64_t period_ms = 0;
    uint64_t tick_at_ms = 0;
  };
  struct Pending {
    abi::ContextId root;
    uint64_t at_ms;
    FakeReply reply;
  };
  template <class F>
  auto enter(abi::ContextId context, F&& call);
  FakeStream* stream() {
    const auto at = streams_.find(effective_);
    return at == streams_.end() ? nullptr : at->second.get();
  }
  void tick(abi::ContextId root);
  void answer(uint32_t call_id);

  FakeHost& host_;
  detail::Vm vm_;
  std::map<abi::ContextId, Root> roots_;
  std::map<uint32_t, Pending> pending_;
  abi::ContextId next_context_ = 1;
  abi::ContextId effective_ = 0;
  std::map<abi::ContextId, std::unique_ptr<FakeStream>> streams_;
  const FakeReply* reply_ = nullptr;  // within the callback
  Headers reply_headers_;
  bool configuring_ = false;
};

class FakeHost {
 public:
  FakeHost() { current_host() = this; }
  ~FakeHost() {
    workers_.clear();
    current_host() = nullptr;
  }
  FakeHost(const FakeHost&) = delete;
  FakeHost& operator=(const FakeHost&) = delete;

  std::map<std::string, FakeService> services;           // by cluster
  std::map<std::string, FakeForeign> foreign_functions;  // by name; any other is kNotFound
  std::vector<FakeCall> calls;
  std::vector<FakeLog> logs;
  std::map<std::string, int64_t> metrics;
  std::map<std::string, std::pair<std::string, uint32_t>> shared_data;
  std::map<std::string, std::string> environment;  // of every VM
  bool has_shared_data = true;
  bool has_steady_clock = true;                  // WASI's monotonic clock; without it, filters go by the wall clock
  uint64_t time_ns = 1'700'000'000'000'000'000;  // the monotonic clock's; the wall clock's differs by the step
  int64_t wall_step_ns = 0;                      // how far the wall clock has been set forward, or back
  std::function<void(FakeStream&)> on_continue;  // what becomes of a stream within continue_stream
  size_t host_calls = 0;

  FakeWorker& add_worker() {
    workers_.push_back(std::make_unique<FakeWorker>(*this));
    return *workers_.back();
  }

  // advance: lets virtual time pass, with every tick and answer that falls due, in order.
  void advance(Duration length) {
    const uint64_t end_ns = time_ns + static_cast<uint64_t>(length.count()) * 1'000'000;
    while (step(end_ns)) {
    }
    time_ns = end_ns;
  }

  uint64_t now_ms() const { return time_ns / 1'000'000; }
  int64_t metric(const std::string& name) const {
    const auto at = metrics.find(name);
    return at == metrics.end() ? -1 : at->second;
  }
  bool logged(std::string_view text) const {
    return std::any_of(logs.begin(), logs.end(),
                       [&](const FakeLog& log) { return log.text.find(text) != std::string::npos; });
  }

  static FakeHost*& current_host() {
    static FakeHost* host = nullptr;
    return host;
  }
  static FakeWorker*& current_worker() {
    static FakeWorker* worker = nullptr;
    return worker;
  }

 private:
  friend class FakeWorker;
  friend struct FakeHostFunctions;

  // step: the earliest event up to `end_ns`; false if there is none.
  bool step(uint64_t end_ns) {
    uint64_t at_ms = end_ns / 1'000'000;
    std::function<void()> event;
    for (const auto& worker : workers_) {
      for (const auto& [id, root] : worker->roots_) {
        if (root.period_ms == 0 || root.tick_at_ms > at_ms || (event && root.tick_at_ms == at_ms)) continue;
        at_ms = root.tick_at_ms;
        event = [w = worker.get(), id = id] { w->tick(id); };
      }
      for (const auto& [id, call] : worker->pending_) {
        if (call.at_ms > at_ms || (event && call.at_ms == at_ms)) continue;
        at_ms = call.at_ms;
        event = [w = worker.get(), id = id] { w->answer(id); };
      }
    }
    if (!event) return false;
    time_ns = std::max(time_ns, at_ms * 1'000'000);
    event();
    return true;
  }

  std::vector<std::unique_ptr<FakeWorker>> workers_;
  uint32_t next_cas_ = 1;
  uint32_t next_call_ = 4;
  uint64_t continued_ = 0;
  std::vector<std::string> metric_names_;
};

template <class F>
auto FakeWorker::enter(abi::ContextId context, F&& call) {
  FakeWorker* const outer = std::exchange(FakeHost::current_worker(), this);
  detail::Vm* const outer_vm = std::exchange(detail::current_vm, &vm_);
  effective_ = context;
  struct Restore {
    FakeWorker* worker;
    detail::Vm* vm;
    ~Restore() {
      FakeHost::current_worker() = worker;
      detail::current_vm = vm;
    }
  } restore{outer, outer_vm};
  return call();
}

inline bool FakeWorker::configure(abi::ContextId id, std::string_view configuration) {
  roots_[id].configuration = configuration;
  return enter(id, [&] {
    configuring_ = true;
    const bool ok = vm_.root(id)->on_configure(configuration.size());
    configuring_ = false;
    return ok;
  });
}

inline abi::ContextId FakeWorker::start(std::string_view root_id, std::string_view configuration) {
  const abi::ContextId id = next_context_++;
  roots_[id] = {.root_id = std::string(root_id), .configuration = std::string(configuration)};
  const bool configured = enter(id, [&] {
    configuring_ = true;
    vm_.on_context_create(id, 0);
    RootContext* const root = vm_.root(id);
    const bool ok = root != nullptr && root->on_vm_start(0) && root->on_configure(configuration.size());
    configuring_ = false;
    return ok;
  });
  if (configured) return id;
  stop(id);
  return 0;
}

inline FakeStream& FakeWorker::open(abi::ContextId root, Headers headers) {
  const abi::ContextId id = next_context_++;
  auto& stream = streams_[id] = std::make_unique<FakeStream>();
  stream->id = id;
  stream->headers = std::move(headers);
  enter(id, [&] {
    vm_.on_context_create(id, root);
    const size_t before = host_.host_calls;
    if (HttpContext* context = vm_.http(id)) {
      stream->status = context->on_request_headers(stream->headers.size(), true);
    }
    stream->host_calls = host_.host_calls - before;
  });
  return *stream;
}

inline HeadersStatus FakeWorker::respond(FakeStream& stream, Headers headers) {
  stream.response = std::move(headers);
  return enter(stream.id, [&] {
    const size_t before = host_.host_calls;
    HttpContext* const context = vm_.http(stream.id);
    const auto status =
        context == nullptr ? HeadersStatus::kContinue : context->on_response_headers(stream.response.size(), true);
    stream.host_calls = host_.host_calls - before;
    return status;
  });
}

inline void FakeWorker::close(FakeStream& stream) {
  const abi::ContextId id = stream.id;
  enter(id, [&] { vm_.on_delete(id); });
  streams_.erase(id);
}

inline FakeStream FakeWorker::request(abi::ContextId root, Headers headers) {
  FakeStream& stream = open(root, std::move(headers));
  const abi::ContextId id = stream.id;
  enter(id, [&] { vm_.on_delete(id); });
  FakeStream result = std::move(stream);
  streams_.erase(id);
  return result;
}

inline void FakeWorker::stop(abi::ContextId root) {
  enter(root, [&] { vm_.on_delete(root); });
  roots_.erase(root);
  std::erase_if(pending_, [&](const auto& call) { return call.second.root == root; });
}

inline void FakeWorker::kill() {
  // What a dying VM does to the host is nothing: its calls go to a copy of the shared data.
  const auto shared_data = host_.shared_data;
  const auto metrics = host_.metrics;
  enter(0, [&] { vm_.clear(); });
  host_.shared_data = shared_data;
  host_.metrics = metrics;
  roots_.clear();
  pending_.clear();
  streams_.clear();
}

inline void FakeWorker::tick(abi::ContextId id) {
  Root& root = roots_[id];
  root.tick_at_ms += root.period_ms;
  enter(id, [&] { vm_.on_tick(id); });
}

inline void FakeWorker::answer(uint32_t call_id) {
  const Pending pending = std::move(pending_[call_id]);
  pending_.erase(call_id);
  const FakeReply& reply = pending.reply;
  reply_headers_.clear();
  if (!reply.reset) {
    reply_headers_ = reply.headers;
    reply_headers_.insert(reply_headers_.begin(), {":status", std::to_string(reply.status)});
  }
  enter(pending.root, [&] {
    reply_ = &reply;
    vm_.on_http_call_response(pending.root, call_id, reply_headers_.size(), reply.reset ? 0 : reply.body.size(), 0);
    reply_ = nullptr;
  });
}

// FakeHostFunctions: the host's side of the imports (the extern "C" functions below).
struct FakeHostFunctions {
  static FakeHost& host() {
    ++FakeHost::current_host()->host_calls;
    return *FakeHost::current_host();
  }
  static FakeWorker& worker() { return *FakeHost::current_worker(); }

  static void give(std::string_view value, char** data, size_t* size) {
    *size = value.size();
    *data = nullptr;
    if (value.empty()) return;
    *data = static_cast<char*>(std::malloc(value.size()));
    std::memcpy(*data, value.data(), value.size());
  }

  static Headers* map(MapType type) {
    FakeWorker& w = worker();
    FakeStream* const stream = w.stream();
    if (type == MapType::kHttpRequestHeaders && stream != nullptr) return &stream->headers;
    if (type == MapType::kHttpResponseHeaders && stream != nullptr) return &stream->response;
    if (type == MapType::kHttpCallResponseHeaders && w.reply_ != nullptr) return &w.reply_headers_;
    return nullptr;
  }

  static std::optional<std::string_view> buffer(abi::BufferType type) {
    FakeWorker& w = worker();
    if (type == abi::BufferType::kPluginConfiguration && w.configuring_) return w.roots_[w.effective_].configuration;
    if (type == abi::BufferType::kHttpCallResponseBody && w.reply_ != nullptr) return w.reply_->body;
    return std::nullopt;
  }

  static Headers decode(std::string_view bytes) {
    Headers headers;
    if (auto reader = abi::PairsReader::open(bytes)) {
      for (abi::Pair p; reader->next(p);) headers.emplace_back(p.key, p.value);
    }
    return headers;
  }

  static void reply_locally(uint32_t status, std::string_view details, std::string_view body, Headers headers) {
    FakeStream* const stream = worker().stream();
    if (stream == nullptr) return;
    stream->reply_status = status;
    stream->reply_details = details;
    stream->reply_body = body;
    stream->reply_headers = std::move(headers);
  }

  static Status set_effective_context(abi::ContextId id) {
    host();
    worker().effective_ = id;
    return Status::kOk;
  }

  static Status continue_stream() {
    FakeHost& h = host();
    FakeStream* const stream = worker().stream();
    if (stream == nullptr || stream->status == HeadersStatus::kContinue) return Status::kBadArgument;
    stream->continued = ++h.continued_;
    if (h.on_continue) h.on_continue(*stream);
    return Status::kOk;
  }

  // environment: each entry with its NUL.
  static std::string environment(size_t& count) {
    count = FakeHost::current_host()->environment.size();
    std::string text;
    for (const auto& [name, value] : FakeHost::current_host()->environment) {
      text += name + "=" + value + std::string(1, '\0');
    }
    return text;
  }

  static Status define_metric(std::string_view name, uint32_t* id) {
    FakeHost& h = host();
    auto at = std::find(h.metric_names_.begin(), h.metric_names_.end(), name);
    *id = static_cast<uint32_t>(at - h.metric_names_.begin());
    if (at == h.metric_names_.end()) h.metric_names_.emplace_back(name);
    h.metrics.try_emplace(std::string(name), 0);
    return Status::kOk;
  }

  static int64_t* metric(uint32_t id) {
    FakeHost& h = host();
    return id < h.metric_names_.size() ? &h.metrics[h.metric_names_[id]] : nullptr;
  }

  static Status get_shared_data(std::string_view key, char** data, size_t* size, uint32_t* cas) {
    FakeHost& h = host();
    if (!h.has_shared_data) return Status::kUnimplemented;
    const auto at = h.shared_data.find(std::string(key));
    if (at == h.shared_data.end()) return Status::kNotFound;
    give(at->second.first, data, size);
    *cas = at->second.second;
    return Status::kOk;
  }

  static Status set_shared_data(std::string_view key, std::string_view value, uint32_t cas) {
    FakeHost& h = host();
    if (!h.has_shared_data) return Status::kUnimplemented;
    const auto at = h.shared_data.find(std::string(key));
    if (at != h.shared_data.end() && cas != 0 && cas != at->second.second) return Status::kCasMismatch;
    h.shared_data[std::string(key)] = {std::string(value), h.next_cas_++};
    return Status::kOk;
  }

  static Status set_tick_period(uint32_t period_ms) {
    FakeHost& h = host();
    FakeWorker::Root& root = worker().roots_[worker().effective_];
    root.period_ms = period_ms;
    root.tick_at_ms = h.now_ms() + period_ms;
    return Status::kOk;
  }

  static Status http_call(FakeCall call, uint32_t timeout_ms, uint32_t* call_id) {
    FakeHost& h = host();
    call.at_ms = h.now_ms();
    const auto service = h.services.find(call.cluster);
    const bool complete =
        !call.header(":path").empty() && !call.header(":method").empty() && !call.header(":authority").empty();
    if (service == h.services.end() || !complete) return Status::kBadArgument;
    FakeReply reply = service->second(call);
    h.calls.push_back(std::move(call));
    if (reply.refuse) return Status::kInternalFailure;
    *call_id = h.next_call_;
    h.next_call_ += 4;
    if (reply.silent) return Status::kOk;
    if (timeout_ms != 0 && reply.delay_ms > timeout_ms) {
      reply = {.status = 504, .body = "upstream request timeout", .delay_ms = timeout_ms};
    }
    worker().pending_[*call_id] = {
        .root = worker().effective_, .at_ms = h.now_ms() + reply.delay_ms, .reply = std::move(reply)};
    return Status::kOk;
  }
};

}  // namespace inlay::sdk::testing

#include "sdk/testing/fake_host_functions.h"  // IWYU pragma: keep (the imports)
