// SPDX-License-Identifier: Apache-2.0
#pragma once

// wabt's interpreter behind a narrow wall. wabt 1.0.32's interpreter headers are C++17 and do not compile as C++20, so
// wabt_machine.cc alone includes them and is compiled as C++17; this header must be both.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace inlay::engine::interp {

// A number of any type, its bits in the low end.
using Bits = uint64_t;

enum class Outcome : uint8_t {
  kOk,
  kTrap,         // wabt trapped; the message says why
  kException,    // an exception that nothing caught
  kInterrupted,  // Hooks::interrupted said so, or a host function refused to go on
  kExhausted,    // a limit was hit at instantiation
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

// Reads and validates a module that may use `proposals`; empty if it is valid, else wabt's words with the offset.
// wabt's reader for this interpreter checks everything as it goes, where the one that makes an IR runs into assertions
// on invalid input: nothing may reach that one unless it has passed here.
std::string validate(const uint8_t* bytes, size_t size, uint32_t proposals);

// Machine is one instance.
class Machine {
 public:
  // `bytes` must be a valid module, and outlive nothing.
  Machine(const uint8_t* bytes, size_t size, const Hooks& hooks, const MachineLimits& limits);
  ~Machine();
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;

  // Allocates, initializes and runs the start function.
  Outcome instantiate(std::string* message);
  // Calls an exported function. Re-entrant.
  Outcome call(uint32_t export_index, const Bits* args, Bits* result, std::string* message);

  // The first exported memory; null if there is none.
  uint8_t* memory_data() const;
  size_t memory_size() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace inlay::engine::interp
