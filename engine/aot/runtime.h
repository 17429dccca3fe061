// SPDX-License-Identifier: Apache-2.0
#pragma once

// What generated code calls: our own implementation of wasm2c's runtime, handed to an artifact as a table of pointers.
// The structs here have a twin in the C text of shim.cc; kShimAbi counts their changes.

#include <cstdint>
#include <string>
#include <vector>

#include "engine/aot/traps.h"

namespace inlay::engine::aot {

inline constexpr uint32_t kShimAbi = 4;

// wasm_rt_memory_t
struct GuestMemory {
  uint8_t* data;
  uint64_t pages;
  uint64_t max_pages;
  uint64_t size;
  uint8_t is64;
};

// wasm_rt_funcref_table_t and wasm_rt_externref_table_t
struct GuestTable {
  void* data;
  uint32_t max_size;
  uint32_t size;
};

struct Runtime {
  void (*trap)(uint32_t kind, const char* where);
  void (*unwind)();
  void (*allocate_memory)(GuestMemory*, uint64_t initial, uint64_t max);
  uint64_t (*grow_memory)(GuestMemory*, uint64_t delta);
  void (*allocate_table)(GuestTable*, uint32_t elements, uint32_t max, uint32_t element_size);
  uint32_t (*grow_table)(GuestTable*, uint32_t delta, const void* init, uint32_t element_size);
  uint32_t (*register_func_type)(const uint8_t* types, uint32_t params, uint32_t results);
};
extern const Runtime kRuntime;

// State is the way to what an instance keeps between calls (compiler/exposed_state.h).
struct State {
  using Reach = void* (*)(void* instance);
  using Call = void (*)(void* instance);

  uint32_t global_count;
  uint32_t table_count;
  uint32_t segment_count;
  uint32_t referred_count;
  const Reach* globals;  // the mutable ones
  const Reach* tables;   // of GuestTable
  const Call* drops;     // of the passive segments: data, then elements
  const uint32_t* referred;
  Reach memory;   // of GuestMemory; null: there is none
  Call start;     // null: there is none
  Reach scratch;  // of GuestTable; null if `referred` is empty
  Call refer;     // puts references to all of `referred` into scratch
};

// Descriptor is what an artifact exports under kDescriptorSymbol.
struct Descriptor {
  uint32_t abi;
  uint32_t export_count;
  uint32_t import_count;
  uint32_t function_count;
  char key[65];
  uint64_t instance_size;
  void (*initialize)(const Runtime*);
  void (*instantiate)(void* instance, detail::GuestContext*);  // all but the start function
  const NativeFunction* exports;                               // null for what is no function
  const NativeFunction* functions;         // those that a funcref may point to; same order in every artifact of a key
  GuestMemory* (*memory)(void* instance);  // null: no memory is exported
  const State* state;
};
inline constexpr const char* kDescriptorSymbol = "inlay_module";

// GuestResources are the memories and tables of one instance, freed with it.
struct GuestResources {
  GuestResources() = default;
  GuestResources(const GuestResources&) = delete;
  GuestResources& operator=(const GuestResources&) = delete;
  ~GuestResources() { release(); }
  struct Reservation {
    char* begin;
    GuestMemory* memory;
  };
  std::vector<Reservation> memories;
  struct Table {
    GuestTable* table;
    uint32_t element_size;
  };
  std::vector<Table> tables;
  uint64_t max_memory_bytes = 0;
  uint32_t max_table_elements = 0;
  std::string exhausted;  // why an allocation was refused

  // Of a table that is one of `tables`.
  uint32_t element_size(const GuestTable& table) const;
  // Frees them.
  void release();
};

// Grow by pages, or by null elements; false at a limit, or if there is no memory.
bool grow(GuestMemory& memory, uint64_t delta);
bool grow(GuestTable& table, uint32_t delta, uint32_t element_size);

// AotContext is the GuestContext of an AOT instance.
struct AotContext : detail::GuestContext {
  GuestResources resources;
  const GuestMemory* exported = nullptr;  // Instance::memory() shows this one
  uint8_t** span_data = nullptr;
  size_t* span_size = nullptr;
  void refresh_span() const {
    if (exported == nullptr) return;
    *span_data = exported->data;
    *span_size = exported->size;
  }
};

// Async-signal-safe.
bool is_guest_memory(const detail::GuestContext& context, const char* address);

}  // namespace inlay::engine::aot
