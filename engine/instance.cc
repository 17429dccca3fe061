// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <bit>

#include "engine/engine.h"
#include "engine/within_memory.h"

namespace inlay::engine {
namespace {

FunctionType type_of(const HostFunction& function) {
  return {{function.params.begin(), function.params.end()}, {function.results.begin(), function.results.end()}};
}

std::string_view name_of(ExternKind kind) {
  static constexpr std::string_view kNames[] = {"function", "table", "memory", "global", "tag"};
  return kNames[static_cast<size_t>(kind)];
}

// What is wrong with an import that does not fit.
std::string problem(const Import& import, const HostFunction* found) {
  const std::string name = import.module + "." + import.name;
  if (import.kind != ExternKind::kFunction) {
    return name + " (a " + std::string(name_of(import.kind)) + "; only functions are given)";
  }
  if (found == nullptr) return name + " " + import.type.to_string() + " (unknown)";
  return name + " " + import.type.to_string() + " (is " + type_of(*found).to_string() + ")";
}

bool fits(const Import& import, const HostFunction* found) {
  return found != nullptr && import.kind == ExternKind::kFunction &&
         std::equal(import.type.params.begin(), import.type.params.end(), found->params.begin(), found->params.end()) &&
         std::equal(import.type.results.begin(), import.type.results.end(), found->results.begin(),
                    found->results.end());
}

// HostTable finds a function by its name, in a hash table with open addressing: a host has a hundred functions, and a
// module may import each. Of two with one name the first counts.
class HostTable {
 public:
  explicit HostTable(std::span<const HostFunction> functions) : slots_(std::bit_ceil(2 * functions.size() + 1)) {
    for (const HostFunction& f : functions) {
      size_t at = first_slot(f.name);
      while (slots_[at] != nullptr) at = next_slot(at);
      slots_[at] = &f;
    }
  }
  const HostFunction* find(const Import& import) const {
    for (size_t at = first_slot(import.name); slots_[at] != nullptr; at = next_slot(at)) {
      if (slots_[at]->name == import.name && slots_[at]->module == import.module) return slots_[at];
    }
    return nullptr;
  }

 private:
  size_t first_slot(std::string_view name) const { return std::hash<std::string_view>()(name) & (slots_.size() - 1); }
  size_t next_slot(size_t at) const { return (at + 1) & (slots_.size() - 1); }

  std::vector<const HostFunction*> slots_;
};

Result<std::vector<const HostFunction*>> link(const Module& module, std::span<const HostFunction> functions) {
  const HostTable table(functions);
  std::vector<const HostFunction*> linked;
  std::string problems;
  for (const Import& import : module.imports()) {
    linked.push_back(table.find(import));
    if (!fits(import, linked.back())) problems += (problems.empty() ? "" : "; ") + problem(import, linked.back());
  }
  if (!problems.empty()) {
    return Error{ErrorCode::kInvalidArgument, "the module imports what this host does not have: " + problems, {}};
  }
  return linked;
}

}  // namespace

std::string_view detail::sentence(TrapKind kind) {
  switch (kind) {
    case TrapKind::kUnreachable:
      return "unreachable executed";
    case TrapKind::kMemoryOutOfBounds:
      return "memory access out of bounds";
    case TrapKind::kTableOutOfBounds:
      return "table access out of bounds";
    case TrapKind::kIntegerOverflow:
      return "integer overflow";
    case TrapKind::kDivideByZero:
      return "integer divide by zero";
    case TrapKind::kInvalidConversion:
      return "invalid conversion to integer";
    case TrapKind::kIndirectCall:
      return "indirect call to no function, or to one of another signature";
    case TrapKind::kStackExhausted:
      return "call stack exhausted";
    case TrapKind::kDeadlineExceeded:
      return "the call took longer than its budget";
    case TrapKind::kUncaughtException:
      return "uncaught exception";
    case TrapKind::kHost:
      return "ended by the host";
    case TrapKind::kDead:
      return "the instance has trapped before";
  }
  return "trap";
}

std::string_view to_string(TrapKind kind) {
  static constexpr std::string_view kNames[] = {"unreachable",
                                                "memory_out_of_bounds",
                                                "table_out_of_bounds",
                                                "integer_overflow",
                                                "divide_by_zero",
                                                "invalid_conversion",
                                                "indirect_call",
                                                "stack_exhausted",
                                                "deadline_exceeded",
                                                "uncaught_exception",
                                                "host",
                                                "dead"};
  const auto index = static_cast<size_t>(kind);
  return index < std::size(kNames) ? kNames[index] : "unknown";
}

Instance::Instance(std::shared_ptr<Module> module, const Limits& limits)
    : module_(std::move(module)), limits_(limits) {}
Instance::~Instance() = default;

Result<std::unique_ptr<Instance>> Instance::create(std::shared_ptr<Module> module,
                                                   std::span<const HostFunction> imports, void* env,
                                                   const Limits& limits) {
  INLAY_TRY(const auto linked, link(*module, imports));
  Module& which = *module;
  return within_memory("instantiate the module",
                       [&] { return which.instantiate(std::move(module), linked, env, limits); });
}

Result<detail::ResolvedExport> Instance::find_function(std::string_view name, const FunctionType& type) const {
  const Export* found = module_->find_export(name);
  if (found == nullptr) return detail::ResolvedExport{};
  if (found->kind != ExternKind::kFunction) {
    return Error{ErrorCode::kInvalidArgument,
                 "the export is a " + std::string(name_of(found->kind)) + ", expected a function " + type.to_string(),
                 std::string(name)};
  }
  if (found->type != type) {
    return Error{ErrorCode::kInvalidArgument,
                 "the export is " + found->type.to_string() + ", expected " + type.to_string(), std::string(name)};
  }
  return resolve(static_cast<uint32_t>(found - module_->exports().data()));
}

void Instance::kill(Trap trap) {
  if (dead()) return;
  if (trap.message.empty()) trap.message = detail::sentence(trap.kind);
  trap_ = std::move(trap);
  attention_.fetch_or(detail::kAttentionDead, std::memory_order_relaxed);
  if (context_ != nullptr) context_->pending = context_->pending | detail::kPendingDead;
}

void Instance::raise(Trap trap) {
  kill(std::move(trap));
}

bool Instance::attend() {
  if (dead()) {
    last_trap_ = {TrapKind::kDead, std::string(detail::sentence(TrapKind::kDead)) + ": " + trap_.message};
    return false;
  }
  adopt_code();
  return true;
}

void Instance::unwound_call(uint32_t index) {
  const bool late = (context_->pending & detail::kPendingDeadline) != 0;
  // A trap of an inner call, or a raised one, is what killed us; kill() keeps the first.
  const TrapKind kind = late ? TrapKind::kDeadlineExceeded : detail::thread_state.unwinding;
  std::string message(detail::sentence(kind));
  if (index != 0) message += " in " + module_->exports()[index - 1].name;
  kill({kind, std::move(message)});
  last_trap_ = trap_;
}

}  // namespace inlay::engine
