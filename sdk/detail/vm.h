// SPDX-License-Identifier: Apache-2.0
#pragma once

// Vm: the contexts of one VM by number, which of them runs, and the dispatch of the host's callbacks to them. A module
// has one; a native test has one for each worker that it plays (sdk/testing/fake_host.h).

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <new>
#include <string_view>

#include "sdk/context.h"
#include "sdk/log.h"
#include "sdk/property.h"

namespace inlay::sdk::detail {

// RegistrationBase says how to make the contexts for one root id. Registrations are static objects in a list.
class RegistrationBase {
 public:
  // `streams`: the kind of the stream contexts; kRoot: the filter has none, kUndecided: both.
  constexpr RegistrationBase(std::string_view root_id, ContextKind streams) : root_id_(root_id), streams_(streams) {}
  std::string_view root_id() const { return root_id_; }
  ContextKind streams() const { return streams_; }
  const RegistrationBase* next() const { return next_; }

  virtual RootContext* create_root() const = 0;
  // create_stream: nullptr if it has none of that kind; for kUndecided, what stands for one until its first callback.
  virtual Context* create_stream(RootContext& root, ContextKind kind) const = 0;
  // decide: puts a context of `kind` into the place of an undecided one; nullptr if it has none of that kind.
  virtual Context* decide(Vm& vm, Context& undecided, ContextKind kind) const = 0;
  virtual void destroy(Context* context) const = 0;

  static const RegistrationBase*& first() {
    static const RegistrationBase* first = nullptr;
    return first;
  }

 protected:
  ~RegistrationBase() = default;
  void link() {
    next_ = first();
    first() = this;
  }

 private:
  std::string_view root_id_;
  ContextKind streams_;
  const RegistrationBase* next_ = nullptr;
};

// ContextTable: an open-addressed map from context numbers to contexts. Number 0 marks a free slot.
class ContextTable {
 public:
  Context* find(ContextId id) const {
    if (capacity_ == 0 || id == 0) return nullptr;
    for (uint32_t i = home(id);; i = (i + 1) & (capacity_ - 1)) {
      if (slots_[i].id == id) return slots_[i].context;
      if (slots_[i].id == 0) return nullptr;
    }
  }

  // insert: the number must be new and not 0. False if there is no memory.
  bool insert(ContextId id, Context* context) {
    if ((count_ + 1) * 2 > capacity_ && !grow()) return false;
    place(id, context);
    ++count_;
    return true;
  }

  // take: removes a context, which it returns; nullptr if there is none of that number.
  Context* take(ContextId id) {
    if (capacity_ == 0 || id == 0) return nullptr;
    uint32_t hole = home(id);
    while (slots_[hole].id != id) {
      if (slots_[hole].id == 0) return nullptr;
      hole = (hole + 1) & (capacity_ - 1);
    }
    Context* const taken = slots_[hole].context;
    // Close the hole, so that no search stops short at it.
    for (uint32_t i = (hole + 1) & (capacity_ - 1); slots_[i].id != 0; i = (i + 1) & (capacity_ - 1)) {
      const uint32_t distance_to_home = (i - home(slots_[i].id)) & (capacity_ - 1);
      if (distance_to_home < ((i - hole) & (capacity_ - 1))) continue;
      slots_[hole] = slots_[i];
      hole = i;
    }
    slots_[hole] = {};
    --count_;
    return taken;
  }

  // replace: puts another context in the place of one that is there.
  void replace(ContextId id, Context* context) {
    uint32_t i = home(id);
    while (slots_[i].id != id) i = (i + 1) & (capacity_ - 1);
    slots_[i].context = context;
  }

  // any: some context of which `is` is true; nullptr if there is none.
  template <class Predicate>
  Context* any(Predicate is) const {
    for (uint32_t i = 0; i < capacity_; ++i) {
      if (slots_[i].id != 0 && is(*slots_[i].context)) return slots_[i].context;
    }
    return nullptr;
  }

  void free_slots() {
    std::free(slots_);
    slots_ = nullptr;
    capacity_ = count_ = 0;
  }

 private:
  struct Slot {
    ContextId id = 0;
    Context* context = nullptr;
  };

  uint32_t home(ContextId id) const { return (id * 0x9e3779b1u >> 7) & (capacity_ - 1); }

  void place(ContextId id, Context* context) {
    uint32_t i = home(id);
    while (slots_[i].id != 0) i = (i + 1) & (capacity_ - 1);
    slots_[i].id = id;
    slots_[i].context = context;
  }

  bool grow() {
    const uint32_t old_capacity = capacity_;
    Slot* const old = slots_;
    const uint32_t capacity = old_capacity == 0 ? 64 : old_capacity * 2;
    auto* slots = static_cast<Slot*>(std::calloc(capacity, sizeof(Slot)));
    if (slots == nullptr) return false;
    slots_ = slots;
    capacity_ = capacity;
    for (uint32_t i = 0; i < old_capacity; ++i) {
      if (old[i].id != 0) place(old[i].id, old[i].context);
    }
    std::free(old);
    return true;
  }

