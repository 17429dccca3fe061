// SPDX-License-Identifier: Apache-2.0
#pragma once

// The contexts that a filter derives from. Overriding a member is all it takes to receive the callback: the module
// exports exactly those callbacks that some registered class overrides (sdk/register.h), and hosts skip the others.
// The host creates contexts and deletes them; a stream context never outlives its root context.
//
// A context may spawn tasks, which sleep, call services and wait for events (sdk/event.h). Here a request waits for a
// service's word:
//
//     class Check : public HttpContext {
//      public:
//       HeadersStatus on_request_headers(size_t, bool) override {
//         spawn(check());
//         return HeadersStatus::kStopAllIterationAndWatermark;
//       }
//
//      private:
//       Task<> check() {
//         const Pair headers[] = {{":method", "GET"}, {":path", "/check"}, {":authority", "auth"}};
//         const auto answer = co_await http_call({.cluster = "auth", .headers = headers}, 1s);
//         if (!answer || answer->status != 200) co_return reply(403);
//         (void)request_headers().set("x-checked", "yes");
//         resume_request();
//       }
//     };
//     INLAY_REGISTER("*", RootContext, Check);
//
// A task ends with its context: where the client goes away in the meantime, the task is destroyed where it is
// suspended, and the answer, when it comes, is dropped. Whenever a task runs, its context is the effective one:
// request_headers() and all else that is asked of the host concern the task's own stream. So a task that acts on a
// stream belongs to that stream. A root context that spawned it would find another request, or another's memory, when
// it goes on.

#include <cstdint>
#include <span>
#include <string_view>
#include <utility>

#include "abi/types.h"
#include "sdk/buffer.h"
#include "sdk/detail/export.h"
#include "sdk/detail/scheduler.h"
#include "sdk/grpc_call.h"
#include "sdk/headers.h"
#include "sdk/host_functions.h"
#include "sdk/http_call.h"
#include "sdk/local_reply.h"

namespace inlay::sdk {

using abi::Action;
using abi::ContextId;
using abi::DataStatus;
using abi::HeadersStatus;
using abi::PeerType;
using abi::TrailersStatus;

namespace detail {
class Vm;
class RegistrationBase;
class Callback;
class StreamCallback;
// kUndecided: a stream of a filter that has HTTP and TCP contexts, before its first callback.
enum class ContextKind : uint8_t { kRoot, kHttp, kTcp, kUndecided };

// The two directions of a stream, as bits of Context::state_, and what else it says of each, so many bits further up.
inline constexpr uint8_t kToServer = 1;  // a callback has paused it and nobody has resumed it
inline constexpr uint8_t kToClient = 2;
inline constexpr uint8_t kUnderWay = 2;   // a callback of it is under way
inline constexpr uint8_t kTakenBack = 4;  // and the pause, which is still to come, has been taken back
inline constexpr uint8_t kAnswered = 6;   // an answer of the filter's own has put an end to it

// The callbacks that coroutines wait for, exported where something spawns one. (V is always Vm, which is not complete
// here.)
template <class V>
INLAY_EXPORT_(proxy_on_tick)
void on_tick(ContextId id) {
  V::current().on_tick(id);
}
template <class V>
INLAY_EXPORT_(proxy_on_http_call_response)
void on_http_call_response(ContextId id, uint32_t call_id, size_t num_headers, size_t body_size, size_t num_trailers) {
  V::current().on_http_call_response(id, call_id, num_headers, body_size, num_trailers);
}
// The same of gRPC, exported where something makes a call or a stream.
template <class V>
INLAY_EXPORT_(proxy_on_grpc_receive)
void on_grpc_receive(ContextId id, uint32_t token, size_t size) {
  V::current().on_grpc(
      id, token, grpc_sinks<V>, [size](GrpcSink& sink) { sink.on_message(size); }, 0, size);
}
template <class V>
INLAY_EXPORT_(proxy_on_grpc_close)
void on_grpc_close(ContextId id, uint32_t token, uint32_t status) {
  V::current().on_grpc(
      id, token, grpc_sinks<V>, [status](GrpcSink& sink) { sink.on_close(status); }, status, 0);
}
}  // namespace detail

class GrpcStream;

// Context: what the three kinds have in common. The host's callbacks call its members; a filter derives from the three
// below, not from this.
class Context {
 public:
  virtual ~Context() = default;
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  // id: the host's number of it, which the host may give to another context when this one has ended. 0 in a
  // constructor.
  ContextId id() const { return id_; }

