// SPDX-License-Identifier: Apache-2.0
#include "compiler/parse.h"

#include <wabt/apply-names.h>
#include <wabt/binary-reader-ir.h>
#include <wabt/binary-reader.h>
#include <wabt/c-writer.h>
#include <wabt/config.h>
#include <wabt/error.h>
#include <wabt/generate-names.h>
#include <wabt/ir.h>
#include <wabt/stream.h>
#include <algorithm>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "compiler/compiler.h"
#include "compiler/interp/wabt_machine.h"
#include "compiler/large_stack.h"
#include "compiler/reader_guard.h"
#include "compiler/wasm2c/shim.h"
#include "engine/within_memory.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/lsan_interface.h>
#endif

namespace inlay::compiler {

namespace {

struct ProposalName {
  interp::Proposal proposal;
  std::string_view name;
};
constexpr ProposalName kProposalNames[] = {
    {interp::kSimd, "SIMD"},
    {interp::kExceptions, "exceptions"},
    {interp::kTailCalls, "tail calls"},
    {interp::kThreads, "threads (atomic instructions or shared memory)"},
    {interp::kMemory64, "64-bit memory"},
    {interp::kMultipleMemories, "more than one memory"},
    {interp::kExtendedConstants, "extended constant expressions"},
    {interp::kFunctionReferences, "typed function references"},
    {interp::kRelaxedSimd, "relaxed SIMD"},
};

// Empty if it is valid, and then it is in `program`.
std::string validate(std::span<const uint8_t> bytes, uint32_t proposals,
                     std::shared_ptr<const interp::Program>* program = nullptr) {
  std::string wrong;
  auto read = interp::read(bytes.data(), bytes.size(), proposals, &wrong);
  if (read == nullptr) return wrong;
  if ((proposals & ~interp::kInterpretable) == 0) wrong = wrongly_passed(bytes, (proposals & interp::kSimd) != 0);
  if (program != nullptr && wrong.empty()) *program = std::move(read);
  return wrong;
}

// Those of `candidates` without which a module that is valid with all of `proposals` is not: "SIMD and exceptions".
std::string needed(std::span<const uint8_t> bytes, uint32_t proposals, uint32_t candidates) {
  std::string names;
  for (const ProposalName& p : kProposalNames) {
    if ((p.proposal & candidates) == 0 || validate(bytes, proposals & ~p.proposal).empty()) continue;
    names.append(names.empty() ? "" : " and ").append(p.name);
  }
  return names.empty() ? "a proposal beyond WebAssembly 2.0" : names;
}

// What a module is that neither engine takes.
Error refusal(std::span<const uint8_t> bytes, const std::string& wrong) {
  if (validate(bytes, interp::kAllProposals).empty()) {
    return {ErrorCode::kUnsupported,
            "the module uses " + needed(bytes, interp::kAllProposals, ~interp::kInterpretable) +
                ", which Inlay does not run; compile it without",
            {}};
  }
  // Structures, arrays, groups of types and subtypes.
  for (const char* form : {"0x5f", "0x5e", "0x4e", "0x50", "0x4f"}) {
    if (!wrong.starts_with(std::string("unexpected type form (got ") + form)) continue;
    return {ErrorCode::kUnsupported, "the module uses garbage-collected types, which Inlay does not run: " + wrong, {}};
  }
  return {ErrorCode::kInvalidArgument, "not a valid WebAssembly module: " + wrong, {}};
}

// For the reader that makes an IR; what it reads is known to be valid.
wabt::Features features() {
  wabt::Features features;
  features.set_simd_enabled(false);
  features.set_exceptions_enabled(false);
  features.set_tail_call_enabled(false);
  return features;
}

// Makes wabt's IR of a module that interp::read() has found valid.
bool read_ir(std::span<const uint8_t> bytes, const wabt::Features& features, wabt::Module* module) {
  // Names are for people: a broken name section is no reason to refuse a module, and we do not read it.
  const wabt::ReadBinaryOptions options(features, nullptr, false, true, false);
  wabt::Errors errors;
  return wabt::Succeeded(wabt::ReadBinaryIr("module", bytes.data(), bytes.size(), options, &errors, module));
}

engine::FunctionType function_type(const interp::Extern& from) {
  engine::FunctionType type;
  for (const uint8_t param : from.params) type.params.push_back(static_cast<engine::ValueType>(param));
  for (const uint8_t result : from.results) type.results.push_back(static_cast<engine::ValueType>(result));
  return type;
}

engine::Description describe(const interp::Program& program) {
  engine::Description out;
  for (interp::Extern& import : program.imports()) {
    out.imports.push_back({std::move(import.module), std::move(import.name),
                           static_cast<engine::ExternKind>(import.kind), function_type(import)});
  }
  for (interp::Extern& exported : program.exports()) {
    out.exports.push_back(
        {std::move(exported.name), static_cast<engine::ExternKind>(exported.kind), function_type(exported)});
  }
  return out;
}

std::string take(wabt::MemoryStream& stream) {
  const auto& data = stream.output_buffer().data;
  return {data.begin(), data.end()};
}

// wabt::WriteC() writes one file up to 1.0.32 and takes a list of files later. The installed one picks its overload.
using WriteOneFile = wabt::Result(wabt::Stream*, wabt::Stream*, const char*, const wabt::Module*,
                                  const wabt::WriteCOptions&);
using WriteFiles = wabt::Result(std::vector<wabt::Stream*>&&, wabt::Stream*, wabt::Stream*, const char*, const char*,
                                const wabt::Module*, const wabt::WriteCOptions&);

[[maybe_unused]] wabt::Result write_with(WriteOneFile& write, wabt::Stream* source, wabt::Stream* header,
                                         const wabt::Module& module, const wabt::WriteCOptions& options) {
  return write(source, header, "guest.h", &module, options);
}

// What several source files would share goes into a header of its own, or, as here, to the head of the only one.
[[maybe_unused]] wabt::Result write_with(WriteFiles& write, wabt::Stream* source, wabt::Stream* header,
                                         const wabt::Module& module, const wabt::WriteCOptions& options) {
  return write({source}, header, source, "guest.h", "", &module, options);
}

// The later WriteCOptions also names the features.
template <class Options>
void set_features(Options& options, const wabt::Features& features) {
  if constexpr (requires { options.features; }) options.features = features;
}

// What is no module at all deserves a plainer word than the reader's "bad magic value".
std::optional<Error> check_magic(std::span<const uint8_t> bytes) {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), std::min<size_t>(bytes.size(), 256));
  if (text.starts_with(std::string_view("\0asm", 4))) return std::nullopt;
  const size_t start = text.find_first_not_of(" \t\r\n");
  std::string message = "not a WebAssembly module: it does not begin with \\0asm";
  if (start != text.npos && (text.substr(start).starts_with("(module") || text.substr(start).starts_with(";;"))) {
    message = "not a WebAssembly module but its text form: wat2wasm makes a module of it";
  }
  return Error{ErrorCode::kInvalidArgument, std::move(message), {}};
}

