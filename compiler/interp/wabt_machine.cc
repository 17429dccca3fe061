// SPDX-License-Identifier: Apache-2.0
// Compiled as C++17, see wabt_machine.h.
#include "compiler/interp/wabt_machine.h"
#include "compiler/interp/code_offsets.h"
#include "compiler/interp/function_names.h"
#include "compiler/interp/wabt_values.h"

#include <wabt/binary-reader.h>
#include <wabt/error.h>
#include <wabt/interp/binary-reader-interp.h>
#include <wabt/interp/interp.h>

#include <algorithm>
#include <cstdio>
#include <new>
#include <stdexcept>
#include <unordered_map>
#include <utility>

namespace inlay::compiler::interp {
namespace {

namespace wi = wabt::interp;

constexpr int kInstructionsBetweenChecks = 20000;
constexpr size_t kMaxFrames = 8192;
constexpr size_t kBacktraceFrames = 64;

// wabt's Thread runs a number of instructions at a time, but only its own Func can put a call on it. An explicit
// instantiation may name private members, and hands them to us.
template <class Tag, typename Tag::Type kMember>
struct Grant {
  friend typename Tag::Type member(Tag) { return kMember; }
};
struct PushCall {
  using Type = wi::RunResult (wi::Thread::*)(const wi::DefinedFunc&, wi::Trap::Ptr*);
  friend Type member(PushCall);
};
struct PushValues {
  using Type = void (wi::Thread::*)(const wi::ValueTypes&, const wi::Values&);
  friend Type member(PushValues);
};
struct PopValues {
  using Type = void (wi::Thread::*)(const wi::ValueTypes&, wi::Values*);
  friend Type member(PopValues);
};
struct Frames {
  using Type = std::vector<wi::Frame> wi::Thread::*;
  friend Type member(Frames);
};
template struct Grant<PushCall, &wi::Thread::PushCall>;
template struct Grant<PushValues, &wi::Thread::PushValues>;
template struct Grant<PopValues, &wi::Thread::PopValues>;
template struct Grant<Frames, &wi::Thread::frames_>;

constexpr const char* kNoMemory = "there is not enough memory for what the module asks for";

// Runs `work`, which returns an Outcome; kTrap where an allocation of wabt's fails, which throws.
template <class Work>
Outcome within_memory(std::string* message, Work&& work) {
  try {
    return work();
  } catch (const std::bad_alloc&) {  // below
  } catch (const std::length_error&) {
  }
  *message = kNoMemory;
  return Outcome::kTrap;
}

// Whether wabt makes exactly one instruction of its own of each such one of a module's: not so where it jumps or drops.
bool is_of_module(wabt::Opcode opcode) {
  switch (opcode) {
    case wabt::Opcode::InterpCallImport:
      return true;
    case wabt::Opcode::Br:
    case wabt::Opcode::BrIf:
    case wabt::Opcode::BrTable:
    case wabt::Opcode::Return:
    case wabt::Opcode::Drop:
      return false;
    default:
      return opcode.GetPrefix() != 0 || opcode.GetCode() < 0xe0;  // behind them are the interpreter's own
  }
}

// The last instruction of a function's, whose code begins at `begin`, that has run before `end`.
NthInstruction last_instruction(const wi::Istream& code, wi::Istream::Offset begin, wi::Istream::Offset end) {
  std::vector<wabt::Opcode> ran;
  while (begin < end) {
    const wabt::Opcode opcode = code.Read(&begin).op;
    if (is_of_module(opcode)) ran.push_back(opcode);
  }
  if (ran.empty()) return {};
  const auto before = std::count(ran.begin(), ran.end() - 1, ran.back());
  return {0, static_cast<uint32_t>(static_cast<wabt::Opcode::Enum>(ran.back())), static_cast<uint32_t>(before)};
}

}  // namespace

struct Machine::State {
  State(const Hooks& h, const MachineLimits& l) : hooks(h), limits(l), store(features(kInterpretable)) {}

  Hooks hooks;
  MachineLimits limits;
  wi::Store store;
  wi::ModuleDesc desc;
  std::vector<wi::StartDesc> starts;
  wi::Module::Ptr module;
  wi::Instance::Ptr instance;
  wi::Memory::Ptr memory;
  std::unique_ptr<wi::Thread> idle;            // kept between calls, for its stacks
  std::shared_ptr<const CodeOffsets> offsets;  // null: not known
  std::vector<RunningFunction> backtrace;