  // spawn: starts a task that belongs to this context, and runs it to its first suspension. It ends with the context at
  // the latest. Any callback may spawn, and so may a task; the constructor of a stream context may not, and ends the
  // VM. In the destructor of a context nothing is started.
  template <class V = detail::Vm>
  void spawn(Task<> task) {
    (void)&detail::on_tick<V>;
    (void)&detail::on_http_call_response<V>;
    start(std::move(task));
  }

  // cancel_tasks: destroys every spawned task at the place where it is suspended. Not to be called from one of them.
  void cancel_tasks() { tasks_.cancel(); }

  // sleep: co_await sleep(250ms) suspends the task for at least that long, and 1 ms at least; by the steady clock. Any
  // number may be under way. For tasks of this context or of its streams.
  [[nodiscard]] auto sleep(Duration delay) { return SleepAwaiter(*scheduler_, delay); }

  // http_call: co_await http_call(request, 5s) sends the call and gives a Result<HttpReply>. Errors: what
  // send_http_call gives, at once; and kBrokenConnection if no answer came. A host answers some failures itself, as 503
  // or 504. A host that never answers is given up on shortly after the time-out; with a time-out of 0, which is none,
  // never. Calls of one task come one after another; those of several tasks are under way at the same time.
  [[nodiscard]] auto http_call(const HttpRequest& request, Duration timeout = Duration(5000)) {
    return HttpCallAwaiter(*scheduler_, request, timeout);
  }

  // grpc_call: co_await grpc_call(request, 5s) makes a gRPC call with one message and gives a Result<GrpcReply>, whose
  // status may be any. Errors: of the host, at once (kParseFailure: no such cluster; kBadArgument: a target that the
  // host cannot reach; kInternalFailure: not sent); and kBrokenConnection if no answer came shortly after the time-out,
  // which is also the call's deadline for the service. 0 is none. A call whose task ends is cancelled.
  template <class V = detail::Vm>
  [[nodiscard]] auto grpc_call(const GrpcRequest& request, Duration timeout = Duration(5000)) {
    (void)&detail::on_grpc_receive<V>;
    (void)&detail::on_grpc_close<V>;
    return GrpcCallAwaiter(*scheduler_, request, timeout);
  }

  // make_effective: what the host does from now on in this callback, it does for this context. An error if the host
  // does not know the context, or does not allow it: whatever was effective before, still is, and nothing meant for
  // this context may be asked of the host. EffectiveScope below gives the other one back; tasks, resume_request,
  // reply and their like need neither.
  Result<> make_effective() const;

  // on_done: the host is finished with the context; what it returns does not matter. on_log: the time for log entries,
  // when all of the stream can still be read. Of an HTTP stream on_log comes first, of a connection on_done. From
  // either on, nothing can be done to the stream; then the context is deleted, with its tasks.
  virtual bool on_done() { return true; }
  virtual void on_log() {}

 protected:
  explicit Context(detail::ContextKind kind) : kind_(kind) {}

  // resume, close: see HttpContext and TcpContext.
  bool resume(uint8_t direction, StreamType type);
  void close(StreamType type);

 private:
  friend class detail::Vm;
  friend class detail::Callback;
  friend class detail::StreamCallback;
  friend class Event;
  friend class GrpcStream;
  friend class RootContext;
  friend class HttpContext;

  class SleepAwaiter {
   public:
    SleepAwaiter(detail::Scheduler& scheduler, Duration delay) : scheduler_(scheduler), delay_(delay) {}
    bool await_ready() const { return false; }
    template <class Promise>
    void await_suspend(std::coroutine_handle<Promise> coroutine) {
      waiter_.suspend(coroutine);
      scheduler_.arm(waiter_, delay_);
    }
    void await_resume() const {}

   private:
    detail::Scheduler& scheduler_;
    Duration delay_;
    detail::Waiter waiter_;
  };

