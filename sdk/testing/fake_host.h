// SPDX-License-Identifier: Apache-2.0
#pragma once

// A proxy-wasm host for native tests: FakeHost is the process (virtual time, shared data, services, logs, metrics),
// FakeWorker one of its VMs. The filter's own code runs in it, linked natively, with no WebAssembly between. Everything
// happens in advance() and in the calls on a worker; nothing sleeps. One FakeHost at a time; not thread-safe.
//
//     TEST(MyFilter, SetsTheKey) {
//       FakeHost host;
//       host.services["sidecar"] = [](const FakeCall&) { return FakeReply{.body = R"({"x-key":"1"})"}; };
//       FakeWorker& worker = host.add_worker();
//       ContextId root = worker.start("my_root_id", "the configuration");
//       host.advance(1s);
//       FakeStream stream = worker.request(root, {{":path", "/"}});
//       EXPECT_EQ(stream.header("x-key"), "1");
//       FakeConnection& connection = worker.connect(root);  // of a TCP filter
//       EXPECT_EQ(worker.client_sends(connection, "hello"), Action::kContinue);
//       EXPECT_EQ(connection.to_server, "HELLO");
//     }
//
// It does as Envoy does where the ABI leaves a choice: the compare-and-swap value of an absent key is not looked at, an
// unknown cluster is kBadArgument, a tick comes again and again in its period, a call belongs to the root context
// and is answered although its stream has gone. What a filter must not do, since it would harm or end Envoy, is Ok,
// does nothing, and is listed in `misuses`.

#include <algorithm>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "sdk/detail/vm.h"
#include "sdk/host_functions.h"
#include "sdk/testing/fake_records.h"

namespace inlay::sdk::testing {

using abi::LogLevel;
using abi::MapType;

class FakeHost;

// FakeWorker is one VM. FakeHost::add_worker makes and owns it. Contexts are made by the filter's INLAY_REGISTER, which
// is linked into the test; what a member refers to by number or reference has to be there.
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
  // open: the same, but the stream stays, until close. send_body: a piece of its request's body, and its end, which
  // comes in a callback of its own, as with HTTP/1; gives the last callback's status. open says that there is a body.
  // end: the request trailers; respond: the response headers. close: the stream's end, however it came.
  FakeStream& open(abi::ContextId root, Headers headers, bool end_of_stream = true);
  DataStatus send_body(FakeStream& stream, std::string_view bytes, bool end_of_stream = true);
  abi::TrailersStatus end(FakeStream& stream, Headers trailers);
  HeadersStatus respond(FakeStream& stream, Headers headers);
  void close(FakeStream& stream);
  // answer_call: a callback with that number, whether there is such a call or not. As of the context that made it, or
  // another.
  void answer_call(abi::ContextId context, uint32_t call_id, uint32_t status = 200);
  // run: something, as within a callback of that context.
  template <class F>
  void run(abi::ContextId context, F&& call) {
    enter(context, [&] {
      vm_.set_effective(context);
      call();
    });
  }
  // grpc_message: a message of the service's on that stream, which is that of a context of this worker. grpc_close: its
  // end. Nothing happens if it is not open.
  void grpc_message(uint32_t token, std::string_view bytes);
  void grpc_close(uint32_t token, uint32_t status = 0, std::string_view text = {});
  // number_next: the next stream or connection gets that context number, which must be free.
  void number_next(abi::ContextId id) { given_number_ = id; }
  // connect: a connection context; it stays until disconnect. client_sends, server_sends: bytes, behind those that the
  // filter has paused. What it lets pass goes to connection.to_server and to_client.
  FakeConnection& connect(abi::ContextId root);
  Action client_sends(FakeConnection& connection, std::string_view bytes, bool end_of_stream = false);
  Action server_sends(FakeConnection& connection, std::string_view bytes, bool end_of_stream = false);
  void disconnect(FakeConnection& connection, abi::PeerType by = abi::PeerType::kRemote);
  // stop: deletes a root context as a host does that shuts down. kill: the VM is gone, as after a trap: no callback.
  void stop(abi::ContextId root);
  void kill();

  // context: the filter's own object, to look into; nullptr when there is none of that number.
  template <class T>
  T* context(abi::ContextId id) const {
    return static_cast<T*>(vm_.any(id));
  }

  // root_of: a stream's root context; any other context itself.
  abi::ContextId root_of(abi::ContextId id) const {
    const auto at = parents_.find(id);
    return at == parents_.end() ? id : at->second;
  }

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
  struct PendingGrpc {
    abi::ContextId root;
    uint64_t at_ms;  // UINT64_MAX: of a stream, or never
    FakeGrpcReply reply;
  };
  template <class F>
  auto enter(abi::ContextId context, F&& call);
  abi::ContextId new_number() { return given_number_ != 0 ? std::exchange(given_number_, 0) : next_context_++; }
  bool knows(abi::ContextId id) const {
    return roots_.contains(id) || streams_.contains(id) || connections_.contains(id);
  }
  FakeStream* stream() {
    const auto at = streams_.find(effective_);
    return at == streams_.end() ? nullptr : at->second.get();
  }
  FakeConnection* connection() {
    const auto at = connections_.find(effective_);
    return at == connections_.end() ? nullptr : at->second.get();
  }
  void finish(abi::ContextId stream);
  void tick(abi::ContextId root);
  void tell_of_items(abi::ContextId root, uint32_t queue);
  void answer(uint32_t call_id);
  void give_answer(abi::ContextId context, uint32_t call_id, const FakeReply& reply);
  void answer_grpc(uint32_t token);
  // show: within a gRPC callback.
  template <class F>
  void show_grpc(abi::ContextId root, const FakeGrpcReply& shown, F&& callback);

