// SPDX-License-Identifier: Apache-2.0
#pragma once

// Vm: one guest instance on one worker (or, for the canary, on none), with its contexts. It is the `env` that host
// functions get. Single-threaded.

#include <array>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "abi/types.h"
#include "base/result.h"
#include "engine/engine.h"
#include "host/call_outs.h"
#include "host/callbacks.h"
#include "host/context_table.h"
#include "host/contexts.h"
#include "host/grpc_calls.h"
#include "host/guest_limits.h"
#include "host/guest_metrics.h"
#include "host/guest_output.h"
#include "host/hazards.h"
#include "host/host_impl.h"
#include "host/pairs.h"
#include "host/shared_data.h"

namespace inlay::host {

class Vm {
 public:
  // Instantiates and initialises the module (_initialize, main; else _start). `worker` is nullptr for the canary. A
  // module that calls a host function meanwhile, other than those that need no context (forbid()), cannot be used.
  static Result<std::unique_ptr<Vm>> create(Host::Impl& host, std::shared_ptr<const VmSpec> spec, Worker::Impl* worker);
  ~Vm();
  Vm(const Vm&) = delete;
  Vm& operator=(const Vm&) = delete;

  // The plugin's root context: made and started (on_context_create, on_vm_start, on_configure) unless it is there.
  Result<RootContext*> start(const std::shared_ptr<const PluginImpl>& plugin);

  Host::Impl& host() { return host_; }
  Worker::Impl* worker() { return worker_; }
  const VmSpec& spec() const { return *spec_; }
  const Callbacks& callbacks() const { return callbacks_; }
  bool dead() const { return dead_; }
  const std::shared_ptr<const VmCount>& count() const { return count_; }
  const std::string& trap_message() const { return trap_message_; }
  // engine::Trap::backtrace of the same.
  const std::string& trap_backtrace() const { return trap_backtrace_; }

  // Calls the guest with `context` current. No answer: the VM has died, and the worker has been told.
  template <class R, class... P>
  auto call(Context& context, const Callback<R(P...)>& f, std::type_identity_t<P>... args)
      -> engine::Answer<std::conditional_t<std::is_void_v<R>, Unit, R>> {
    if (dead_ || running_) [[unlikely]]
      return {};
    current_ = called_ = &context;
    callback_ = &f;
    running_ = true;
    const auto result = instance_->try_call(f, args...);
    running_ = false;
    current_ = called_ = nullptr;
    if (!result) [[unlikely]]
      on_trap(instance_->take_trap(), context);
    return result;
  }
  // Carries out what the guest asked for during the last call. The embedder may re-enter from here.
  void run_deferred() {
    if (after_call_) [[unlikely]]
      run_deferred_slowly();
  }
  void add_deferred(FlowContext& context) {
    deferred_.push_back(&context);
    after_call_ = true;
  }
  void remove_deferred(FlowContext& context) { std::erase(deferred_, &context); }

  // --- For host functions ---

  // Before any callback: the module's start function, _initialize, _start, main.
  bool initializing() const { return initializing_; }
  // Ends the initialisation, since the guest has called `function` (which outlives the VM), that Envoy restricts to
  // callbacks.
  void forbid(std::string_view function);

  // The context that they act on; nullptr during initialisation and inside the guest's allocator.
  Context* current() { return current_; }
  // The context that the running callback is about, whatever proxy_set_effective_context says; nullptr as above.
  Context* called() { return called_; }
  // proxy_set_effective_context; false for an unknown id. 0 gives the called context back.
  bool set_effective_context(uint32_t id);

  // A view of guest memory, valid until the guest runs again; nullopt outside of it.
  std::optional<std::string_view> read(uint32_t pointer, uint32_t size) {
    const auto memory = this->memory();
    if (uint64_t{pointer} + size > memory.size()) [[unlikely]]
      return std::nullopt;
    return std::string_view(reinterpret_cast<const char*>(memory.data()) + pointer, size);
  }
  char* writable(uint32_t pointer, uint32_t size) {
    const auto memory = this->memory();
    if (uint64_t{pointer} + size > memory.size()) [[unlikely]]
      return nullptr;
    return reinterpret_cast<char*>(memory.data()) + pointer;
  }
  bool write_u32(uint32_t pointer, uint32_t value) {
    char* to = writable(pointer, sizeof(value));
    if (to == nullptr) [[unlikely]]
      return false;
    std::memcpy(to, &value, sizeof(value));  // The guest and every machine that we run on are little-endian.
    return true;
  }
  bool write_u64(uint32_t pointer, uint64_t value);

