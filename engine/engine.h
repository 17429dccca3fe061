// SPDX-License-Identifier: Apache-2.0
#pragma once

// A WebAssembly engine behind one interface: Module (immutable, shared by threads), Instance (one thread at a
// time), Trap, Limits. It knows nothing of proxies, nor how a module gets to be machine code: Module::open() runs what
// was compiled before (aot/), and compiler/compiler.h makes modules of WebAssembly. docs/reference/engine.md has what a
// breach of a limit does.
//
//     void print(std::ostream* out, uint32_t number) { *out << number << "\n"; }
//
//     // Runs "add" of a compiled module that may import "env.print"; an error of any kind as text.
//     std::string add(const std::string& artifact) {
//       const auto module = Module::open(artifact);
//       if (!module) return module.error().to_string();
//       const std::array imports = {host_function<&print>("env", "print")};
//       const auto instance = Instance::create(*module, imports, &std::cout, Limits{});
//       if (!instance) return instance.error().to_string();
//       const auto function = (*instance)->function<uint32_t(uint32_t, uint32_t)>("add");
//       if (!function) return function.error().to_string();  // it has another signature
//       if (!*function) return "there is no add";
//       const Result<uint32_t, Trap> sum = (*instance)->call(*function, 1, 2);
//       return sum ? std::to_string(*sum) : sum.error().message;
//     }

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "base/result.h"

namespace inlay::engine {

// EngineKind: what runs a module: native code that was compiled ahead of time (AOT), or an interpreter.
enum class EngineKind : uint8_t {
  kAuto,    // for who loads one: AOT where a compiler or a cached artifact is there, else the interpreter
  kAot,     // AOT or an error
  kInterp,  // the interpreter
};

// ValueType: of a parameter or a result. Only the first four can be those of a HostFunction or a Function.
enum class ValueType : uint8_t { kI32, kI64, kF32, kF64, kV128, kFuncRef, kExternRef };

// FunctionType is a function's signature.
struct FunctionType {
  std::vector<ValueType> params;
  std::vector<ValueType> results;
  bool operator==(const FunctionType&) const = default;
  // "(i32, i64) -> i32"
  std::string to_string() const;
};

// Value is a number, of the type that its function's signature gives it.
union Value {
  uint32_t i32;
  uint64_t i64;
  float f32;
  double f64;
};

enum class ExternKind : uint8_t { kFunction, kTable, kMemory, kGlobal, kTag };

// Import and Export are what a module asks for and what it offers, in the module's order.
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

// Limits bound what one instance may take. A breach is a Trap, or a failure that the guest sees; never a crash.
// Where a module is interpreted until its native code comes, call_budget is stretched (compiler/compiler.h).
struct Limits {
  uint64_t max_memory_bytes = 128ull << 20;     // of linear memory; memory.grow past it returns -1
  std::chrono::milliseconds call_budget{1000};  // wall clock for one outermost call, host functions included; 0: none
  size_t stack_headroom_bytes = 192 * 1024;     // native stack that must be left when a guest calls the host
  uint32_t max_table_elements = 1u << 20;       // of each table; table.grow past it returns -1
};

// TrapKind: why a guest's call was ended. to_string() names them as statistics and documents do.
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
  // Of an interpreted guest: the functions that were running, by name, the innermost first, each on a line of its own:
  // "  0: abort", and "  0: abort @ 0x2f1" with the offset of the instruction where the module has DWARF. Else empty.
  std::string backtrace{};
};
// "memory_out_of_bounds" for kMemoryOutOfBounds, and so on.
std::string_view to_string(TrapKind kind);

// NativeFunction is a pointer to any function; cast it to its own type before calling.
using NativeFunction = void (*)();

// HostFunction is one function that a guest may import. Make it with host_function<&f>(module, name), where f is a
// free function `R f(Env* env, P... params)`; R is void or, like P, one of uint32_t, uint64_t, float, double. `env` is
// the pointer that was given to Instance::create. It runs on the thread that has called the guest, and must not throw.
// f may call back into the same instance; if that call traps, f must return at once (with anything): the engine then
// unwinds the outer call as well, after f's destructors have run. An address that the guest gives is checked by f,
// against Instance::memory().
struct HostFunction {
  std::string_view module;
  std::string_view name;
  // What host_function fills in; static storage.
  std::span<const ValueType> params;
  std::span<const ValueType> results;
  NativeFunction native = nullptr;  // R (*)(void* env, P...), C calling convention
  void (*generic)(NativeFunction native, void* env, const Value* args, Value* result) = nullptr;  // for interpreters
};

// Tier is how well a module's code is compiled.
enum class Tier : uint8_t {
  kInterpreted,  // not at all; of a module that kAuto has begun with, native code is being made
  kQuick,        // to be ready soon, with little or no optimisation; the optimised code is being made
  kOptimized,    // as well as was asked for
};

class Instance;

// Module is a validated, loaded module. Immutable to its users and thread-safe; every Instance keeps its Module alive.
// Destroying it while code is being made kills the compiler and waits for its end: milliseconds.
class Module {
 public:
  virtual ~Module();