// Where the C goes. Writing it may take seconds, and wabt's writer can be ended in no other way: it has no place to
// return an error from, and is built without clean-ups for exceptions. So what it holds then stays allocated, as where
// memory runs out.
class StoppableStream final : public wabt::MemoryStream {
 public:
  struct Stopped {};

  explicit StoppableStream(const std::stop_token& stop) : stop_(stop) {}

 protected:
  wabt::Result WriteDataImpl(size_t offset, const void* data, size_t size) override {
    if (stop_.stop_requested()) throw Stopped();
    return MemoryStream::WriteDataImpl(offset, data, size);
  }

 private:
  const std::stop_token& stop_;
};

Result<GeneratedC> write_c_here(std::span<const uint8_t> bytes, const std::stop_token& stop) {
  wabt::Module module;
  if (!read_ir(bytes, features(), &module)) {
    return Error{ErrorCode::kUnsupported, "wabt cannot read this module for translation", {}};
  }
  for (size_t i = 0; i < module.imports.size(); ++i) {
    module.imports[i]->module_name = kImportModule;
    module.imports[i]->field_name = import_name(i);
  }
  for (size_t i = 0; i < module.exports.size(); ++i) module.exports[i]->name = export_name(i);
  ExposedState state = expose_state(module);
  StoppableStream source(stop);
  wabt::MemoryStream header;
  wabt::WriteCOptions options;
  options.module_name = kModuleName;
  set_features(options, features());
  if (wabt::Failed(wabt::GenerateNames(&module)) || wabt::Failed(wabt::ApplyNames(&module)) ||
      wabt::Failed(write_with(wabt::WriteC, &source, &header, module, options))) {
    return Error{ErrorCode::kUnsupported, "wabt cannot write this module as C", {}};
  }
  return GeneratedC{take(source), take(header), std::move(state)};
}

}  // namespace

Result<ParsedModule> parse(std::span<const uint8_t> bytes) {
  if (auto wrong = check_magic(bytes)) return *std::move(wrong);
  if (std::string problem = unfit_for_readers(bytes); !problem.empty()) {
    return Error{ErrorCode::kInvalidArgument, std::move(problem), {}};
  }
  ParsedModule parsed;
  if (!validate(bytes, 0, &parsed.program).empty()) {
    if (const std::string wrong = validate(bytes, interp::kInterpretable, &parsed.program); !wrong.empty()) {
      return refusal(bytes, wrong);
    }
    parsed.not_for_aot =
        "it uses " + needed(bytes, interp::kInterpretable, interp::kInterpretable) + ", which the C translation lacks";
  }
  parsed.description = describe(*parsed.program);
  return parsed;
}

Result<GeneratedC> write_c(std::span<const uint8_t> bytes, const std::stop_token& stop) {
  std::optional<Result<GeneratedC>> written;
  const auto write = [&]() -> Result<GeneratedC> {
#if defined(__SANITIZE_ADDRESS__)
    const __lsan::ScopedDisabler what_a_stop_leaves;
#endif
    try {
      return write_c_here(bytes, stop);
    } catch (const StoppableStream::Stopped&) {
      return Error{ErrorCode::kUnavailable, "the translation to C was stopped", {}};
    }
  };
  // On a thread of its own: an exception must not leave it.
  with_large_stack([&] { written = engine::within_memory("translate the module to C", write); });
  return *std::move(written);
}

std::string_view wabt_version() {
  return WABT_VERSION_STRING;
}

}  // namespace inlay::compiler