  // Guest memory of `size` > 0 bytes, from the guest's own allocator: its address, and where it is now. No `data` if
  // the guest has none to give, gave a range outside of its memory, or trapped. The guest runs: views into it are
  // stale.
  struct Allocation {
    char* data = nullptr;
    uint32_t pointer = 0;
  };
  Allocation allocate(uint32_t size) {
    Context* const current = std::exchange(current_, nullptr);
    Context* const called = std::exchange(called_, nullptr);
    const auto pointer = instance_->try_call(callbacks_.memory_allocate, size);
    current_ = current;
    called_ = called;
    if (!pointer || *pointer == 0) [[unlikely]]
      return {};  // A trap ends the outer call too, and is reported there.
    return {writable(*pointer, size), *pointer};
  }

  // Returns `size` bytes to the guest as (pointer, size): allocates and has fill(char*) write them. No bytes: a null
  // pointer and no allocation.
  template <class Fill>
  abi::Status return_filled(uint64_t size, uint32_t return_data, uint32_t return_size, Fill&& fill) {
    if (!writable(return_data, 4) || !writable(return_size, 4)) return abi::Status::kInvalidMemoryAccess;
    if (size > UINT32_MAX) return abi::Status::kInternalFailure;
    uint32_t pointer = 0;
    if (size > 0) {
      const Allocation space = allocate(static_cast<uint32_t>(size));
      if (space.data == nullptr) [[unlikely]]
        return abi::Status::kInternalFailure;
      fill(space.data);
      pointer = space.pointer;
    }
    write_u32(return_data, pointer);
    write_u32(return_size, static_cast<uint32_t>(size));
    return abi::Status::kOk;
  }
  abi::Status return_bytes(std::string_view bytes, uint32_t return_data, uint32_t return_size);

  // A line of the guest's. Long lines are cut off, and a flood of them is thinned out (guest_limits.h).
  void log(abi::LogLevel level, std::string_view message);
  // Text that the guest writes to standard output, or to standard error; logged by lines (guest_output.h).
  void print(bool error, std::string_view text);
  // The guest has come to a limit: logs the first time. Returns kInternalFailure, for the host function to return.
  abi::Status over_limit(GuestLimit limit);
  // A warning about what the guest does, "plugin NAME " + text(), once a plugin. For host functions, in a context.
  template <class Text>
  void advise(Advice advice, Text&& text) {
    const PluginImpl& plugin = current_->root->plugin();
    if (plugin.tell_once(advice)) host_.log(abi::LogLevel::kWarn, "plugin " + plugin.config().name + " " + text());
  }
  // The guest of `context` has done what is a hazard in Envoy, in the callback that runs or ran last: logs and counts.
  void report(Hazard hazard, const Context& context);
  // A stream was answered or closed from outside of its own callbacks. Of the last of them Hazard::kAnsweredTwice is
  // known.
  void note_ended(uint32_t id) { ended_[ended_next_++ % ended_.size()] = contexts_.serial_of(id); }
  // Logs that the guest called a function that its capability restriction does not allow.
  void log_restricted(std::string_view function);

  void remove_context(Context& context) { contexts_.remove(context.id); }
  uint32_t new_id(Context& context) { return contexts_.add(context); }
  Context* find_context(uint32_t id) { return contexts_.find(id); }

  // Takes every stream and connection off this VM: those that wait for the guest come back.
  std::vector<FlowContext*> detach_flows();
  // Stops timers and call-outs.
  void disarm();
  // A worker's end: on_done and on_delete of a root context.
  void shut_down(RootContext& root);
  // The same of one that goes while the VM stays: it is destroyed. No stream of it is left.
  void end(RootContext& root);
  // A queue of this VM has an item.
  void queue_ready(uint32_t root_id, uint32_t queue);
  void http_call_done(uint32_t root_id, uint32_t token, HttpCallResponse response);
  // Calls one of the gRPC callbacks, if the guest has it: what it shows, and its last argument.
  void show_grpc(uint32_t root_id, uint32_t token, const Callback<void(uint32_t, uint32_t, uint32_t)>& callback,
                 const GrpcEvent& event, uint32_t value);

