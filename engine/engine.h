// SPDX-License-Identifier: Apache-2.0
#pragma once

// A WebAssembly engine behind one interface: Module (immutable, shared by threads), Instance (one thread at a
// time), Trap, Limits. It knows no proxy. Two implementations stand behind it: aot/ (C compiler, native speed) and
// interp/ (wabt's interpreter, no compiler needed).
//
//     Result<std::shared_ptr<Module>> m = Module::load(bytes, {.kind = EngineKind::kAuto});
//     HostFunctions imports{kTable};                       // made with host_function<&fn>("env", "proxy_log")
//     auto inst = Instance::create(*m, imports, &my_env, Limits{});
//     auto add = (*inst)->function<uint32_t(uint32_t, uint32_t)>("add");
//     if (add && *add) { auto sum = (*inst)->call(*add, 1u, 2u); /* Result<uint32_t, Trap> */ }

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "base/result.h"

namespace inlay::engine {

enum class EngineKind : uint8_t {
  kAuto,    // AOT where a compiler or a cached artifact is there, else the interpreter
  kAot,     // AOT or an error
  kInterp,  // the interpreter
};

enum class ValueType : uint8_t { kI32, kI64, kF32, kF64, kV128, kFuncRef, kExternRef };

struct FunctionType {
  std::vector<ValueType> params;
  std::vector<ValueType> results;
  bool operator==(const FunctionType&) const = default;
  // "(i32, i64) -> i32"
  std::string to_string() const;
};

union Value {
  uint32_t i32;
  uint64_t i64;
  float f32;
  double f64;
};

enum class ExternKind : uint8_t { kFunction, kTable, kMemory, kGlobal, kTag };

struct Import {
  std::string module;
  std::string name;
  ExternKind kind = ExternKind::kFunction;
  FunctionType type;  // for functions
};
struct Export {
  std::string name;
  ExternKind kind = ExternKind::kFunction;
  FunctionType type;  // for functions
};

// How much longer than Limits::call_budget a call may take where a module is interpreted until its native code comes: a
// budget is what native code may take, and the interpreter is slower than the slowest of that by less than this.
inline constexpr int kInterpretedBudgetFactor = 100;

// Limits bound what one instance may take. A breach is a Trap, never a crash.
struct Limits {
  uint64_t max_memory_bytes = 128ull << 20;     // of linear memory; memory.grow past it returns -1
  std::chrono::milliseconds call_budget{1000};  // wall clock for one outermost call; 0: none
  size_t stack_headroom_bytes = 192 * 1024;     // native stack that must be left when a guest calls the host
  uint32_t max_table_elements = 1u << 20;
};

enum class TrapKind : uint8_t {
  kUnreachable,
  kMemoryOutOfBounds,
  kTableOutOfBounds,
  kIntegerOverflow,
  kDivideByZero,
  kInvalidConversion,
  kIndirectCall,  // null element or wrong signature
  kStackExhausted,
  kDeadlineExceeded,  // Limits::call_budget
  kUncaughtException,
  kHost,  // raised by a host function
  kDead,  // the instance trapped before and takes no more calls
};

// Trap ends a call into a guest. After it the instance is dead: every later call returns kDead at once.
struct Trap {
  TrapKind kind = TrapKind::kUnreachable;
  std::string message;  // "unreachable executed in proxy_on_request_headers", a sentence for a log line
};
std::string_view to_string(TrapKind kind);

using NativeFunction = void (*)();  // any function; cast to its own type before calling

// HostFunction is one function that a guest may import. Make it with host_function<&f>(module, name), where f is a
// free function `R f(Env* env, P... params)`; R is void or, like P, one of uint32_t, uint64_t, float, double. `env` is
// the pointer that was given to Instance::create. f may call back into the same instance; if that call traps, f must
// return at once (with anything): the engine then unwinds the outer call as well, after f's destructors have run.
struct HostFunction {
  std::string_view module;
  std::string_view name;
  std::span<const ValueType> params;
  std::span<const ValueType> results;
  NativeFunction native = nullptr;  // R (*)(void* env, P...), C calling convention
  void (*generic)(NativeFunction native, void* env, const Value* args, Value* result) = nullptr;  // for interpreters
};

// Tier is how well a module's code is compiled.
enum class Tier : uint8_t {
  kInterpreted,  // not at all; of a module that kAuto has begun with, native code is being made
  kQuick,        // in haste; the optimised code is being made
  kOptimized,    // at LoadOptions::optimization
};

// TierEvent is a step of a module whose code is compiled twice.
struct TierEvent {
  Tier tier = Tier::kQuick;           // kQuick or kOptimized
  std::chrono::milliseconds took{0};  // from the beginning of load(), or of the second compilation
  std::string error;                  // why there will be no such code, nor better; else empty
};

struct LoadOptions {
  EngineKind kind = EngineKind::kAuto;
  std::string cache_dir;  // private directory for AOT artifacts; empty: $XDG_CACHE_HOME/inlay or ~/.cache/inlay
  std::string compiler;   // C compiler; empty: $INLAY_CC, else the first of cc, gcc, clang that is found
  std::string artifact;   // an artifact of compile_module(); used, without a compiler, when it was made from this
                          // very module for this Inlay; else it is passed over
  int optimization = 2;   // -O level for the compiler, 0 to 3
  // Only for kAuto without an artifact, and with `optimization` above 0: the interpreter runs the module at once, and a
  // background thread of the module's compiles at low priority, in haste and then again, for the cache and for the
  // instances that run. Each takes the new code at its next outermost call, with all its state.
  bool tiering = true;
  // Called when quick code is in use, and then when the optimised code is, or that this one has failed; by the
  // background thread, which must not be made to release the module, or by load() for quick code of the cache. Not
  // called for optimised code that was there, or code that is compiled once.
  std::function<void(const TierEvent&)> on_tier;
  // Called by load() before it starts a compiler for whose end it waits.
  std::function<void()> on_compile{};
  // Ends compilations: load() gives up with kUnavailable, and what runs in the background ends without a TierEvent.
  std::stop_token stop;
};

// Module is a validated, loaded module. Immutable to its users and thread-safe; every Instance keeps its Module alive.
// Destroying it while code is being made kills the compiler and waits for its end.
class Module {
 public:
  virtual ~Module();