  Slot* slots_ = nullptr;
  uint32_t capacity_ = 0;
  uint32_t count_ = 0;
};

// UndecidedContext stands for a stream whose first callback has yet to show whether it is HTTP or TCP.
class UndecidedContext final : public Context {
 public:
  explicit UndecidedContext(RootContext& owner) : Context(ContextKind::kUndecided), root(owner) {}
  RootContext& root;
};

class Vm {
 public:
  // current: the VM that the host is calling into.
  static Vm& current();

  void on_context_create(ContextId id, ContextId parent_id) {
    if (id == 0 || table_.find(id) != nullptr) return;
    effective_ = id;
    Context* context = nullptr;
    const RegistrationBase* registration = nullptr;
    RootContext* const parent = root(parent_id);
    if (parent_id == 0) {
      const auto property = get_property("plugin_root_id");
      const std::string_view root_id = property ? property->view() : std::string_view();
      registration = find_registration(root_id);
      if (registration == nullptr)
        log_error("this module has no filter for root_id \"", root_id, "\"; what comes here passes as it is");
      else
        context = registration->create_root();
    } else if (parent != nullptr) {
      registration = parent->registration_;
      context = registration->create_stream(*parent, registration->streams());
    }
    if (context == nullptr) return;
    adopt(*context, id, registration, parent);
    if (!table_.insert(id, context)) destroy(*context);
  }

  void on_delete(ContextId id) {
    Context* const context = table_.take(id);
    if (context == nullptr) return;
    effective_ = id;
    destroy(*context);
  }

  // on_tick: to the tasks of the root context and of its streams, then to its own member.
  void on_tick(ContextId id);
  // on_http_call_response: to the task that waits for the answer, else to the root context. Some hosts name the stream
  // that has made the call.
  void on_http_call_response(ContextId id, uint32_t call_id, size_t num_headers, size_t body_size, size_t num_trailers);

  // on_grpc: tells the stream of that token, if there is one (`tell`), and then the task that waits for it, or for the
  // call; `status` and `size` are the answer's.
  template <class Tell>
  void on_grpc(ContextId id, uint32_t token, GrpcSink* sinks, Tell&& tell, size_t status, size_t size);

  Context* any(ContextId id) const { return table_.find(id); }
  RootContext* root(ContextId id) const { return static_cast<RootContext*>(of_kind(id, ContextKind::kRoot)); }
  HttpContext* http(ContextId id) { return static_cast<HttpContext*>(stream(id, ContextKind::kHttp)); }
  TcpContext* tcp(ContextId id) { return static_cast<TcpContext*>(stream(id, ContextKind::kTcp)); }

  static ContextKind kind(const Context& context) { return context.kind_; }

  // effective: what the SDK knows to be the effective context: that of the callback, until make_effective.
  ContextId effective() const { return effective_; }
  void set_effective(ContextId id) { effective_ = id; }

  // expect_answer: to a call that send_http_call sends; false if there is no memory. expect: its number.
  bool expect_answer() {
    auto* const call = static_cast<Call*>(std::malloc(sizeof(Call)));
    if (call == nullptr) return false;
    *call = {calls_, 0};
    calls_ = call;
    give_answer_ = give_answer;
    return true;
  }
  void expect(uint32_t call_id) { calls_->call_id = call_id; }
  // take_call: whether that call is one of those, which it then no longer is.
  bool take_call(uint32_t call_id) {
    for (Call** at = &calls_; *at != nullptr; at = &(*at)->next) {
      if ((*at)->call_id != call_id) continue;
      Call* const call = *at;
      *at = call->next;
      std::free(call);
      return true;
    }
    return false;
  }

  // destroy: ends the tasks of a context that is no longer in the table, and then the context: they may use members of
  // the derived class.
  static void destroy(Context& context) {
    context.life_ = Context::kDeleted;
    context.tasks_.cancel();
    context.registration_->destroy(&context);
  }

  // decide: RegistrationBase::decide, for a registration with undecided contexts.
  Context* decide(Context& undecided, ContextKind kind) {
    const RegistrationBase* const registration = undecided.registration_;
    const ContextId id = undecided.id_;
    effective_ = id;  // before the constructor runs, as in on_context_create
    Context* const context = registration->create_stream(static_cast<UndecidedContext&>(undecided).root, kind);
    if (context == nullptr) return nullptr;
    adopt(*context, id, registration, &static_cast<UndecidedContext&>(undecided).root);
    table_.replace(id, context);
    delete &undecided;
    return context;
  }