  SharedDataReader& shared_data() { return shared_data_; }
  GuestMetrics& metrics() { return metrics_; }
  CallOuts& call_outs() { return call_outs_; }
  GrpcCalls& grpc_calls() { return grpc_calls_; }
  // What the gRPC callback that is running shows; nothing at other times.
  const GrpcEvent& grpc_event() const { return grpc_event_; }
  // The answer whose callback is running; nullptr at other times.
  HttpCallResponse* call_response() { return call_response_; }
  Pairs& scratch_pairs() { return scratch_pairs_; }
  std::string& scratch_text() { return scratch_text_; }

 private:
  // No memory while the module's start function runs: there is no instance to ask yet.
  std::span<uint8_t> memory() const { return instance_ ? instance_->memory() : std::span<uint8_t>(); }

  Vm(Host::Impl& host, std::shared_ptr<const VmSpec> spec, Worker::Impl* worker);
  Result<> resolve_callbacks();
  template <class Signature>
  void resolve_into(std::string_view name, Callback<Signature>& handle, Result<>& result);
  // Runs an export of that signature; false if there is none.
  template <class Signature, class... P>
  Result<bool> run_export(std::string_view name, P... args);
  Result<> initialize();
  Result<> run_start_callbacks(RootContext& root);
  void on_trap(engine::Trap trap, Context& context);
  void run_deferred_slowly();
  bool was_ended(uint32_t id) const;
  std::string_view log_prefix() const;
  void log_as(std::string_view prefix, abi::LogLevel level, std::string_view message);
  void flush_output();
  bool may_log(size_t size);
  void remember(std::string_view line);
  // "; the last line that it logged: ...", for the error of a start.
  std::string last_words() const;

  Host::Impl& host_;
  std::shared_ptr<const VmSpec> spec_;
  Worker::Impl* worker_;
  std::shared_ptr<const VmCount> count_;
  std::unique_ptr<engine::Instance> instance_;
  Callbacks callbacks_;

  Context* current_ = nullptr;
  Context* called_ = nullptr;
  const void* callback_ = nullptr;    // in callbacks_: called last
  std::array<uint64_t, 64> ended_{};  // note_ended(); 0 is none
  size_t ended_next_ = 0;
  bool initializing_ = true;
  bool running_ = false;  // a call into the guest is under way
  bool dead_ = false;
  bool shut_down_ = false;                  // a root context has ended with the worker
  ErrorCode trap_code_ = ErrorCode::kTrap;  // kDeadlineExceeded: its time was over
  std::string trap_message_;
  std::string trap_backtrace_;
  std::string_view forbidden_;  // what the guest called while it was initialised, and may not
  bool starting_ = true;        // until a plugin has started, and while another one does
  std::string last_line_;       // what was logged last while starting
  std::vector<FlowContext*> deferred_;
  bool after_call_ = false;  // there is something in deferred_, or a line in output_ that has not ended
  std::array<GuestOutput, 2> output_{GuestOutput(limits::kLogLine), GuestOutput(limits::kLogLine)};  // stdout, stderr
  std::string output_prefix_;  // of the context that wrote last
  uint32_t limits_told_ = 0;   // a bit a GuestLimit
  int64_t log_window_ = 0;     // monotonic ns: the second that log_bytes_ and log_dropped_ count
  size_t log_bytes_ = 0;
  uint64_t log_dropped_ = 0;

  ContextTable contexts_;
  std::vector<std::unique_ptr<RootContext>> roots_;
  SharedDataReader shared_data_;
  GuestMetrics metrics_;
  CallOuts call_outs_;
  HttpCallResponse* call_response_ = nullptr;
  GrpcCalls grpc_calls_;
  GrpcEvent grpc_event_;
  Pairs scratch_pairs_;
  std::string scratch_text_;
};

}  // namespace inlay::host
