// SPDX-License-Identifier: Apache-2.0
#include "host/module_check.h"

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "abi/functions.h"
#include "host/callbacks.h"
#include "host/functions.h"

namespace inlay::host {
namespace {

using engine::Export;
using engine::ExternKind;
using engine::FunctionType;
using engine::Import;

constexpr std::string_view kVersionPrefix = "proxy_abi_version_";

using Exports = std::span<const Export>;

struct Faults {
  std::vector<std::string> list;
  void add(std::string text) { list.push_back(std::move(text)); }
};

const Export* find_export(Exports exports, std::string_view name) {
  const auto found = std::find_if(exports.begin(), exports.end(), [&](const Export& e) { return e.name == name; });
  return found == exports.end() ? nullptr : &*found;
}

// The first marker in the module's own order wins, as in Envoy.
std::optional<abi::Version> find_version(Exports exports, Faults& faults) {
  std::string others;
  for (const Export& e : exports) {
    for (const auto& marker : abi::kVersionMarkers)
      if (e.name == marker.name) return marker.version;
    if (e.name.starts_with(kVersionPrefix)) others += " (it has " + e.name + ")";
  }
  faults.add("it exports none of proxy_abi_version_0_1_0, proxy_abi_version_0_2_0 and proxy_abi_version_0_2_1" +
             others + ", so it is no proxy-wasm module that this host knows: link it with a proxy-wasm SDK");
  return std::nullopt;
}

void check_memory(Exports exports, Faults& faults) {
  const Export* memory = find_export(exports, "memory");
  if (memory == nullptr || memory->kind != ExternKind::kMemory)
    faults.add("it exports no memory: a memory named \"memory\" is needed");
}

void check_allocator(Exports exports, Faults& faults) {
  const FunctionType wanted = function_type(Callbacks().memory_allocate);
  std::string found;
  for (const char* name : {"proxy_on_memory_allocate", "malloc"}) {
    const Export* e = find_export(exports, name);
    if (e == nullptr) continue;
    if (e->kind == ExternKind::kFunction && e->type == wanted) return;
    found += std::string(" (") + name + " is " + e->type.to_string() + ")";
  }
  faults.add("it exports no allocator: proxy_on_memory_allocate or malloc, " + wanted.to_string() + ", is needed" +
             found);
}

// "0.2.0"
std::string dotted(std::string_view marker) {
  std::string text(marker.substr(kVersionPrefix.size()));
  std::replace(text.begin(), text.end(), '_', '.');
  return text;
}

// A function that other versions of the ABI have.
void add_version_fault(const Import& import, const std::string& name, abi::Version version, Faults& faults) {
  std::string has;
  std::string own;
  for (const auto& marker : abi::kVersionMarkers) {
    if (marker.version == version) own = dotted(marker.name);
    if (is_offered(import.module, import.name, marker.version))
      has += (has.empty() ? "" : " and ") + dotted(marker.name);
  }
  faults.add("it imports " + name + ", which is there for modules of ABI " + has +
             " only, in Envoy too; it is one of " + own);
}

void check_imports(std::span<const Import> imports, std::optional<abi::Version> version, Faults& faults) {
  for (const Import& import : imports) {
    const std::string name = import.module + "." + import.name;
    if (import.kind != ExternKind::kFunction) {
      faults.add("it imports " + name + ", which is no function: a proxy-wasm host gives functions only");
      continue;
    }
    const engine::HostFunction* f = find_function(import.module, import.name);
    if (f == nullptr) {
      faults.add("it imports " + name + " " + import.type.to_string() + ", which no proxy-wasm host function is");
      continue;
    }
    const FunctionType right{{f->params.begin(), f->params.end()}, {f->results.begin(), f->results.end()}};
    if (right != import.type)
      faults.add("it imports " + name + " as " + import.type.to_string() + "; it is " + right.to_string());
    // Without a version there is a greater fault.
    if (version && !is_offered(import.module, import.name, *version)) add_version_fault(import, name, *version, faults);
  }
}

void check_callbacks(Exports exports, Faults& faults) {
  for (const Export& e : exports) {
    bool known = false;
    bool right = false;
    std::string types;
    Callbacks none;
    Callbacks::for_each(none, [&](std::string_view name, const auto& handle) {
      if (name != e.name) return;
      known = true;
      const FunctionType type = function_type(handle);
      right = right || (e.kind == ExternKind::kFunction && e.type == type);
      types += (types.empty() ? "" : " or ") + type.to_string();
    });
    if (known && !right) faults.add("it exports " + e.name + " as " + e.type.to_string() + "; it must be " + types);
  }
}

}  // namespace

ModuleFindings examine_module(std::span<const Import> imports, Exports exports) {
  Faults faults;
  const auto version = find_version(exports, faults);
  check_memory(exports, faults);
  check_allocator(exports, faults);
  check_imports(imports, version, faults);
  check_callbacks(exports, faults);
  return {version, std::move(faults.list)};
}

Result<abi::Version> check_module(const engine::Module& module) {
  const ModuleFindings found = examine_module(module.imports(), module.exports());
  if (found.faults.empty()) return *found.version;
  std::string message = "the module cannot run here: ";
  for (size_t i = 0; i < found.faults.size(); ++i) message += (i ? "; " : "") + found.faults[i];
  return Error{ErrorCode::kInvalidArgument, std::move(message), ""};
}

}  // namespace inlay::host
