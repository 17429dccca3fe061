// SPDX-License-Identifier: Apache-2.0
#pragma once

// FlowContext: what the context of an HTTP stream (HttpContextImpl) and that of a TCP connection (TcpContextImpl) have
// in common: its use and reuse, what the guest asks for while it runs, the failure policy, and the end. A flow has two
// directions: 0 is the request or what the client sends, 1 the response or what the server sends.

#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "host/contexts.h"

namespace inlay::host {

// Pooled by its worker, in a list of those that are not in use: `serial` tells one use from the next.
class FlowContext : public Context {
 public:
  static constexpr size_t kDirections = 2;

  // Takes the head off such a list; nullptr if that is empty.
  static FlowContext* take(FlowContext*& unused) {
    return unused == nullptr ? nullptr : std::exchange(unused, unused->next_unused_);
  }

  // Who decides what a callback leads to: the guest, or, without one, the failure policy.
  enum class Outcome : uint8_t { kGuest, kContinue, kStop };
  Outcome policy() const;

  // The embedder's side; nullptr once it has let go of the context.
  AttributeSource* embedder() const { return embedder_; }
  uint64_t serial() const { return serial_; }
  bool in_log() const { return in_log_; }
  WorkerPluginImpl& owner() const { return *owner_; }

  // What the guest asks for; done when it has returned (run_deferred).
  void defer_continue(size_t direction);
  void defer_reset();
  // Each call may end the flow and this use of the context.
  void run_deferred();

  // The VM died: no guest from now on. Says whether the flow waits for the guest and must be told (on_vm_dead).
  bool detach();
  // Applies the failure policy to a flow that waits.
  void resolve_dead();

  // The embedder has no use for the context any more, which may be used again.
  void end();

 protected:
  FlowContext(Kind k, FlowContext*& unused) : Context(k), unused_(unused) {}
  ~FlowContext() = default;

  // Begins a use: `root_context` may be nullptr (no VM: the failure policy answers).
  void begin_use(WorkerPluginImpl& owner, AttributeSource& embedder, RootContext* root_context);
  // Has run_deferred() called when the guest has returned.
  void schedule();

  // Calls the guest; says who decides what happens next. (host/flow_call.h)
  template <class Call>
  Outcome invoke(size_t direction, uint32_t& returned, Call&& call);
  // Turns the outcome into a status and carries out what the guest asked for. `over`: the guest has ended the flow, or
  // answered it, so that it stops whatever the callback returned. The flow may be over when this returns, so it comes
  // last. (host/flow_call.h)
  template <class Status>
  Status settle(size_t direction, Outcome outcome, Status by_guest, Status stop, bool over);

  // on_log, once.
  void log();
  // on_done and on_delete, whatever on_done says (as in Envoy), with on_log in between when a TCP connection ends. The
  // use is over for the embedder.
  enum class Log : uint8_t { kBefore, kBetween };
  void finish(Log log);

  // --- what the two kinds do each in their way ---

  // Carries out what the guest has asked for, in the embedder.
  virtual void carry_out() = 0;
  // Lets a paused direction go on.
  virtual void resume(size_t direction) = 0;
  // The failure policy refuses the flow: ends it, unless it has been ended.
  virtual void refuse() = 0;
  // It has refused it, and what comes now is its own answer.
  virtual bool refused() const { return false; }
  // Forgets what is deferred beyond this class's own.
  virtual void forget_deferred() {}
  AttributeSource* embedder_ = nullptr;
  std::array<bool, kDirections> paused_{};       // a Stop was returned and not yet undone
  std::array<bool, kDirections> in_callback_{};  // of that direction
  std::array<bool, kDirections> resumed_{};      // continue_stream inside the direction's own callback
  std::array<bool, kDirections> continue_pending_{};
  bool reset_pending_ = false;
  bool logged_ = false;  // what the guest asks for has no effect any more

 private:
  void cancel_deferred() {
    if (deferred_) [[unlikely]]
      cancel_what_is_deferred();
  }
  void cancel_what_is_deferred();
  void run_log();

  FlowContext*& unused_;  // the list's head
  FlowContext* next_unused_ = nullptr;
  WorkerPluginImpl* owner_ = nullptr;
  uint64_t serial_ = 0;
  bool deferred_ = false;  // is in the VM's list
  bool in_log_ = false;
};

}  // namespace inlay::host