  void keep_backtrace(wi::Thread& thread) {
    backtrace.clear();
    std::vector<NthInstruction> instructions;
    const std::vector<wi::Frame>& frames = thread.*member(Frames{});
    const wi::RefVec& functions = instance->funcs();
    for (auto frame = frames.rbegin(); frame != frames.rend() && backtrace.size() < kBacktraceFrames; ++frame) {
      const auto found = std::find(functions.begin(), functions.end(), frame->func);
      if (found == functions.end()) continue;
      backtrace.push_back({static_cast<uint32_t>(found - functions.begin()), 0});
      NthInstruction instruction;
      if (offsets != nullptr && frame->mod != nullptr) {
        const auto& code = store.UnsafeGet<wi::DefinedFunc>(frame->func)->desc();
        instruction = last_instruction(frame->mod->desc().istream, code.code_offset, frame->offset);
      }
      instruction.function = backtrace.back().function;
      instructions.push_back(instruction);
    }
    if (offsets == nullptr) return;
    const std::vector<uint32_t> found = offsets->find(instructions);
    for (size_t i = 0; i < found.size(); ++i) backtrace[i].offset = found[i];
  }

  std::unique_ptr<wi::Thread> take_thread() {
    if (idle != nullptr) return std::move(idle);
    auto thread = std::make_unique<wi::Thread>(store);
    ((*thread).*member(Frames{})).reserve(kMaxFrames);
    return thread;
  }

  // Caps what may grow; false if the module starts with more.
  bool apply_limits(std::string* message) {
    for (wi::MemoryDesc& memory_desc : desc.memories) {
      auto& pages = memory_desc.type.limits;
      if (pages.initial > limits.max_memory_pages) {
        *message = "the module wants " + std::to_string(pages.initial * 65536) +
                   " bytes of memory at start, the limit is " + std::to_string(limits.max_memory_pages * 65536);
        return false;
      }
      pages.max = pages.has_max ? std::min<uint64_t>(pages.max, limits.max_memory_pages) : limits.max_memory_pages;
      pages.has_max = true;
    }
    for (wi::TableDesc& table : desc.tables) {
      auto& elements = table.type.limits;
      if (elements.initial > limits.max_table_elements) {
        *message = "the module wants a table of " + std::to_string(elements.initial) + " elements, the limit is " +
                   std::to_string(limits.max_table_elements);
        return false;
      }
      elements.max =
          elements.has_max ? std::min<uint64_t>(elements.max, limits.max_table_elements) : limits.max_table_elements;
      elements.has_max = true;
    }
    return true;
  }

  wi::HostFunc::Ptr make_import(uint32_t index, const wi::FuncType& type) {
    return wi::HostFunc::New(
        store, type,
        [this, index, type](wi::Thread&, const wi::Values& params, wi::Values& results, wi::Trap::Ptr* trap) {
          return call_host(index, type, params, results, trap);
        });
  }

  wabt::Result call_host(uint32_t index, const wi::FuncType& type, const wi::Values& params, wi::Values& results,
                         wi::Trap::Ptr* trap) {
    std::vector<Bits> args(params.size() + 1);
    for (size_t i = 0; i < params.size(); ++i) args[i] = to_bits(type.params[i], params[i]);
    Bits result = 0;
    if (!hooks.host(hooks.self, index, args.data(), &result)) {
      *trap = wi::Trap::New(store, "");
      return wabt::Result::Error;
    }
    if (!type.results.empty()) results[0] = to_value(type.results[0], result);
    return wabt::Result::Ok;
  }

  Outcome trapped(const wi::Trap::Ptr& trap, std::string* message) {
    *message = trap ? trap->message() : "";
    return message->empty() ? Outcome::kInterrupted : Outcome::kTrap;
  }

  Outcome run(wi::Thread& thread, wi::Trap::Ptr* trap, std::string* message) {
    while (true) {
      switch (thread.Run(kInstructionsBetweenChecks, trap)) {
        case wi::RunResult::Return:
          return Outcome::kOk;
        case wi::RunResult::Trap:
          return trapped(*trap, message);
        case wi::RunResult::Exception:
          return Outcome::kException;
        case wi::RunResult::Ok:
          if (hooks.interrupted(hooks.self)) return Outcome::kInterrupted;
          break;
      }
    }
  }