  // clear: deletes every context, stream contexts before root contexts. Only tests end a VM.
  void clear() {
    while (Context* c = table_.any([](Context& one) { return one.kind_ != ContextKind::kRoot; })) on_delete(c->id_);
    while (Context* c = table_.any([](Context&) { return true; })) on_delete(c->id_);
    table_.free_slots();
    while (calls_ != nullptr) (void)take_call(calls_->call_id);
  }

 private:
  struct Call {
    Call* next;
    uint32_t call_id;
  };
  // give_answer: of a call that send_http_call has sent, to the root context.
  static void give_answer(Vm& vm, Context& context, uint32_t call_id, size_t num_headers, size_t body_size,
                          size_t num_trailers) {
    if (vm.take_call(call_id) && context.kind_ == ContextKind::kRoot)
      static_cast<RootContext&>(context).on_http_call_response(call_id, num_headers, body_size, num_trailers);
  }

  Context* of_kind(ContextId id, ContextKind kind) const {
    Context* context = table_.find(id);
    return context != nullptr && context->kind_ == kind ? context : nullptr;
  }

  Context* stream(ContextId id, ContextKind kind) {
    Context* context = table_.find(id);
    if (context == nullptr || context->kind_ == kind) return context;
    return context->kind_ == ContextKind::kUndecided ? context->registration_->decide(*this, *context, kind) : nullptr;
  }

  // adopt: tells a context what it is. `root`: of a stream.
  static void adopt(Context& context, ContextId id, const RegistrationBase* registration, const RootContext* root) {
    context.id_ = id;
    context.registration_ = registration;
    if (root != nullptr) context.scheduler_ = root->scheduler_;
  }

  // find_registration: the one for this root id, else the one for any ("*"), else nullptr.
  static const RegistrationBase* find_registration(std::string_view root_id) {
    const RegistrationBase* any = nullptr;
    for (const RegistrationBase* r = RegistrationBase::first(); r != nullptr; r = r->next()) {
      if (r->root_id() == root_id) return r;
      if (r->root_id() == "*") any = r;
    }
    return any;
  }

  ContextTable table_;
  ContextId effective_ = 0;
  Call* calls_ = nullptr;  // sent with send_http_call
  // give_answer, once such a call was sent: so a module that sends none has nothing of it.
  void (*give_answer_)(Vm&, Context&, uint32_t, size_t, size_t, size_t) = nullptr;
};

#ifdef __wasm__
inline constinit Vm the_vm;
inline Vm& Vm::current() {
  return the_vm;
}
#else
inline Vm* current_vm = nullptr;  // set by whoever plays the host
inline Vm& Vm::current() {
  return *current_vm;
}
#endif

// Callback: a callback of a context, which is the effective one.
class Callback {
 public:
  explicit Callback(Context& context) : context_(context) { Vm::current().set_effective(context.id()); }
  Callback(const Callback&) = delete;
  Callback& operator=(const Callback&) = delete;
  // ends: it tells of the stream's end.
  void ends() const { context_.life_ = Context::kOver; }

 protected:
  Context& context_;
};

// StreamCallback: one that may pause a direction.
class StreamCallback : public Callback {
 public:
  StreamCallback(Context& context, uint8_t direction) : Callback(context), direction_(direction) {
    // A response to a local reply is one.
    if (direction == kToClient) context.state_ &= static_cast<uint8_t>(~(kToClient << kAnswered));
    context.state_ |= static_cast<uint8_t>(direction << kUnderWay);
  }

  // result: what the host is told: that the direction goes on, if its pause has been taken back.
  uint32_t result(HeadersStatus status) {
    return result(static_cast<uint32_t>(status), status != HeadersStatus::kContinueAndEndStream);
  }
  template <class OtherStatus>
  uint32_t result(OtherStatus status) {
    return result(static_cast<uint32_t>(status), true);
  }

 private:
  uint32_t result(uint32_t status, bool may_pause) {
    const unsigned state = context_.state_;
    const unsigned d = direction_;
    const bool pauses = may_pause && status != 0;
    if (pauses && (state & d << kTakenBack) != 0) status = 0;
    const bool held = pauses && (state & (d << kTakenBack | d << kAnswered)) == 0;
    context_.state_ = static_cast<uint8_t>((state & ~(d | d << kUnderWay | d << kTakenBack)) | (held ? d : 0u));
    return status;
  }

