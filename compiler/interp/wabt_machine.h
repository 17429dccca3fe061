// SPDX-License-Identifier: Apache-2.0
#pragma once

// wabt's interpreter behind a narrow wall. wabt 1.0.32's interpreter headers are C++17 and do not compile as C++20, so
// wabt_machine.cc alone includes them and is compiled as C++17; this header must be both.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace inlay::compiler::interp {

// A number of any type, its bits in the low end.
using Bits = uint64_t;

enum class Outcome : uint8_t {
  kOk,
  kTrap,         // wabt trapped, or an allocation failed; the message says why
  kException,    // an exception that nothing caught
  kInterrupted,  // Hooks::interrupted said so, or a host function refused to go on
  kExhausted,    // a limit was hit at instantiation, or there is no memory for it
};

struct Hooks {
  void* self = nullptr;
  // Calls import `index`; false: end the guest's call.
  bool (*host)(void* self, uint32_t index, const Bits* args, Bits* result) = nullptr;
  // Asked every few thousand instructions; true: end the guest's call.
  bool (*interrupted)(void* self) = nullptr;
};

struct MachineLimits {
  uint64_t max_memory_pages = 0;
  uint32_t max_table_elements = 0;
};

// Proposals beyond WebAssembly 2.0 without SIMD that a module may use; bits of a set.
enum Proposal : uint32_t {
  kSimd = 1u << 0,
  kExceptions = 1u << 1,
  kTailCalls = 1u << 2,
  kThreads = 1u << 3,
  kMemory64 = 1u << 4,
  kMultipleMemories = 1u << 5,
  kExtendedConstants = 1u << 6,
  kFunctionReferences = 1u << 7,
  kRelaxedSimd = 1u << 8,
};
// What the interpreter runs.
inline constexpr uint32_t kInterpretable = kSimd | kExceptions | kTailCalls;
inline constexpr uint32_t kAllProposals = (1u << 9) - 1;

// Extern is an import or an export; types are the values of engine::ValueType, the kind of engine::ExternKind.
struct Extern {
  std::string module;  // of an import
  std::string name;
  uint8_t kind = 0;
  std::vector<uint8_t> params;  // of a function
  std::vector<uint8_t> results;
};

// Program is a valid module in the interpreter's own form. Immutable; machines on any thread copy it.
class Program {
 public:
  ~Program();
  std::vector<Extern> imports() const;
  std::vector<Extern> exports() const;
  // function_name_section() of the module.
  const std::string& function_names() const;

 private:
  friend class Machine;
  friend std::shared_ptr<const Program> read(const uint8_t* bytes, size_t size, uint32_t proposals, std::string* wrong);
  struct Parts;
  Program();
  std::unique_ptr<Parts> parts_;
};

// Reads and validates a module that may use `proposals`; null if it is not valid, with wabt's words and the offset in
// `wrong`. wabt's reader for this interpreter checks everything as it goes, where the one that makes an IR runs into
// assertions on invalid input: nothing may reach that one unless it has passed here.
std::shared_ptr<const Program> read(const uint8_t* bytes, size_t size, uint32_t proposals, std::string* wrong);

// Snapshot is all that a machine keeps between calls. What it points to is the machine's.
struct Snapshot {
  static constexpr uint32_t kNoFunction = UINT32_MAX;
  enum class Kind : uint8_t { kNumber32, kNumber64, kFunction, kExtern };

  struct Global {
    Kind kind = Kind::kNumber32;
    Bits bits = 0;                    // of a number
    uint32_t function = kNoFunction;  // index in the module, of a reference to one
  };
  struct Table {
    Kind kind = Kind::kFunction;
    size_t size = 0;
    std::vector<uint32_t> functions;  // as Global::function; none for external references, which are all null
  };
  const uint8_t* memory = nullptr;
  size_t memory_size = 0;       // bytes
  std::vector<Global> globals;  // the mutable ones
  std::vector<Table> tables;
  std::vector<bool> dropped;  // of the passive data segments, then of the passive element segments
};

struct RunningFunction {
  uint32_t function = 0;  // index in the module, imports first
  uint32_t offset = 0;    // in the module, of the instruction that ran; 0: not known (code_offsets.h)
};

// Machine is one instance.
class Machine {
 public:
  Machine(const Program& program, const Hooks& hooks, const MachineLimits& limits);
  ~Machine();
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;

  // Allocates, initializes and runs the start function.
  Outcome instantiate(std::string* message);
  // Calls an exported function. Re-entrant.
  Outcome call(uint32_t export_index, const Bits* args, Bits* result, std::string* message);

  // The functions that were running when the last call of kTrap, kException or kInterrupted ended, the innermost first.
  const std::vector<RunningFunction>& backtrace() const;

  // The first exported memory; null if there is none.
  uint8_t* memory_data() const;
  size_t memory_size() const;

  // Between calls, of an instance whose instantiate() has returned kOk.
  Snapshot snapshot() const;
  // The values of the last `count` globals, all of which are numbers; none if it could not be instantiated. Also after
  // a trap.
  std::vector<Bits> last_globals(size_t count) const;

 private:
  struct State;
  Outcome instantiate_module(std::string* message);
  std::unique_ptr<State> state_;
};

}  // namespace inlay::compiler::interp