  // Validates `bytes` and makes it ready to instantiate. Errors: kInvalidArgument (not WebAssembly, does not
  // validate; the message has wabt's text and the offset), kUnsupported (a feature that the chosen engine lacks),
  // kUnavailable (kAot without compiler and artifact), kIo.
  static Result<std::shared_ptr<Module>> load(std::span<const uint8_t> bytes, const LoadOptions& options);

  virtual EngineKind kind() const = 0;  // kAot, also while native code is still being made, or kInterp
  const std::vector<Import>& imports() const { return imports_; }
  const std::vector<Export>& exports() const { return exports_; }
  const Export* find_export(std::string_view name) const;
  // What new calls run. Only ever goes up.
  virtual Tier tier() const { return Tier::kOptimized; }
  // Why kAuto chose the interpreter; empty for AOT.
  const std::string& fallback_reason() const { return fallback_reason_; }

 protected:
  std::vector<Import> imports_;
  std::vector<Export> exports_;
  std::string fallback_reason_;
  friend struct ModuleAccess;
};

// Answer is what a call returned, or that it trapped. It is used like an optional, and is two words, which stay in
// registers, where an optional of 32 bits is put together in memory, in pieces that the processor waits for.
template <class T>
struct Answer {
  Answer() = default;                                    // trapped
  Answer(T returned) : value(returned), returned_(1) {}  // NOLINT: implicit
  explicit operator bool() const { return returned_ != 0; }
  T operator*() const { return value; }

  T value{};

 private:
  uint64_t returned_ = 0;
};

class Instance;

// Function is a handle to an exported function with a checked signature; valid as long as its Instance.
template <class Signature>
struct Function;
template <class R, class... P>
struct Function<R(P...)> {
  const NativeFunction* native = nullptr;  // AOT: where the instance has its R (*)(void* module_instance, P...)
  uint32_t index = 0;                      // into the module's list of exports, plus one
  explicit operator bool() const { return native != nullptr || index != 0; }
};

namespace detail {
struct GuestContext;
// ResolvedExport is what a Function handle is made from.
struct ResolvedExport {
  const NativeFunction* native = nullptr;
  uint32_t index = 0;
};

template <class R>
using Returned = std::conditional_t<std::is_void_v<R>, Unit, R>;

// Why call() must take the long way.
enum Attention : uint8_t {
  kAttentionDead = 1,         // the instance has trapped
  kAttentionCode = 2,         // better code is there; set by another thread
  kAttentionInterpreted = 4,  // call_generic() runs it
};
}  // namespace detail

// Instance is one running guest. Not thread-safe: one thread at a time, and call_budget is watched on the thread that
// calls. Its memory is given back to the system when it is destroyed. Destroy it only when no call into it is running.
class Instance {
 public:
  Instance(const Instance&) = delete;
  Instance& operator=(const Instance&) = delete;
  virtual ~Instance();

