// SPDX-License-Identifier: Apache-2.0
#pragma once

// Vm: the contexts of one VM by number, and the dispatch of the host's callbacks to them. A module has one; a native
// test has one for each worker that it plays (sdk/testing/fake_host.h).

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <new>
#include <string_view>

#include "sdk/context.h"
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
  virtual Context* create_stream(RootContext& root, ContextKind kind) const = 0;  // nullptr: it has none of that kind
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

  void erase(ContextId id) {
    uint32_t hole = home(id);
    while (slots_[hole].id != id) {
      if (slots_[hole].id == 0) return;
      hole = (hole + 1) & (capacity_ - 1);
    }
    // Close the hole, so that no search stops short at it.
    for (uint32_t i = (hole + 1) & (capacity_ - 1); slots_[i].id != 0; i = (i + 1) & (capacity_ - 1)) {
      const uint32_t distance_to_home = (i - home(slots_[i].id)) & (capacity_ - 1);
      if (distance_to_home < ((i - hole) & (capacity_ - 1))) continue;
      slots_[hole] = slots_[i];
      hole = i;
    }
    slots_[hole] = {};
    --count_;
  }

  // replace: puts another context in the place of one that is there.
  void replace(ContextId id, Context* context) {
    uint32_t i = home(id);
    while (slots_[i].id != id) i = (i + 1) & (capacity_ - 1);
    slots_[i].context = context;
  }

  // any: some context's number, 0 if there is none.
  ContextId any() const {
    for (uint32_t i = 0; i < capacity_; ++i) {
      if (slots_[i].id != 0) return slots_[i].id;
    }
    return 0;
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
    Context* context = nullptr;
    const RegistrationBase* registration = nullptr;
    if (parent_id == 0) {
      registration = find_registration();
      if (registration != nullptr) context = registration->create_root();
    } else if (RootContext* parent = root(parent_id)) {
      registration = parent->registration_;
      context = registration->streams() == ContextKind::kUndecided
                    ? new (std::nothrow) UndecidedContext(*parent)
                    : registration->create_stream(*parent, registration->streams());
    }
    if (context == nullptr) return;
    context->id_ = id;
    context->registration_ = registration;
    if (!table_.insert(id, context)) registration->destroy(context);
  }

  void on_delete(ContextId id) {
    Context* context = table_.find(id);
    if (context == nullptr) return;
    table_.erase(id);
    // Tasks first: they may use members of the class derived from RootContext.
    if (context->kind_ == ContextKind::kRoot) static_cast<RootContext*>(context)->scheduler_.cancel();
    context->registration_->destroy(context);
  }

  // tick, call_response: to the scheduler of the root context, then to its own member.
  void on_tick(ContextId id) {
    if (RootContext* context = root(id)) {
      context->scheduler_.on_tick();
      context->on_tick();
    }
  }
  void on_http_call_response(ContextId id, uint32_t call_id, size_t num_headers, size_t body_size,
                             size_t num_trailers) {
    if (RootContext* context = root(id)) {
      context->scheduler_.on_call_response(call_id, num_headers, body_size);
      context->on_http_call_response(call_id, num_headers, body_size, num_trailers);
    }
  }

  Context* any(ContextId id) const { return table_.find(id); }
  RootContext* root(ContextId id) const { return static_cast<RootContext*>(of_kind(id, ContextKind::kRoot)); }
  HttpContext* http(ContextId id) { return static_cast<HttpContext*>(stream(id, ContextKind::kHttp)); }
  TcpContext* tcp(ContextId id) { return static_cast<TcpContext*>(stream(id, ContextKind::kTcp)); }

  static ContextKind kind(const Context& context) { return context.kind_; }

  // clear: deletes every context, stream contexts before root contexts. Only tests end a VM.
  void clear() {
    for (ContextId id; (id = table_.any()) != 0;) on_delete(id);
    table_.free_slots();
  }

 private:
  Context* of_kind(ContextId id, ContextKind kind) const {
    Context* context = table_.find(id);
    return context != nullptr && context->kind_ == kind ? context : nullptr;
  }

  Context* stream(ContextId id, ContextKind kind) {
    Context* context = table_.find(id);
    if (context == nullptr || context->kind_ == kind) return context;
    return context->kind_ == ContextKind::kUndecided ? decide(*context, kind) : nullptr;
  }

  Context* decide(Context& undecided, ContextKind kind) {
    const RegistrationBase* const registration = undecided.registration_;
    const ContextId id = undecided.id_;
    Context* const context = registration->create_stream(static_cast<UndecidedContext&>(undecided).root, kind);
    if (context == nullptr) return nullptr;
    context->id_ = id;
    context->registration_ = registration;
    table_.replace(id, context);
    delete &undecided;
    return context;
  }

  // find_registration: the one for the plugin's root id, else the one for any ("*").
  static const RegistrationBase* find_registration() {
    const auto property = get_property("plugin_root_id");
    const std::string_view root_id = property ? property->view() : std::string_view();
    const RegistrationBase* any = nullptr;
    for (const RegistrationBase* r = RegistrationBase::first(); r != nullptr; r = r->next()) {
      if (r->root_id() == root_id) return r;
      if (r->root_id() == "*") any = r;
    }
    return any;
  }

  ContextTable table_;
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

}  // namespace inlay::sdk::detail
