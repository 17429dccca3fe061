// SPDX-License-Identifier: Apache-2.0
#include "compiler/tiers/restore.h"

#include <algorithm>
#include <cstring>
#include <vector>

namespace inlay::compiler {
namespace {

using engine::aot::GuestTable;
using engine::aot::State;

using interp::Snapshot;

constexpr uint64_t kPage = 65536;

// References has a reference to each function that one may point to, as the generated code writes them.
class References {
 public:
  References(const State& state, void* guest, const engine::aot::GuestResources& resources) : state_(state) {
    if (state.scratch == nullptr) return;
    auto& table = *static_cast<GuestTable*>(state.scratch(guest));
    size_ = resources.element_size(table);
    bytes_.resize(size_t{state.referred_count} * size_);
    const GuestTable before = table;
    table = {bytes_.data(), state.referred_count, state.referred_count};
    state.refer(guest);
    table = before;
  }

  void write(void* to, uint32_t function) const {
    const uint32_t* const end = state_.referred + state_.referred_count;
    const uint32_t* const found = std::lower_bound(state_.referred, end, function);
    if (found == end || *found != function) {
      std::memset(to, 0, size_);
    } else {
      std::memcpy(to, bytes_.data() + static_cast<size_t>(found - state_.referred) * size_, size_);
    }
  }
  size_t size() const { return size_; }

 private:
  const State& state_;
  size_t size_ = 0;  // of one; 0: there is none
  std::vector<char> bytes_;
};

bool restore_memory(engine::aot::GuestMemory& memory, const Snapshot& from) {
  if (!engine::aot::grow(memory, from.memory_size / kPage - memory.pages)) return false;
  if (from.memory_size != 0) std::memcpy(memory.data, from.memory, from.memory_size);
  return true;
}

bool restore_table(GuestTable& table, uint32_t element_size, const Snapshot::Table& from,
                   const References& references) {
  if (!engine::aot::grow(table, static_cast<uint32_t>(from.size) - table.size, element_size)) return false;
  auto* element = static_cast<char*>(table.data);
  for (size_t i = 0; i < from.functions.size() && references.size() != 0; ++i, element += element_size) {
    references.write(element, from.functions[i]);
  }
  return true;
}

void restore_global(void* global, const Snapshot::Global& from, const References& references) {
  switch (from.kind) {
    case Snapshot::Kind::kNumber32:
      std::memcpy(global, &from.bits, 4);  // the low half comes first
      break;
    case Snapshot::Kind::kNumber64:
      std::memcpy(global, &from.bits, 8);
      break;
    case Snapshot::Kind::kFunction:
      if (references.size() != 0) references.write(global, from.function);
      break;
    case Snapshot::Kind::kExtern:  // null: no host function makes another
      break;
  }
}

}  // namespace

bool restore(const State& state, void* guest, engine::aot::AotContext& context, const Snapshot& from) {
  if (from.globals.size() != state.global_count || from.tables.size() != state.table_count ||
      from.dropped.size() != state.segment_count || (state.memory == nullptr && from.memory_size != 0)) {
    return false;  // another module's
  }
  const References references(state, guest, context.resources);
  if (state.memory != nullptr && !restore_memory(*static_cast<engine::aot::GuestMemory*>(state.memory(guest)), from))
    return false;
  for (uint32_t i = 0; i < state.table_count; ++i) {
    auto& table = *static_cast<GuestTable*>(state.tables[i](guest));
    if (!restore_table(table, context.resources.element_size(table), from.tables[i], references)) return false;
  }
  for (uint32_t i = 0; i < state.global_count; ++i) {
    restore_global(state.globals[i](guest), from.globals[i], references);
  }
  for (uint32_t i = 0; i < state.segment_count; ++i) {
    if (from.dropped[i]) state.drops[i](guest);
  }
  return true;
}

}  // namespace inlay::compiler
