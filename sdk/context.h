// SPDX-License-Identifier: Apache-2.0
#pragma once

// The contexts that a filter derives from. Overriding a member is all it takes to receive the callback: the module
// exports exactly those callbacks that some registered class overrides (sdk/register.h), and hosts skip the others.
// The host creates contexts and deletes them; a stream context never outlives its root context.

#include <cstdint>
#include <utility>

#include "abi/types.h"
#include "sdk/detail/export.h"
#include "sdk/detail/scheduler.h"
#include "sdk/host_functions.h"
#include "sdk/http_call.h"

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
// kUndecided: a stream of a filter that has HTTP and TCP contexts, before its first callback.
enum class ContextKind : uint8_t { kRoot, kHttp, kTcp, kUndecided };

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
}  // namespace detail

class Context {
 public:
  virtual ~Context() = default;
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  ContextId id() const { return id_; }

  // make_effective: what the host does from now on in this callback, it does for this context. A root context that has
  // made one of its streams effective may change that stream's request and let it go on, and then makes itself
  // effective again.
  void make_effective() const { (void)proxy_set_effective_context(id_); }

  // on_done: the host is finished with the context; false keeps it until proxy_done. on_log: last words, for log
  // entries. Hosts differ in which comes first.
  virtual bool on_done() { return true; }
  virtual void on_log() {}

 protected:
  explicit Context(detail::ContextKind kind) : kind_(kind) {}

 private:
  friend class detail::Vm;
  ContextId id_ = 0;
  detail::ContextKind kind_;
  const detail::RegistrationBase* registration_ = nullptr;
};

// RootContext: one for each plugin and worker. Configuration, timers and call-outs are its business.
class RootContext : public Context {
 public:
  RootContext() : Context(detail::ContextKind::kRoot) {}

  // on_vm_start, on_configure: false refuses the configuration. The sizes are those of vm_configuration() and
  // plugin_configuration(), which can be read here and not later. A host may configure a context only to try the
  // configuration, and throw it away: calls belong after the first sleep.
  virtual bool on_vm_start(size_t /*configuration_size*/) { return true; }
  virtual bool on_configure(size_t /*configuration_size*/) { return true; }
  virtual void on_queue_ready(uint32_t /*queue_id*/) {}
  // on_http_call_response: answers to calls sent with send_http_call; those of http_call go to who awaits them.
  virtual void on_http_call_response(uint32_t /*call_id*/, size_t /*num_headers*/, size_t /*body_size*/,
                                     size_t /*num_trailers*/) {}
  virtual void on_grpc_receive_initial_metadata(uint32_t /*call_id*/, size_t /*num_elements*/) {}
  virtual void on_grpc_receive(uint32_t /*call_id*/, size_t /*message_size*/) {}
  virtual void on_grpc_receive_trailing_metadata(uint32_t /*call_id*/, size_t /*num_elements*/) {}
  virtual void on_grpc_close(uint32_t /*call_id*/, uint32_t /*status*/) {}
  virtual void on_foreign_function(uint32_t /*function_id*/, size_t /*arguments_size*/) {}
  // on_tick: the raw timer, for a context that sets its own period with proxy_set_tick_period_milliseconds. A context
  // that sleeps in coroutines leaves both alone, since they share the one timer.
  virtual void on_tick() {}

  // spawn: starts a task that belongs to this context and is destroyed with it.
  template <class V = detail::Vm>
  void spawn(Task<> task) {
    (void)&detail::on_tick<V>;
    (void)&detail::on_http_call_response<V>;
    scheduler_.spawn(std::move(task));
  }

  // cancel_tasks: destroys every spawned task where it stands. Not to be called from one of them.
  void cancel_tasks() { scheduler_.cancel(); }

  // sleep: co_await sleep(250ms). Rounded up to whole milliseconds; any number may be under way.
  auto sleep(Duration delay) { return SleepAwaiter(scheduler_, delay); }

  // http_call: co_await http_call(request, 5s) gives a Result<HttpReply>. Errors: what send_http_call gives, and
  // kBrokenConnection if no answer came. A host answers some failures itself, as 503 or 504. A host that never
  // answers is given up on shortly after the time-out.
  auto http_call(const HttpRequest& request, Duration timeout) { return HttpCallAwaiter(scheduler_, request, timeout); }

 private:
  friend class detail::Vm;

  class SleepAwaiter {
   public:
    SleepAwaiter(detail::Scheduler& scheduler, Duration delay) : scheduler_(scheduler), delay_(delay) {}
    bool await_ready() const { return false; }
    void await_suspend(std::coroutine_handle<> coroutine) {
      waiter_.coroutine = coroutine;
      scheduler_.arm(waiter_, delay_);
    }
    void await_resume() const {}

   private:
    detail::Scheduler& scheduler_;
    Duration delay_;
    detail::Waiter waiter_;
  };

  class HttpCallAwaiter {
   public:
    HttpCallAwaiter(detail::Scheduler& scheduler, const HttpRequest& request, Duration timeout)
        : scheduler_(scheduler), timeout_(timeout), sent_(send_http_call(request, timeout)) {}
    bool await_ready() const { return !sent_; }
    void await_suspend(std::coroutine_handle<> coroutine) {
      waiter_.coroutine = coroutine;
      waiter_.is_call = true;
      waiter_.call_id = *sent_;
      scheduler_.arm(waiter_, timeout_ + kGrace);
    }
    Result<HttpReply> await_resume() const {
      if (!sent_) return sent_.error();
      if (!waiter_.answered || waiter_.num_headers == 0) return Status::kBrokenConnection;
      const auto status = http_call_response_headers().get(":status");
      return HttpReply{status ? detail::parse_status(status->view()) : 0, waiter_.body_size};
    }

   private:
    static constexpr Duration kGrace{1000};
    detail::Scheduler& scheduler_;
    Duration timeout_;
    Result<uint32_t> sent_;
    detail::Waiter waiter_;
  };

  detail::Scheduler scheduler_;
};

// HttpContext: one for each request. Constructed with a reference to its root context, if it has such a constructor.
class HttpContext : public Context {
 public:
  HttpContext() : Context(detail::ContextKind::kHttp) {}

  virtual HeadersStatus on_request_headers(size_t /*num_headers*/, bool /*end_of_stream*/) {
    return HeadersStatus::kContinue;
  }
  virtual DataStatus on_request_body(size_t /*body_size*/, bool /*end_of_stream*/) { return DataStatus::kContinue; }
  virtual TrailersStatus on_request_trailers(size_t /*num_trailers*/) { return TrailersStatus::kContinue; }
  virtual HeadersStatus on_response_headers(size_t /*num_headers*/, bool /*end_of_stream*/) {
    return HeadersStatus::kContinue;
  }
  virtual DataStatus on_response_body(size_t /*body_size*/, bool /*end_of_stream*/) { return DataStatus::kContinue; }
  virtual TrailersStatus on_response_trailers(size_t /*num_trailers*/) { return TrailersStatus::kContinue; }
};

// TcpContext: one for each connection, in a network filter. Constructed with a reference to its root context, if it has
// such a constructor.
//
// kPause keeps the bytes from the filters that follow. They stay in downstream_data() or upstream_data(), where the
// next callback of that direction finds them with those that have come since, until it returns kContinue or somebody
// calls continue_stream(StreamType::kDownstream or kUpstream).
class TcpContext : public Context {
 public:
  TcpContext() : Context(detail::ContextKind::kTcp) {}

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
};

}  // namespace inlay::sdk

#include "sdk/detail/vm.h"  // IWYU pragma: keep (completes detail::Vm)