  // CallAwaiter: what the awaiters of calls have in common. One is given up on shortly after its time-out.
  class CallAwaiter {
   public:
    CallAwaiter(const CallAwaiter&) = delete;
    CallAwaiter& operator=(const CallAwaiter&) = delete;
    template <class Promise>
    void await_suspend(std::coroutine_handle<Promise> coroutine) {
      waiter_.suspend(coroutine);
      waiter_.is_call = true;
      waiter_.call_id = *sent_;
      const bool bounded = timeout_.count() != 0 && timeout_ <= Duration::max() - kGrace;
      scheduler_.arm(waiter_, bounded ? timeout_ + kGrace : Duration::max());
    }

   protected:
    CallAwaiter(detail::Scheduler& scheduler, Duration timeout)
        : scheduler_(scheduler), timeout_(timeout), sent_(Status::kEmpty) {}
    ~CallAwaiter() = default;

    static constexpr Duration kGrace{1000};
    detail::Scheduler& scheduler_;
    Duration timeout_;
    Result<uint32_t> sent_;
    detail::Waiter waiter_;
  };

  class HttpCallAwaiter : public CallAwaiter {
   public:
    HttpCallAwaiter(detail::Scheduler& scheduler, const HttpRequest& request, Duration timeout)
        : CallAwaiter(scheduler, timeout), request_(request) {}
    bool await_ready() {
      sent_ = detail::send_call(request_, timeout_);
      return !sent_;
    }
    Result<HttpReply> await_resume() const {
      if (!sent_) return sent_.error();
      if (!waiter_.answered || waiter_.num_headers == 0) return Status::kBrokenConnection;
      HttpReply reply{.body_size = waiter_.body_size};
      reply.status = reply.headers().status();
      return reply;
    }

   private:
    HttpRequest request_;
  };

  class GrpcCallAwaiter : public CallAwaiter {
   public:
    GrpcCallAwaiter(detail::Scheduler& scheduler, const GrpcRequest& request, Duration timeout)
        : CallAwaiter(scheduler, timeout), request_(request) {}
    ~GrpcCallAwaiter() {
      if (sent_ && !waiter_.answered) (void)proxy_grpc_cancel(*sent_);
    }
    bool await_ready() {
      sent_ = detail::send_grpc_call(request_, timeout_);
      return !sent_;
    }
    Result<GrpcReply> await_resume() const {
      if (!sent_) return sent_.error();
      if (!waiter_.answered) return Status::kBrokenConnection;
      return GrpcReply{.status = static_cast<uint32_t>(waiter_.num_headers), .message_size = waiter_.body_size};
    }

   private:
    GrpcRequest request_;
  };

  void start(Task<> task);

  ContextId id_ = 0;
  detail::ContextKind kind_;
  // state_: four bits for each of the directions, kToServer and kToClient, as below.
  uint8_t state_ = 0;
  enum : uint8_t { kAlive, kOver, kDeleted } life_ = kAlive;  // kOver: nothing can be done to the stream any longer
  const detail::RegistrationBase* registration_ = nullptr;
  detail::Scheduler* scheduler_ = nullptr;  // the root context's
  detail::TaskList tasks_;
};

// EffectiveScope: makes a context the effective one, and at its end gives back the one before. Where that is not
// possible (see make_effective) it is false, and what was meant for the context has to be left.
//
//     void tag(const HttpContext& stream) {
//       if (const EffectiveScope scope(stream); scope) (void)stream.request_headers().set("x-tagged", "yes");
//     }
class EffectiveScope {
 public:
  explicit EffectiveScope(const Context& context);
  EffectiveScope(const EffectiveScope&) = delete;
  EffectiveScope& operator=(const EffectiveScope&) = delete;
  ~EffectiveScope();
  explicit operator bool() const { return effective_; }

 private:
  ContextId before_;
  bool effective_;
  bool changed_ = false;
};

// RootContext: one for each plugin and worker, from the plugin's start to its end. Configuration, timers and what all
// streams share are its business.
class RootContext : public Context {
 public:
  RootContext() : Context(detail::ContextKind::kRoot), own_scheduler_(*this) { scheduler_ = &own_scheduler_; }