  // Opens an artifact, a file that compiler::compile_module() has made: a module's machine code, with what the module
  // imports and exports. Reads no WebAssembly and needs no compiler. It is a shared object whose code runs in this
  // process: keep it as safe as the program. `sha256`: of the bytes of the module that it must have been made from, 64
  // lower-case hexadecimal digits; empty: of any. Any thread. Errors:
  //   kNotFound            there is no such file
  //   kFailedPrecondition  someone else than we and root may write to it, or put another in its place
  //   kInvalidArgument     damaged, or made from another module, for another version of Inlay or another machine
  //   kUnavailable         the system's loader refuses it
  //   kIo                  it cannot be read
  static Result<std::shared_ptr<Module>> open(const std::string& path, std::string_view sha256 = {});

  // kAot, also while native code is still being made, or kInterp.
  virtual EngineKind kind() const = 0;
  // All imports and exports; the references are valid as long as the module.
  const std::vector<Import>& imports() const { return imports_; }
  const std::vector<Export>& exports() const { return exports_; }
  // The export of that name, of any kind; nullptr if there is none. Walks over all.
  const Export* find_export(std::string_view name) const;
  // What new calls run. Only ever goes up.
  virtual Tier tier() const { return Tier::kOptimized; }
  // Why kAuto chose the interpreter; empty for AOT.
  const std::string& fallback_reason() const { return fallback_reason_; }

 protected:
  // Makes an instance for Instance::create(), with its errors. `self` is this module, which the instance keeps alive;
  // `imports` are in the order of imports(), and each fits.
  virtual Result<std::unique_ptr<Instance>> instantiate(std::shared_ptr<Module> self,
                                                        const std::vector<const HostFunction*>& imports, void* env,
                                                        const Limits& limits) = 0;

  std::vector<Import> imports_;
  std::vector<Export> exports_;
  std::string fallback_reason_;
  friend class Instance;
};

// Answer is what a call returned, or that it trapped. It is used like a std::optional; unlike one it is two words,
// which compilers return in registers.
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

// Function is a handle to an exported function with a checked signature; cheap to copy, valid as long as its Instance,
// and only in calls of that one. R is void or, like P, one of uint32_t, uint64_t, float, double. False: there is no
// such export.
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

// Instance is one running guest. Not thread-safe: one thread at a time, which need not be always the same one. Its
// memory is given back to the system when it is destroyed. Destroy it only when no call into it is running.
//
// The first call of a process installs handlers for SIGSEGV, SIGBUS and SIGFPE, which pass on what is not a guest's,
// and takes SIGRTMAX-3, by which a late call is ended (docs/reference/engine.md, "Traps").
class Instance {
 public:
  Instance(const Instance&) = delete;
  Instance& operator=(const Instance&) = delete;
  virtual ~Instance();

  // Links and instantiates (data and element segments, start function, which may call host functions already).
  // `imports`, with the names in it, and `env` must outlive the instance. Of two imports of one name the first counts;
  // those that the module does not ask for do not matter. Errors: kInvalidArgument naming every import that `imports`
  // lacks or has with another signature, in one message; kTrap if the start function traps or a segment does not fit,
  // kDeadlineExceeded if the start takes too long; kResourceExhausted if the initial memory or table is over the limit,
  // or if there is no memory, or not the address space for a memory of the guest's (8 GiB for native code).
  static Result<std::unique_ptr<Instance>> create(std::shared_ptr<Module> module, std::span<const HostFunction> imports,
                                                  void* env, const Limits& limits);

  // Looks an export up. An absent one is an empty handle; one of another kind or signature is kInvalidArgument, with
  // both signatures in the message.
  template <class Signature>
  Result<Function<Signature>> function(std::string_view name);

  // Calls the guest. Re-entrant (from a host function of the same instance). `f` must not be empty. A function without
  // a result gives Unit. After a trap the instance is dead.
  template <class R, class... P>
  Result<detail::Returned<R>, Trap> call(const Function<R(P...)>& f, std::type_identity_t<P>... args);
  // The same for callers that call often: where the Answer is false, take_trap() has the trap, once and until the next
  // call.
  template <class R, class... P>
  Answer<detail::Returned<R>> try_call(const Function<R(P...)>& f, std::type_identity_t<P>... args);
  Trap take_trap() { return std::move(last_trap_); }

  // The linear memory now, to read and to write. Fetch it anew after every call into the guest: growth changes its size
  // and may move it. Empty when the module exports no memory.
  std::span<uint8_t> memory() const { return {memory_data_, memory_size_}; }

  // True once a call has trapped, or raise() was called.
  bool dead() const { return (attention_.load(std::memory_order_relaxed) & detail::kAttentionDead) != 0; }
  // Lets a host function end the guest's call with a trap; takes effect when the host function returns. The instance
  // is dead at once. Outside of a call it only makes the instance dead. Nothing happens if it is dead already.
  void raise(Trap trap);

  const Module& module() const { return *module_; }

 protected:
  Instance(std::shared_ptr<Module> module, const Limits& limits);

  // Calls export `index` - 1 of the module, without native code; only while kAttentionInterpreted is set.
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
};

}  // namespace inlay::engine

#include "engine/detail/call.h"           // IWYU pragma: export
#include "engine/detail/host_function.h"  // IWYU pragma: export