  Outcome call(wi::Ref ref, const Bits* args, Bits* result, std::string* message) {
    const wi::Func::Ptr function = store.UnsafeGet<wi::Func>(ref);
    const wi::FuncType& type = function->type();
    wi::Values params;
    for (size_t i = 0; i < type.params.size(); ++i) params.push_back(to_value(type.params[i], args[i]));
    wi::Values results(type.results.size());
    wi::Trap::Ptr trap;
    auto thread = take_thread();
    if (auto* defined = wabt::dyn_cast<wi::DefinedFunc>(function.get())) {
      ((*thread).*member(PushValues{}))(type.params, params);
      if (((*thread).*member(PushCall{}))(*defined, &trap) == wi::RunResult::Trap) return trapped(trap, message);
      const Outcome outcome = run(*thread, &trap, message);
      if (outcome != Outcome::kOk) {
        keep_backtrace(*thread);
        return outcome;
      }
      ((*thread).*member(PopValues{}))(type.results, &results);
    } else if (wabt::Failed(function->Call(*thread, params, results, &trap))) {
      return trapped(trap, message);
    }
    if (!results.empty() && result != nullptr) *result = to_bits(type.results[0], results[0]);
    idle = std::move(thread);
    return Outcome::kOk;
  }

  Snapshot::Global global(const wi::Global& of, const std::unordered_map<size_t, uint32_t>& functions) const {
    Snapshot::Global saved;
    saved.kind = snapshot_kind(of.type().type);
    if (saved.kind == Snapshot::Kind::kFunction) {
      const auto found = functions.find(of.Get().Get<wi::Ref>().index);
      if (found != functions.end()) saved.function = found->second;
    } else if (saved.kind != Snapshot::Kind::kExtern) {
      saved.bits = to_bits(of.type().type, of.Get());
    }
    return saved;
  }