  // on_vm_start, on_configure: false refuses the configuration. The sizes are those of vm_configuration() and
  // plugin_configuration(), which can be read here and not later. A host may configure a context only to try the
  // configuration, and throw it away: calls belong after the first sleep.
  virtual bool on_vm_start(size_t /*configuration_size*/) { return true; }
  virtual bool on_configure(size_t /*configuration_size*/) { return true; }
  // on_queue_ready: an item is in the queue of that number, which this context has opened (sdk/shared_queue.h).
  virtual void on_queue_ready(uint32_t /*queue_id*/) {}
  // on_http_call_response: answers to calls sent with send_http_call, 0 headers if there was none; those of http_call
  // go to the task that awaits them, or are dropped if it has ended.
  virtual void on_http_call_response(uint32_t /*call_id*/, size_t /*num_headers*/, size_t /*body_size*/,
                                     size_t /*num_trailers*/) {}
  // on_foreign_function: a call by an extension of the host; neither Envoy nor Inlay makes one.
  virtual void on_foreign_function(uint32_t /*function_id*/, size_t /*arguments_size*/) {}
  // on_tick: the raw timer, for a context that sets its own period with proxy_set_tick_period_milliseconds. A context
  // with tasks, its own or its streams', leaves both alone, since they share the one timer.
  virtual void on_tick() {}

 private:
  friend class detail::Vm;
  detail::Scheduler own_scheduler_;
};

// HttpContext: one for each request, from its headers to its log. Constructed with a reference to its root context, if
// it has such a constructor.
//
// What a callback returns says what becomes of the piece that it was shown. Everything behind a pause waits, in this
// filter and in those that follow, until the direction goes on:
//
//   callback               status                            effect
//   headers of either      kContinue                         they go on
//   direction              kStopAllIterationAndWatermark     they and all behind them wait; the sender is slowed down
//                          kStopAllIterationAndBuffer        the same; a large body is answered with 413 or 500
//                          kStopIteration                    the same as kStopAllIterationAndWatermark. Not where the
//                                                            plugin has allow_on_headers_stop_iteration: there the
//                                                            body's callbacks come all the same, and the first that
//                                                            returns kContinue, or is not overridden, sends all on
//                          kContinueAndEndStream             they go on; neither Envoy nor Inlay does more
//   body of either         kContinue                         what is in the buffer goes on, and what waited before it
//   direction              kStopIterationAndBuffer           it waits; the next callback has it and what has come
//                                                            since; too much is answered with 413 or 500
//                          kStopIterationAndWatermark        the same; the sender is slowed down
//                          kStopIterationNoBuffer            it is dropped
//   trailers of either     kContinue                         they go on
//   direction              kStopIteration                    they wait
//
// `end_of_stream`: nothing follows. A body's end may come in a callback of its own, without a byte: who wants the whole
// body returns kStopIterationAndBuffer from each callback until the one with `end_of_stream`, and reads it there. Who
// holds only the last piece while it asks a service, holds nothing: what came before has gone.
class HttpContext : public Context {
 public:
  HttpContext() : Context(detail::ContextKind::kHttp) {}

  // request_headers and the other maps: this stream's, while it is the effective context: in its callbacks and its
  // tasks. What is there: the request's headers from on_request_headers on, until the stream ends; the others from
  // their callback on. Edits count until the callback of that map has returned for good, or, after a pause, until it is
  // resumed; later ones are refused or, in Envoy, change nothing that is sent.
  static constexpr HeaderMap request_headers() { return HeaderMap(MapType::kHttpRequestHeaders); }
  static constexpr HeaderMap request_trailers() { return HeaderMap(MapType::kHttpRequestTrailers); }
  static constexpr HeaderMap response_headers() { return HeaderMap(MapType::kHttpResponseHeaders); }
  static constexpr HeaderMap response_trailers() { return HeaderMap(MapType::kHttpResponseTrailers); }
  // request_body, response_body: what of a body a callback of it has been shown and has not let go yet.
  static constexpr Buffer request_body() { return Buffer(BufferType::kHttpRequestBody); }
  static constexpr Buffer response_body() { return Buffer(BufferType::kHttpResponseBody); }