  // Links and instantiates (data and element segments, start function). `imports`, with the names in it, and `env`
  // must outlive the instance. Errors: kInvalidArgument naming every import that `imports` lacks or has with another
  // signature, in one message; kTrap if the start function traps; kResourceExhausted if the initial memory or table is
  // over the limit, or if the address space for the memory cannot be had.
  static Result<std::unique_ptr<Instance>> create(std::shared_ptr<Module> module, std::span<const HostFunction> imports,
                                                  void* env, const Limits& limits);

  // Looks an export up. An absent one is an empty handle; a present one with another signature, or that is no
  // function, is an error naming both signatures.
  template <class Signature>
  Result<Function<Signature>> function(std::string_view name);

  // Calls the guest. Re-entrant (from a host function of the same instance). `f` must not be empty.
  template <class R, class... P>
  Result<detail::Returned<R>, Trap> call(const Function<R(P...)>& f, std::type_identity_t<P>... args);
  // The same, for who calls often; take_trap() has the trap.
  template <class R, class... P>
  Answer<detail::Returned<R>> try_call(const Function<R(P...)>& f, std::type_identity_t<P>... args);
  Trap take_trap() { return std::move(last_trap_); }

  // The linear memory now: fetch anew after every call into the guest, growth may change it.
  // Empty when the module exports no memory.
  std::span<uint8_t> memory() const { return {memory_data_, memory_size_}; }

  // True once a call has trapped, or raise() was called.
  bool dead() const { return (attention_.load(std::memory_order_relaxed) & detail::kAttentionDead) != 0; }
  // Lets a host function end the guest's call with a trap; takes effect when the host function returns. The instance
  // is dead at once. Outside of a call it only makes the instance dead.
  void raise(Trap trap);

  const Module& module() const { return *module_; }

 protected:
  Instance(std::shared_ptr<Module> module, const Limits& limits);

  // Calls export `index` - 1 of the module; while kAttentionInterpreted is set.
  virtual Result<Unit, Trap> call_generic(uint32_t index, std::span<const Value> args, Value* result) = 0;
  virtual detail::ResolvedExport resolve(uint32_t export_index) const = 0;
  // Takes better code over, if there is some and no call into this instance is running.
  virtual void adopt_code() {}
  // Remembers `trap` as what killed this instance, unless an earlier one did.
  void kill(Trap trap);

  // Calls what `native` points to with guest_ in front; nothing if it was left by a jump.
  template <class R, class... P>
  [[gnu::noinline]] Answer<detail::Returned<R>> run(const NativeFunction* native, P... args);

  uint8_t* memory_data_ = nullptr;
  size_t memory_size_ = 0;
  void* guest_ = nullptr;                    // AOT: the generated code's instance
  detail::GuestContext* context_ = nullptr;  // AOT: what the generated code sees of us
  std::atomic<uint8_t> attention_{0};        // detail::Attention bits
  std::shared_ptr<Module> module_;
  Limits limits_;
  Trap trap_;       // what killed it
  Trap last_trap_;  // of the call that has failed last

 private:
  template <class R, class... P>
  [[gnu::noinline]] Answer<detail::Returned<R>> interpret(uint32_t index, P... args);
  // try_call() where attention_ is not 0.
  template <class R, class... P>
  [[gnu::noinline]] Answer<detail::Returned<R>> call_with_attention(const Function<R(P...)>& f, P... args);
  Result<detail::ResolvedExport> find_function(std::string_view name, const FunctionType& type) const;
  bool attend();                      // whether a call may go on with attention_ not 0; else with last_trap_
  void unwound_call(uint32_t index);  // sets last_trap_ for a call of Function::index that came back by a jump

  friend struct InstanceAccess;
};

// compile_module translates and compiles `bytes` ahead of time into `output`, an artifact that LoadOptions::artifact
// names (or that lies beside the module with .aot put after its name) and that runs where no compiler is.
// Written to a temporary name and renamed. Errors: as Module::load's with kAot.
Result<> compile_module(std::span<const uint8_t> bytes, const LoadOptions& options, const std::string& output);

}  // namespace inlay::engine

#include "engine/detail/call.h"           // IWYU pragma: export
#include "engine/detail/host_function.h"  // IWYU pragma: export