  Snapshot::Table table(const wi::Table& of, const std::unordered_map<size_t, uint32_t>& functions) const {
    Snapshot::Table saved;
    saved.kind = snapshot_kind(of.type().element);
    saved.size = of.size();
    if (saved.kind != Snapshot::Kind::kFunction) return saved;
    for (const wi::Ref ref : of.elements()) {
      const auto found = functions.find(ref.index);
      saved.functions.push_back(found != functions.end() ? found->second : Snapshot::kNoFunction);
    }
    return saved;
  }
};

struct Program::Parts {
  wi::ModuleDesc desc;
  std::string function_names;
  std::shared_ptr<const CodeOffsets> offsets;
};

Program::Program() : parts_(std::make_unique<Parts>()) {}
Program::~Program() = default;

std::shared_ptr<const Program> read(const uint8_t* bytes, size_t size, uint32_t proposals, std::string* wrong) {
  const wabt::ReadBinaryOptions options(features(proposals), nullptr, false, true, false);
  wabt::Errors errors;
  std::shared_ptr<Program> program(new Program);
  if (wabt::Succeeded(wi::ReadBinaryInterp("module", bytes, size, options, &errors, &program->parts_->desc))) {
    program->parts_->function_names = function_name_section(bytes, size);
    CodeOffsets offsets(bytes, size);
    if (offsets.known()) program->parts_->offsets = std::make_shared<CodeOffsets>(std::move(offsets));
    return program;
  }
  *wrong = "wabt gave no reason";
  if (errors.empty()) return nullptr;
  char offset[40];
  std::snprintf(offset, sizeof offset, " (at offset 0x%zx)", static_cast<size_t>(errors.front().loc.offset));
  *wrong = errors.front().message + offset;
  return nullptr;
}

const std::string& Program::function_names() const {
  return parts_->function_names;
}

std::vector<Extern> Program::imports() const {
  std::vector<Extern> list;
  for (const wi::ImportDesc& import : parts_->desc.imports) {
    list.push_back(make_extern(import.type.module, import.type.name, *import.type.type));
  }
  return list;
}

std::vector<Extern> Program::exports() const {
  std::vector<Extern> list;
  for (const wi::ExportDesc& exported : parts_->desc.exports) {
    list.push_back(make_extern({}, exported.type.name, *exported.type.type));
  }
  return list;
}

Machine::Machine(const Program& program, const Hooks& hooks, const MachineLimits& limits)
    : state_(std::make_unique<State>(hooks, limits)) {
  state_->desc = program.parts_->desc;
  state_->offsets = program.parts_->offsets;
}

Machine::~Machine() = default;

Outcome Machine::instantiate(std::string* message) {
  const Outcome outcome = within_memory(message, [&] { return instantiate_module(message); });
  return outcome == Outcome::kTrap && *message == kNoMemory ? Outcome::kExhausted : outcome;
}

Outcome Machine::instantiate_module(std::string* message) {
  State& s = *state_;
  if (!s.apply_limits(message)) return Outcome::kExhausted;
  // wabt would run the start function without asking Hooks::interrupted.
  s.starts.swap(s.desc.starts);
  s.module = wi::Module::New(s.store, std::move(s.desc));
  wi::RefVec imports;
  std::vector<wi::HostFunc::Ptr> keep;
  for (const wi::ImportType& import : s.module->import_types()) {
    const auto* type = wabt::cast<wi::FuncType>(import.type.get());
    keep.push_back(s.make_import(static_cast<uint32_t>(keep.size()), *type));
    imports.push_back(keep.back().ref());
  }
  wi::Trap::Ptr trap;
  s.instance = wi::Instance::Instantiate(s.store, s.module.ref(), imports, &trap);
  if (trap) return s.trapped(trap, message);
  const auto& exports = s.module->export_types();
  for (size_t i = 0; i < exports.size(); ++i) {
    if (exports[i].type->kind != wi::ExternKind::Memory) continue;
    s.memory = s.store.UnsafeGet<wi::Memory>(s.instance->exports()[i]);
    break;
  }
  for (const wi::StartDesc& start : s.starts) {
    const Outcome outcome = s.call(s.instance->funcs()[start.func_index], nullptr, nullptr, message);
    if (outcome != Outcome::kOk) return outcome;
  }
  return Outcome::kOk;
}

Outcome Machine::call(uint32_t export_index, const Bits* args, Bits* result, std::string* message) {
  return within_memory(message,
                       [&] { return state_->call(state_->instance->exports()[export_index], args, result, message); });
}

const std::vector<RunningFunction>& Machine::backtrace() const {
  return state_->backtrace;
}

uint8_t* Machine::memory_data() const {
  return state_->memory && state_->memory->ByteSize() != 0 ? state_->memory->UnsafeData() : nullptr;
}
size_t Machine::memory_size() const {
  return state_->memory ? state_->memory->ByteSize() : 0;
}

std::vector<Bits> Machine::last_globals(size_t count) const {
  std::vector<Bits> values;
  if (!state_->instance) return values;
  const wi::RefVec& globals = state_->instance->globals();
  for (size_t i = globals.size() - std::min(count, globals.size()); i < globals.size(); ++i) {
    const auto global = state_->store.UnsafeGet<wi::Global>(globals[i]);
    values.push_back(to_bits(global->type().type, global->Get()));
  }
  return values;
}

Snapshot Machine::snapshot() const {
  State& s = *state_;
  Snapshot saved;
  std::unordered_map<size_t, uint32_t> functions;  // by the index of its Ref
  for (const wi::Ref ref : s.instance->funcs()) functions.emplace(ref.index, static_cast<uint32_t>(functions.size()));
  for (const wi::Ref ref : s.instance->memories()) {
    const auto memory = s.store.UnsafeGet<wi::Memory>(ref);
    saved.memory_size = memory->ByteSize();
    saved.memory = saved.memory_size != 0 ? memory->UnsafeData() : nullptr;
  }
  for (const wi::Ref ref : s.instance->globals()) {
    const auto global = s.store.UnsafeGet<wi::Global>(ref);
    if (global->type().mut == wi::Mutability::Var) saved.globals.push_back(s.global(*global, functions));
  }
  for (const wi::Ref ref : s.instance->tables()) {
    saved.tables.push_back(s.table(*s.store.UnsafeGet<wi::Table>(ref), functions));
  }
  for (const wi::DataSegment& segment : s.instance->datas()) {
    if (segment.desc().mode == wi::SegmentMode::Passive) saved.dropped.push_back(segment.size() == 0);
  }
  for (const wi::ElemSegment& segment : s.instance->elems()) {
    if (segment.desc().mode == wi::SegmentMode::Passive) saved.dropped.push_back(segment.size() == 0);
  }
  return saved;
}

}  // namespace inlay::compiler::interp