  uint8_t direction_;
};

inline void Vm::on_tick(ContextId id) {
  RootContext* const context = root(id);
  if (context == nullptr) return;
  const Callback callback(*context);
  context->own_scheduler_.on_tick();
  context->on_tick();
}

inline void Vm::on_http_call_response(ContextId id, uint32_t call_id, size_t num_headers, size_t body_size,
                                      size_t num_trailers) {
  Context* const context = table_.find(id);
  if (context == nullptr) return;
  const Callback callback(*context);
  if (context->scheduler_->on_call_response(call_id, num_headers, body_size)) return;
  if (give_answer_ != nullptr) give_answer_(*this, *context, call_id, num_headers, body_size, num_trailers);
}

template <class Tell>
void Vm::on_grpc(ContextId id, uint32_t token, GrpcSink* sinks, Tell&& tell, size_t status, size_t size) {
  Context* const context = table_.find(id);
  if (context == nullptr) return;
  const Callback callback(*context);
  while (sinks != nullptr && !sinks->is(*context->scheduler_, token)) sinks = sinks->next;
  if (sinks != nullptr) tell(*sinks);
  (void)context->scheduler_->on_call_response(token, status, size);
}

inline void resume_as(Context& owner, std::coroutine_handle<> coroutine) {
  const EffectiveScope scope(owner);
  if (scope) return coroutine.resume();
  constexpr std::string_view kRefused = "a task waits: proxy_set_effective_context is refused";
  (void)proxy_log(abi::LogLevel::kError, kRefused.data(), kRefused.size());
}

inline void set_tick_period(Context& root, uint32_t period_ms) {
  const EffectiveScope scope(root);
  (void)proxy_set_tick_period_milliseconds(period_ms);
}

}  // namespace inlay::sdk::detail

namespace inlay::sdk {

inline Result<> Context::make_effective() const {
  const Status status = proxy_set_effective_context(id_);
  if (status == Status::kOk) detail::Vm::current().set_effective(id_);
  return to_result(status);
}

inline EffectiveScope::EffectiveScope(const Context& context) : before_(detail::Vm::current().effective()) {
  effective_ = before_ == context.id();
  if (!effective_) effective_ = changed_ = context.make_effective().has_value();
}

inline EffectiveScope::~EffectiveScope() {
  if (!changed_) return;
  // 0 is the context of the callback, in case that the other one is no more.
  if (proxy_set_effective_context(before_) != Status::kOk) (void)proxy_set_effective_context(0);
  detail::Vm::current().set_effective(before_);
}

inline Result<uint32_t> send_http_call(const HttpRequest& request, Duration timeout) {
  detail::Vm& vm = detail::Vm::current();
  if (!vm.expect_answer()) return Status::kInternalFailure;
  auto sent = detail::send_call(request, timeout);
  if (sent)
    vm.expect(*sent);
  else
    (void)vm.take_call(0);
  return sent;
}

inline void Context::start(Task<> task) {
  if (scheduler_ == nullptr) __builtin_trap();  // within the constructor of a stream context
  if (life_ == kDeleted) return;                // within its destructor, or that of a task
  detail::Scheduler& scheduler = *scheduler_;
  detail::resume_as(*this, tasks_.adopt(std::move(task), *this));
  scheduler.settle();
}

inline bool Context::resume(uint8_t direction, StreamType type) {
  const unsigned d = direction;
  if (life_ != kAlive || (state_ & d << detail::kAnswered) != 0) return false;
  if ((state_ & d << detail::kUnderWay) != 0) {
    state_ |= static_cast<uint8_t>(d << detail::kTakenBack);
    return true;
  }
  if ((state_ & d) == 0) return false;
  const EffectiveScope scope(*this);
  if (!scope) return false;
  if (proxy_continue_stream(type) != Status::kOk) return false;
  state_ &= static_cast<uint8_t>(~d);
  return true;
}

inline void Context::close(StreamType type) {
  if (life_ != kAlive) return;
  const EffectiveScope scope(*this);
  if (!scope) return;
  life_ = kOver;
  state_ = 0;
  (void)proxy_close_stream(type);
}

inline void HttpContext::reply(const LocalReply& answer, std::span<const Pair> headers) {
  if (life_ != kAlive || (state_ & detail::kToServer << detail::kAnswered) != 0) return;
  const EffectiveScope scope(*this);
  if (!scope) return;
  // The request is answered, and a response whose callback this is.
  const unsigned under_way = state_ >> detail::kUnderWay & 3u;
  state_ = static_cast<uint8_t>(under_way << detail::kUnderWay | (under_way | detail::kToServer) << detail::kAnswered);
  const auto send = [](const LocalReply& r, std::span<const Pair> extra) {
    constexpr uint32_t kNoGrpcStatus = UINT32_MAX;
    Bytes pairs = Bytes::allocate(abi::pairs_size(extra));
    if (pairs.data() == nullptr) return Status::kInternalFailure;
    abi::write_pairs(extra, pairs.data());
    return proxy_send_local_response(r.status, r.details.data(), r.details.size(), r.body.data(), r.body.size(),
                                     pairs.data(), pairs.size(), kNoGrpcStatus);
  };
  if (send(answer, headers) != Status::kOk) (void)send({.details = "a_reply_was_refused"}, {});
}

}  // namespace inlay::sdk