  FakeHost& host_;
  detail::Vm vm_;
  std::map<abi::ContextId, Root> roots_;
  std::map<uint32_t, Pending> pending_;
  std::map<uint32_t, PendingGrpc> grpc_;  // calls and streams under way, by token
  abi::ContextId next_context_ = 1;
  abi::ContextId given_number_ = 0;
  abi::ContextId called_ = 0;  // the callback's
  abi::ContextId effective_ = 0;
  bool ending_ = false;  // a stream is told of its end
  std::map<abi::ContextId, std::unique_ptr<FakeStream>> streams_;
  std::map<abi::ContextId, std::unique_ptr<FakeConnection>> connections_;
  std::map<abi::ContextId, abi::ContextId> parents_;  // of streams and connections
  const FakeReply* reply_ = nullptr;                  // within the callback
  const FakeGrpcReply* grpc_shown_ = nullptr;         // the same
  Headers reply_headers_;
  Headers reply_trailers_;
  bool configuring_ = false;
};

// FakeHost is the process. Set its public members before what they are to act on, and look at them afterwards; it is
// made before its workers, and ends them.
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
  std::map<std::string, FakeGrpcService> grpc_services;  // by target
  std::map<std::string, FakeForeign> foreign_functions;  // by name; any other is kNotFound
  // What the filters have done, oldest first.
  // A call stays where it is when others follow.
  std::deque<FakeCall> calls;  // also those with FakeReply::refuse
  std::deque<FakeGrpcCall> grpc_calls;
  std::vector<FakeLog> logs;
  std::map<std::string, int64_t> metrics;                               // by name; a histogram's last value
  std::map<std::string, std::pair<std::string, uint32_t>> shared_data;  // by key: the value and its cas
  std::map<std::string, std::string> environment;                       // of every VM
  std::vector<std::string> misuses;              // what a filter did that would harm or end Envoy
  bool may_set_effective = true;                 // false: a capability restriction takes the function away
  bool has_shared_data = true;                   // false: its functions fail
  bool has_random = true;                        // false: WASI's random_get fails
  bool resumes_upstream = true;                  // of a connection; Envoy does not
  bool tells_of_connections = true;              // false: as to a module that does not export proxy_on_new_connection
  bool has_steady_clock = true;                  // WASI's monotonic clock; without it, filters go by the wall clock
  uint64_t time_ns = 1'700'000'000'000'000'000;  // the monotonic clock's; the wall clock's differs by the step
  int64_t wall_step_ns = 0;                      // how far the wall clock has been set forward, or back
  // What a property is to a stream, by its path ("xds\0cluster_name"); any other is kNotFound.
  std::function<std::optional<std::string>(const FakeStream&, std::string_view path)> stream_property;
  std::function<void(FakeStream&)> on_continue;  // what becomes of a stream within continue_stream
  size_t host_calls = 0;                         // calls into the host, of every kind

  // add_worker: one more VM, which lives as long as the host.
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

  // enqueue: puts an item into a shared queue; nothing happens if no root context has opened it. The one that has is
  // told in the next advance().
  void enqueue(std::string_view name, std::string item) {
    const auto at = std::find_if(queues_.begin(), queues_.end(), [&](const Queue& one) { return one.name == name; });
    if (at == queues_.end()) return;
    at->items.push_back(std::move(item));
    at->news = true;
  }

  uint64_t now_ms() const { return time_ns / 1'000'000; }
  // metric: the value of that name, -1 if there is none.
  int64_t metric(const std::string& name) const {
    const auto at = metrics.find(name);
    return at == metrics.end() ? -1 : at->second;
  }
  // logged: whether a line has `text` in it.
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
      for (const auto& [token, call] : worker->grpc_) {
        if (call.at_ms > at_ms || (event && call.at_ms == at_ms)) continue;
        at_ms = call.at_ms;
        event = [w = worker.get(), token = token] { w->answer_grpc(token); };
      }
    }
    for (auto& queue : queues_) {
      if (!queue.news || queue.owner == nullptr) continue;
      at_ms = now_ms();
      event = [&queue] {
        queue.news = false;
        queue.owner->tell_of_items(queue.root, queue.id);
      };
    }
    if (!event) return false;
    time_ns = std::max(time_ns, at_ms * 1'000'000);
    event();
    return true;
  }

  struct Queue {
    std::string name;
    uint32_t id;
    FakeWorker* owner = nullptr;  // who is told of items
    abi::ContextId root = 0;
    bool news = false;
    std::deque<std::string> items = {};
  };
  Queue* queue(uint32_t id) { return id >= 1 && id <= queues_.size() ? &queues_[id - 1] : nullptr; }

  std::deque<Queue> queues_;
  std::vector<std::unique_ptr<FakeWorker>> workers_;
  uint32_t next_cas_ = 1;
  uint32_t next_call_ = 4;
  uint32_t next_grpc_call_ = 5;
  uint32_t next_grpc_stream_ = 6;
  uint64_t continued_ = 0;
  uint64_t random_ = 1;
  std::vector<std::string> metric_names_;
};

}  // namespace inlay::sdk::testing

#include "sdk/testing/fake_host_functions.h"  // IWYU pragma: keep (the imports)
#include "sdk/testing/fake_worker.h"          // IWYU pragma: keep (FakeWorker's members)