  virtual HeadersStatus on_request_headers(size_t /*num_headers*/, bool /*end_of_stream*/) {
    return HeadersStatus::kContinue;
  }
  virtual DataStatus on_request_body(size_t /*body_size*/, bool /*end_of_stream*/) { return DataStatus::kContinue; }
  virtual TrailersStatus on_request_trailers(size_t /*num_trailers*/) { return TrailersStatus::kContinue; }
  // The response's callbacks come for local replies too, this filter's own among them.
  virtual HeadersStatus on_response_headers(size_t /*num_headers*/, bool /*end_of_stream*/) {
    return HeadersStatus::kContinue;
  }
  virtual DataStatus on_response_body(size_t /*body_size*/, bool /*end_of_stream*/) { return DataStatus::kContinue; }
  virtual TrailersStatus on_response_trailers(size_t /*num_trailers*/) { return TrailersStatus::kContinue; }

  // resume_request, resume_response: let a direction go on that a callback of this context has paused. Each may be
  // called from anywhere, and acts on this stream whichever context is effective. Within a callback of that direction
  // it takes back the pause that the callback is about to return, so a task may end before its first suspension. False,
  // and nothing happens, if the direction does not wait, if the request has been answered, or if the stream is over: a
  // host may do harm then (Envoy sends a head twice, or ends).
  bool resume_request() { return resume(detail::kToServer, StreamType::kHttpRequest); }
  bool resume_response() { return resume(detail::kToClient, StreamType::kHttpResponse); }

  // reply: answers the request instead of sending it on, or in the place of a response whose headers are still held.
  // From anywhere; a callback that replies returns a status that pauses. Only the first reply counts. Nothing happens
  // when the stream is over. A reply that the host refuses, for its status or a header, becomes a plain 500.
  void reply(uint32_t status, std::string_view body = {}) { reply({.status = status, .body = body}); }
  void reply(const LocalReply& answer, std::span<const Pair> headers = {});

  // close: resets the stream; its client gets no answer, or a part of one.
  void close() { Context::close(StreamType::kHttpRequest); }
};

// TcpContext: one for each connection, in a network filter. Constructed with a reference to its root context, if it has
// such a constructor.
//
// kPause keeps the bytes from the filters that follow. They stay in downstream_data() or upstream_data(), where the
// next callback of that direction finds them with those that have come since, until it returns kContinue or, for the
// client's bytes, somebody calls resume_downstream.
class TcpContext : public Context {
 public:
  TcpContext() : Context(detail::ContextKind::kTcp) {}

  // downstream_data, upstream_data: what the client, or the server, has sent and this filter has not let go yet.
  static constexpr Buffer downstream_data() { return Buffer(BufferType::kDownstreamData); }
  static constexpr Buffer upstream_data() { return Buffer(BufferType::kUpstreamData); }

  // on_new_connection: kPause holds the connection up before anything is read and before a server is connected to.
  virtual Action on_new_connection() { return Action::kContinue; }
  // on_downstream_data, on_upstream_data: what the client, or the server, has sent: all of downstream_data(), or
  // upstream_data(), which the filter may change. `end_of_stream`: its last byte is among them.
  virtual Action on_downstream_data(size_t /*data_size*/, bool /*end_of_stream*/) { return Action::kContinue; }
  virtual Action on_upstream_data(size_t /*data_size*/, bool /*end_of_stream*/) { return Action::kContinue; }
  // on_downstream_connection_close: kRemote when the client closed the connection, kLocal when the proxy did.
  // on_upstream_connection_close: the server has sent its last byte; hosts do not say by whom it was closed.
  virtual void on_downstream_connection_close(PeerType /*peer*/) {}
  virtual void on_upstream_connection_close(PeerType /*peer*/) {}

  // resume_downstream: lets the client's bytes go on that a callback of this context has paused, or a connection that
  // on_new_connection holds. As for HttpContext::resume_request.
  // resume_upstream: the same of the server's bytes, for hosts that can. Neither Envoy nor Inlay is one: it is false,
  // and the bytes wait for the next that come and a callback that continues.
  bool resume_downstream() { return resume(detail::kToServer, StreamType::kDownstream); }
  bool resume_upstream() { return resume(detail::kToClient, StreamType::kUpstream); }

  // close: closes the connection, both sides of it. A callback that closes returns kPause.
  void close() { Context::close(StreamType::kDownstream); }
};

}  // namespace inlay::sdk

#include "sdk/detail/vm.h"  // IWYU pragma: keep (completes detail::Vm)
