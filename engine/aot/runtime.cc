// SPDX-License-Identifier: Apache-2.0
#include "engine/aot/runtime.h"

#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>

namespace inlay::engine::aot {
namespace {

constexpr uint64_t kPage = 65536;
// A 32-bit index plus a 32-bit offset plus the widest access reaches no further: no check is needed in generated code.
constexpr size_t kReservation = (size_t{8} << 30) + kPage;

// InHost marks that the thread is in our code, where a signal must not unwind. Before that it makes sure that our code
// has a stack to run on.
class InHost {
 public:
  InHost() : context_(static_cast<AotContext&>(*detail::thread_state.top->context)) {
    if (static_cast<const char*>(__builtin_frame_address(0)) < context_.stack_limit) trap(TrapKind::kStackExhausted);
    context_.in_host = 1;
  }
  InHost(const InHost&) = delete;
  InHost& operator=(const InHost&) = delete;
  ~InHost() { context_.in_host = 0; }
  AotContext* operator->() { return &context_; }

 private:
  AotContext& context_;
};

void on_trap(uint32_t kind, const char* where) {
  auto trapped = static_cast<TrapKind>(kind);
  // wasm2c has one code for both; its helper functions for tables have `table` in their names, and guest functions,
  // whose names we choose, have not.
  if (trapped == TrapKind::kMemoryOutOfBounds && std::strstr(where, "table") != nullptr) {
    trapped = TrapKind::kTableOutOfBounds;
  }
  trap(trapped);
}

void on_unwind() {
  trap(TrapKind::kHost);
}

void allocate_memory_in(AotContext& context, GuestMemory* memory, uint64_t initial, uint64_t max) {
  GuestResources& resources = context.resources;
  const uint64_t limit = std::min<uint64_t>(resources.max_memory_bytes / kPage, 65536);
  if (initial > limit) {
    resources.exhausted = "the module wants " + std::to_string(initial * kPage) +
                          " bytes of memory at start, the limit is " + std::to_string(resources.max_memory_bytes);
    return;
  }
  void* base = mmap(nullptr, kReservation, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (base == MAP_FAILED) {
    resources.exhausted = std::string("cannot reserve 8 GiB of address space for a guest's memory: ") +
                          std::strerror(errno) + " (is RLIMIT_AS set, see ulimit -v?)";
    return;
  }
  resources.memories.push_back({static_cast<char*>(base), memory});
  if (initial != 0 && mprotect(base, initial * kPage, PROT_READ | PROT_WRITE) != 0) {
    resources.exhausted = std::string("cannot get memory for a guest: ") + std::strerror(errno);
    return;
  }
  *memory = {static_cast<uint8_t*>(base), initial, std::min(max, limit), initial * kPage, 0};
}

void allocate_memory(GuestMemory* memory, uint64_t initial, uint64_t max) {
  bool refused = false;
  {
    InHost host;
    allocate_memory_in(*host.operator->(), memory, initial, max);
    refused = !host->resources.exhausted.empty();
  }
  if (refused) trap(TrapKind::kHost);
}

uint64_t grow_memory(GuestMemory* memory, uint64_t delta) {
  InHost host;
  const uint64_t before = memory->pages;
  if (!grow(*memory, delta)) return UINT64_MAX;
  host->refresh_span();
  return before;
}

void allocate_table(GuestTable* table, uint32_t elements, uint32_t max, uint32_t element_size) {
  bool refused = false;
  {
    InHost host;
    GuestResources& resources = host->resources;
    table->data = elements > resources.max_table_elements ? nullptr : std::calloc(std::max(elements, 1u), element_size);
    refused = table->data == nullptr;
    if (refused) {
      resources.exhausted = "the module wants a table of " + std::to_string(elements) + " elements, the limit is " +
                            std::to_string(resources.max_table_elements);
    } else {
      resources.tables.push_back({table, element_size});
      table->size = elements;
      table->max_size = std::min(max, resources.max_table_elements);
    }
  }
  if (refused) trap(TrapKind::kHost);
}

uint32_t grow_table(GuestTable* table, uint32_t delta, const void* init, uint32_t element_size) {
  const InHost host;
  const uint32_t before = table->size;
  if (!grow(*table, delta, element_size)) return UINT32_MAX;
  for (uint32_t i = before; i < table->size; ++i) {
    std::memcpy(static_cast<char*>(table->data) + size_t{i} * element_size, init, element_size);
  }
  return before;
}

// Function types get a number that is the same for the same signature, whichever module asks. 0 is no type.
uint32_t register_func_type(const uint8_t* types, uint32_t params, uint32_t results) {
  static std::mutex mutex;
  static std::map<std::pair<uint32_t, std::vector<uint8_t>>, uint32_t> numbers;
  const std::lock_guard lock(mutex);
  std::vector<uint8_t> all(types, types + params + results);
  return numbers.try_emplace({params, std::move(all)}, static_cast<uint32_t>(numbers.size() + 1)).first->second;
}

}  // namespace

const Runtime kRuntime = {&on_trap,        &on_unwind,  &allocate_memory,   &grow_memory,
                          &allocate_table, &grow_table, &register_func_type};

bool grow(GuestMemory& memory, uint64_t delta) {
  const uint64_t before = memory.pages;
  if (delta > memory.max_pages || before + delta > memory.max_pages) return false;
  if (delta != 0 && mprotect(memory.data + before * kPage, delta * kPage, PROT_READ | PROT_WRITE) != 0) return false;
  memory.pages = before + delta;
  memory.size = memory.pages * kPage;
  return true;
}

bool grow(GuestTable& table, uint32_t delta, uint32_t element_size) {
  const uint64_t after = uint64_t{table.size} + delta;
  if (after > table.max_size) return false;
  void* data = std::realloc(table.data, std::max<uint64_t>(after, 1) * element_size);
  if (data == nullptr) return false;
  table.data = data;
  std::memset(static_cast<char*>(data) + size_t{table.size} * element_size, 0, size_t{delta} * element_size);
  table.size = static_cast<uint32_t>(after);
  return true;
}

uint32_t GuestResources::element_size(const GuestTable& table) const {
  for (const Table& known : tables) {
    if (known.table == &table) return known.element_size;
  }
  return 0;
}

void GuestResources::release() {
  for (const Reservation& memory : memories) munmap(memory.begin, kReservation);
  for (const Table& table : tables) std::free(table.table->data);
  memories.clear();
  tables.clear();
  exhausted.clear();
}

bool is_guest_memory(const detail::GuestContext& context, const char* address) {
  for (const auto& memory : static_cast<const AotContext&>(context).resources.memories) {
    if (address >= memory.begin && address < memory.begin + kReservation) return true;
  }
  return false;
}

}  // namespace inlay::engine::aot
