// SPDX-License-Identifier: Apache-2.0
#include "compiler/dynamic_module.h"

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <set>

#include "base/files.h"
#include "compiler/parse.h"
#include "compiler/wasm2c/compile.h"
#include "compiler/wasm2c/compiler_run.h"
#include "compiler/wasm2c/temporary_directory.h"
#include "compiler/wasm2c/translate.h"
#include "engine/aot/linked.h"
#include "engine/within_memory.h"

namespace inlay::compiler {
namespace {

using engine::aot::ModuleId;

// All that Envoy looks up; the rest is nobody's business, and two such libraries in one process must not mix.
constexpr std::string_view kExports = "{ global: envoy_dynamic_module_on_*; local: *; };\n";

std::string symbol_of(size_t index) {
  return "inlay_module_" + std::to_string(index);
}

// Bytes as a C string literal, in octal where a character is not plain.
std::string literal(std::string_view bytes) {
  std::string out = "\"";
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = byte >= 0x20 && byte < 0x7f && c != '"' && c != '\\' && c != '?';
    char octal[5];
    std::snprintf(octal, sizeof octal, "\\%03o", byte);
    out += plain ? std::string(1, c) : std::string(octal);
  }
  return out + "\"";
}

// What the table has of a module.
struct Entry {
  std::string name;
  std::string sha256;
  std::string description;
};

// The note, as the assembler writes it: sizes of owner and content, type, and both, each filled up to four bytes.
std::string note_text(const std::vector<Entry>& entries) {
  std::string content;
  for (const Entry& entry : entries) content += entry.sha256 + " " + entry.name + "\n";
  std::string lines;
  const auto line = [&lines](const std::string& text) { lines += "  " + literal(text + "\n") + "\n"; };
  line(std::string(".pushsection ") + engine::aot::kNoteSection + ",\"a\",%note");
  line(".balign 4");
  line(".long " + std::to_string(engine::aot::kNoteOwner.size() + 1) + ", " + std::to_string(content.size()) + ", " +
       std::to_string(engine::aot::kNoteModules));
  line(".asciz " + literal(engine::aot::kNoteOwner));
  line(".balign 4");
  line(".ascii " + literal(content));
  line(".balign 4");
  line(".popsection");
  return "__asm__(\n" + lines + ");\n";
}

// The table of the modules (engine/aot/linked.h), as C.
std::string table_text(const std::vector<Entry>& entries) {
  std::string text = "struct descriptor;\n";
  for (size_t i = 0; i < entries.size(); ++i) text += "extern const struct descriptor " + symbol_of(i) + ";\n";
  text +=
      "struct linked {\n  const char* name;\n  const char* sha256;\n  const struct descriptor* descriptor;\n"
      "  const char* description;\n  unsigned long description_size;\n};\nconst struct linked ";
  text += engine::aot::kLinkedSymbol;
  text += "[] = {\n";
  for (size_t i = 0; i < entries.size(); ++i) {
    const Entry& entry = entries[i];
    text += "  {" + literal(entry.name) + ", \"" + entry.sha256 + "\", &" + symbol_of(i) + ",\n   " +
            literal(entry.description) + ", " + std::to_string(entry.description.size()) + "},\n";
  }
  return text + "  {0, 0, 0, 0, 0},\n};\n" + note_text(entries);
}

bool write_file(const std::string& path, std::string_view text) {
  std::ofstream out(path, std::ios::binary);
  out.write(text.data(), static_cast<std::streamsize>(text.size()));
  out.close();
  return out.good();
}

Error at(const LinkedModule& module, Error error) {
  error.where = error.where.empty() ? module.name : module.name + ": " + error.where;
  return error;
}

// One module's object file.
Result<Entry> compile_one(const LinkedModule& module, size_t index, const Compiler& compiler, const CompileJob& job,
                          const std::string& in, const std::string& object) {
  INLAY_TRY(const ParsedModule parsed, parse(module.bytes));
  if (!parsed.not_for_aot.empty()) return Error{ErrorCode::kUnsupported, parsed.not_for_aot, {}};
  const ModuleId id = engine::aot::module_id(module.bytes);
  INLAY_TRY(Translation translation, translate(module.bytes, parsed.description, id.key, job.stop));
  INLAY_RETURN_IF_ERROR(compile_object(compiler, translation, job, in, symbol_of(index), object));
  return Entry{module.name, id.sha256, std::move(translation.description)};
}

Result<> check(std::span<const LinkedModule> modules, const std::string& runtime) {
  if (modules.empty()) return Error{ErrorCode::kInvalidArgument, "there is no module to link", {}};
  std::set<std::string_view> names;
  for (const LinkedModule& module : modules) {
    if (!names.insert(module.name).second)
      return Error{ErrorCode::kInvalidArgument, "two modules have this name: Envoy's filter_name chooses by it",
                   module.name};
  }
  if (!std::filesystem::is_regular_file(runtime))
    return Error{ErrorCode::kNotFound,
                 "there is no such file; it comes with Inlay, beside the program or in lib/inlay, where the build had "
                 "libcrypto.a, libz.a and libstdc++.a (on Debian: libssl-dev, zlib1g-dev, g++)",
                 runtime};
  return {};
}

Result<> link(std::span<const LinkedModule> modules, const LoadOptions& options, const std::string& runtime,
              const std::string& output) {
  INLAY_TRY(const Compiler compiler, find_compiler(options));
  std::string directory = std::filesystem::path(output).parent_path();
  if (directory.empty()) directory = ".";
  const TemporaryDirectory temporary(directory);
  const std::string& in = temporary.path();
  if (in.empty())
    return Error{ErrorCode::kIo, std::string("cannot make a directory: ") + std::strerror(errno), directory};
  const CompileJob job{optimization_flag(options), 1, options.stop};
  const std::string library = in + "/library.so";
  std::vector<std::string> command = {"-shared", "-fPIC", "-o", library, runtime, in + "/table.c"};
  std::vector<Entry> entries;
  for (const LinkedModule& module : modules) {
    command.push_back(in + "/" + symbol_of(entries.size()) + ".o");
    auto entry = compile_one(module, entries.size(), compiler, job, in, command.back());
    if (!entry) return at(module, std::move(entry).error());
    entries.push_back(*std::move(entry));
  }
  const std::string exports = in + "/exports.map";
  if (!write_file(in + "/table.c", table_text(entries)) || !write_file(exports, kExports))
    return Error{ErrorCode::kIo, "cannot be written: is the disk full?", in};
  command.insert(command.end(), {"-Wl,--version-script=" + exports, "-Wl,-z,nodelete,-z,now,-z,relro,-z,noexecstack",
                                 "-Wl,--gc-sections,--strip-debug", "-lm"});
  INLAY_RETURN_IF_ERROR(CompilerRun(compiler.path, in, options.stop).run({command}));
  if (std::rename(library.c_str(), output.c_str()) != 0)
    return Error{ErrorCode::kIo, std::string("cannot be written: ") + std::strerror(errno), output};
  return {};
}

}  // namespace

Result<> compile_dynamic_module(std::span<const LinkedModule> modules, const LoadOptions& options,
                                const std::string& runtime, const std::string& output) {
  return engine::within_memory("compile the modules", [&]() -> Result<> {
    INLAY_RETURN_IF_ERROR(check(modules, runtime));
    INLAY_TRY(const std::string target, replaceable(output));
    return link(modules, options, runtime, target);
  });
}

}  // namespace inlay::compiler
