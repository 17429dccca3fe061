// SPDX-License-Identifier: Apache-2.0
#include "inspect/facts.h"

#include <algorithm>
#include <array>
#include <set>

#include "abi/functions.h"
#include "compiler/parse.h"
#include "engine/sha256.h"
#include "host/callbacks.h"
#include "host/module_check.h"
#include "inspect/families.h"

namespace inlay::inspect {
namespace {

using engine::Export;
using engine::ExternKind;

bool is_module(std::span<const uint8_t> bytes) {
  constexpr std::array<uint8_t, 4> kMagic = {0, 'a', 's', 'm'};
  return bytes.size() >= kMagic.size() && std::equal(kMagic.begin(), kMagic.end(), bytes.begin());
}

std::string kind_name(ExternKind kind, const engine::FunctionType& type) {
  static constexpr std::string_view kNames[] = {"function", "table", "memory", "global", "tag"};
  return kind == ExternKind::kFunction ? type.to_string() : std::string(kNames[static_cast<size_t>(kind)]);
}

std::string version_text(abi::Version version) {
  constexpr std::string_view kPrefix = "proxy_abi_version_";
  for (const auto& marker : abi::kVersionMarkers) {
    if (marker.version != version) continue;
    std::string text(marker.name.substr(kPrefix.size()));
    std::replace(text.begin(), text.end(), '_', '.');
    return text;
  }
  return {};
}

const Export* find_function(const engine::Description& parsed, std::string_view name) {
  const auto found = std::find_if(parsed.exports.begin(), parsed.exports.end(),
                                  [&](const Export& e) { return e.kind == ExternKind::kFunction && e.name == name; });
  return found == parsed.exports.end() ? nullptr : &*found;
}

// As the host does it, and Envoy: a reactor's _initialize and then its main, or a command's _start.
std::vector<std::string> entry_points(const engine::Description& parsed) {
  if (find_function(parsed, "_initialize") == nullptr) {
    return find_function(parsed, "_start") == nullptr ? std::vector<std::string>() : std::vector<std::string>{"_start"};
  }
  for (const char* main : {"main", "__main_void"}) {
    if (find_function(parsed, main) != nullptr) return {"_initialize", main};
  }
  return {"_initialize"};
}

bool host_calls(std::string_view callback, const std::string& type) {
  bool found = false;
  host::Callbacks none;
  host::Callbacks::for_each(none, [&](std::string_view name, const auto& handle) {
    found = found || (name == callback && host::function_type(handle).to_string() == type);
  });
  return found;
}

void describe_imports(const engine::Description& parsed, Facts& facts, std::set<std::string>& capabilities) {
  for (const engine::Import& import : parsed.imports) {
    const auto support =
        import.kind == ExternKind::kFunction ? host::support(import.module, import.name) : host::Support::kAbsent;
    facts.functions.push_back({import.module, import.name, kind_name(import.kind, import.type),
                               std::string(function_family(import.module, import.name)), support});
    if (abi::find_host_function(import.module, import.name) != nullptr) capabilities.insert(import.name);
  }
}

void describe_exports(const engine::Description& parsed, Facts& facts, std::set<std::string>& capabilities) {
  for (const char* name : {"malloc", "proxy_on_memory_allocate"}) {
    if (find_function(parsed, name) != nullptr) facts.allocator = name;
  }
  for (const Export& e : parsed.exports) {
    const bool marker = std::any_of(abi::kVersionMarkers.begin(), abi::kVersionMarkers.end(),
                                    [&](const auto& m) { return m.name == e.name; });
    const bool entry = std::find(facts.entry.begin(), facts.entry.end(), e.name) != facts.entry.end();
    const bool memory = e.name == "memory" || callback_family(e.name) == "memory";
    if (marker || entry || memory) continue;
    const bool known = std::any_of(abi::kCallbacks.begin(), abi::kCallbacks.end(),
                                   [&](const auto& row) { return row.name == e.name; });
    if (known && e.kind == ExternKind::kFunction) {
      const std::string type = e.type.to_string();
      facts.callbacks.push_back({e.name, type, std::string(callback_family(e.name)), host_calls(e.name, type)});
      capabilities.insert(e.name);
    } else if (e.name.starts_with("proxy_")) {
      facts.unknown_exports.push_back(e.name);
    } else {
      facts.other_exports.push_back(e.name);
    }
  }
}

std::string function_name(const Layout& layout, uint32_t index) {
  for (const auto* names : {&layout.function_names, &layout.export_names}) {
    const auto found = names->find(index);
    if (found != names->end()) return found->second;
  }
  return {};
}

void describe_code(Facts& facts) {
  for (const Body& body : facts.layout.bodies) {
    facts.largest.push_back({body.index, function_name(facts.layout, body.index), body.size});
    facts.code_size += body.size;
  }
  std::stable_sort(facts.largest.begin(), facts.largest.end(),
                   [](const NamedFunction& a, const NamedFunction& b) { return a.size > b.size; });
}

StripSavings strip_savings(const Layout& layout) {
  StripSavings savings;
  for (const Section& section : layout.sections) {
    if (section.id != kCustomSection) continue;
    const bool debug = section.name.starts_with(".debug_") || section.name == "sourceMappingURL" ||
                       section.name == "external_debug_info" || section.name == "build_id";
    size_t& of_kind = section.name == "name"              ? savings.names
                      : debug                             ? savings.debug
                      : section.name == "producers"       ? savings.producers
                      : section.name == "target_features" ? savings.target_features
                                                          : savings.other;
    of_kind += section.size;
  }
  return savings;
}

}  // namespace

Result<Facts> examine(std::span<const uint8_t> module) {
  auto layout = read_layout(module);
  if (!layout && is_module(module)) {
    return Error{ErrorCode::kInvalidArgument, "not a valid WebAssembly module: " + layout.error().to_string(), {}};
  }
  INLAY_TRY(const compiler::ParsedModule read, compiler::parse(module));  // also says best what is no module at all
  if (!layout) return std::move(layout).error();
  const engine::Description& parsed = read.description;
  Facts facts;
  facts.layout = *std::move(layout);
  facts.size = module.size();
  facts.sha256 = engine::sha256(module);
  const host::ModuleFindings findings = host::examine_module(parsed.imports, parsed.exports);
  if (findings.version) facts.abi_version = version_text(*findings.version);
  facts.faults = findings.faults;
  facts.not_for_aot = read.not_for_aot;
  facts.entry = entry_points(parsed);
  std::set<std::string> capabilities;
  describe_imports(parsed, facts, capabilities);
  describe_exports(parsed, facts, capabilities);
  facts.capabilities.assign(capabilities.begin(), capabilities.end());
  describe_code(facts);
  facts.strip = strip_savings(facts.layout);
  return facts;
}

}  // namespace inlay::inspect
