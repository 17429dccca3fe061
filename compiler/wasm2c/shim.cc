// SPDX-License-Identifier: Apache-2.0
#include "compiler/wasm2c/shim.h"

#include <unordered_set>

#include "engine/aot/runtime.h"

namespace inlay::compiler {
namespace {

using engine::Description;
using engine::ExternKind;
using engine::ValueType;

// Names is how one generation of wasm2c calls things.
struct Names {
  std::string_view marker;  // in guest.h of this generation only
  std::string_view instance_type;
  std::string_view instantiate;
  std::string_view export_prefix;
  std::string_view import_prefix;
  std::string_view import_instance;  // type of the first argument of an import
  std::string_view initialize;       // statements to run once
  std::string_view define;           // what runtime_header() must know
};

constexpr Names kGenerations[] = {
    {"void Z_guest_instantiate(", "Z_guest_instance_t", "Z_guest_instantiate", "Z_guestZ_", "Z_envZ_",
     "struct Z_env_instance_t*", "Z_guest_init_module();", "#define INLAY_NUMBERED_TYPES 1\n"},
    {"void wasm2c_guest_instantiate(", "w2c_guest", "wasm2c_guest_instantiate", "w2c_guest_", "w2c_env_",
     "struct w2c_env*", "", ""},
};

const Names* find_names(std::string_view header) {
  for (const Names& names : kGenerations) {
    if (header.find(names.marker) != std::string_view::npos) return &names;
  }
  return nullptr;
}

std::string_view c_type(ValueType type) {
  switch (type) {
    case ValueType::kI32:
      return "u32";
    case ValueType::kI64:
      return "u64";
    case ValueType::kF32:
      return "f32";
    case ValueType::kF64:
      return "f64";
    default:
      return "";
  }
}

// u32 Z_envZ_i0(struct Z_env_instance_t* instance, u32 a0, u64 a1) { ... }
void append_import(std::string& out, const Names& names, size_t index, const engine::FunctionType& type) {
  const std::string result(type.results.empty() ? "void" : c_type(type.results[0]));
  std::string parameters;
  std::string types;
  std::string arguments;
  for (size_t i = 0; i < type.params.size(); ++i) {
    const std::string argument = "a" + std::to_string(i);
    parameters += std::string(", ").append(c_type(type.params[i])) + " " + argument;
    types += std::string(", ").append(c_type(type.params[i]));
    arguments += ", " + argument;
  }
  out.append(result + " ").append(names.import_prefix).append(import_name(index));
  out.append("(").append(names.import_instance).append(" instance" + parameters + ") {\n  INLAY_BEFORE(instance);\n  ");
  if (!type.results.empty()) out += "const " + result + " result = ";
  out += "((" + result + " (*)(void*" + types + "))context->imports[" + std::to_string(index) + "])(context->env" +
         arguments + ");\n  INLAY_AFTER();\n";
  if (!type.results.empty()) out += "  return result;\n";
  out += "}\n";
}

Result<> check_import(const engine::Import& import) {
  const std::string what = "\"" + import.module + "." + import.name + "\"";
  if (import.kind != ExternKind::kFunction) {
    return Error{ErrorCode::kUnsupported, "the import " + what + " is not a function", {}};
  }
  bool plain = import.type.results.size() <= 1;
  for (const auto& list : {import.type.params, import.type.results}) {
    for (ValueType type : list) plain = plain && !c_type(type).empty();
  }
  if (!plain) {
    return Error{ErrorCode::kUnsupported,
                 "the import " + what + " has the type " + import.type.to_string() +
                     ", and a host function takes numbers and returns one or none",
                 {}};
  }
  return {};
}

void append_exports(std::string& out, const Names& names, const Description& module) {
  out += "static const inlay_function inlay_exports[] = {\n";
  for (size_t i = 0; i < module.exports.size(); ++i) {
    if (module.exports[i].kind == ExternKind::kFunction) {
      out.append("  (inlay_function)&").append(names.export_prefix).append(export_name(i)).append(",\n");
    } else {
      out += "  0,\n";
    }
  }
  out += "  0,\n};\n";
}

// The exports that lead to the module's state (compiler/exposed_state.h).
void append_state(std::string& out, const Names& names, const ExposedState& state) {
  const auto reach = [&](const char* kind, size_t index) {
    return std::string("(inlay_function)&").append(names.export_prefix).append(state_name(kind, index));
  };
  const auto list = [&](std::string_view name, const char* kind, size_t count) {
    out.append("static const inlay_function ").append(name).append("[] = {\n");
    for (size_t i = 0; i < count; ++i) out += "  " + reach(kind, i) + ",\n";
    out += "  0,\n};\n";
  };
  list("inlay_globals", "g", state.globals);
  list("inlay_tables", "t", state.tables);
  list("inlay_drops", "d", state.segments);
  out += "static const uint32_t inlay_referred[] = {\n";
  for (const uint32_t function : state.referred) out += std::to_string(function) + ",\n";
  out += "  0,\n};\nstatic const struct inlay_state inlay_state = {\n  ";
  for (const size_t count : {state.globals, state.tables, state.segments, state.referred.size()}) {
    out += std::to_string(count) + ", ";
  }
  const bool references = !state.referred.empty();
  out += "inlay_globals, inlay_tables, inlay_drops, inlay_referred,\n  " + (state.memory ? reach("m", 0) : "0") + ", " +
         (state.start ? reach("s", 0) : "0") + ", " + (references ? reach("x", 0) : "0") + ", " +
         (references ? reach("r", 0) : "0") + "};\n";
}

std::string_view append_memory(std::string& out, const Names& names, const Description& module) {
  for (size_t i = 0; i < module.exports.size(); ++i) {
    if (module.exports[i].kind != ExternKind::kMemory) continue;
    out.append("static wasm_rt_memory_t* inlay_memory(void* instance) { return ")
        .append(names.export_prefix)
        .append(export_name(i))
        .append("((")
        .append(names.instance_type)
        .append("*)instance); }\n");
    return "&inlay_memory";
  }
  return "0";
}

// All functions that a funcref can point to: in element segments and behind ref.func, wasm2c writes them with this
// cast.
uint32_t append_functions(std::string& out, std::string_view source) {
  constexpr std::string_view kCast = "(wasm_rt_function_ptr_t)";
  std::unordered_set<std::string_view> seen;
  out += "static const inlay_function inlay_functions[] = {\n";
  for (size_t at = source.find(kCast); at != std::string_view::npos; at = source.find(kCast, at)) {
    at += kCast.size();
    if (at < source.size() && source[at] == '&') ++at;
    size_t end = at;
    while (end < source.size() && (isalnum(static_cast<unsigned char>(source[end])) || source[end] == '_')) ++end;
    const std::string_view name = source.substr(at, end - at);
    if (name.starts_with("w2c_") || name.starts_with("Z_")) {
      if (seen.insert(name).second) out.append("  (inlay_function)&").append(name).append(",\n");
    }
  }
  out += "  0,\n};\n";
  return static_cast<uint32_t>(seen.size());
}

constexpr std::string_view kHead = R"(#include "guest.c"

const struct inlay_runtime* inlay_rt;

/* in_host is volatile: a signal handler must see it change exactly around the call. */
#define INLAY_BEFORE(instance)                                                       \
  struct inlay_context* const context = *(struct inlay_context* const*)(instance);   \
  if (UNLIKELY((const char*)__builtin_frame_address(0) < context->stack_limit))      \
    wasm_rt_trap(WASM_RT_TRAP_EXHAUSTION);                                           \
  context->in_host = 1
#define INLAY_AFTER()                              \
  if (UNLIKELY(context->pending)) inlay_rt->unwind(); \
  context->in_host = 0

)";

}  // namespace

std::string import_name(size_t index) {
  return "i" + std::to_string(index);
}
std::string export_name(size_t index) {
  return "e" + std::to_string(index);
}

std::string part_head(size_t part) {
  // Only wabt's first generation is split.
  return std::string(kGenerations[0].define) + "#define INLAY_PART " + std::to_string(part) +
         "\n#include \"common.c\"\n";
}

Result<> check_imports(const Description& module) {
  for (const engine::Import& import : module.imports) {
    INLAY_RETURN_IF_ERROR(check_import(import));
  }
  return {};
}

Result<std::string> make_shim(const GeneratedC& c, const Description& module, std::string_view key) {
  const Names* names = find_names(c.header);
  if (names == nullptr) {
    return Error{ErrorCode::kUnsupported, "this wabt writes C of a layout that Inlay does not know", {}};
  }
  INLAY_RETURN_IF_ERROR(check_imports(module));
  std::string out(names->define);
  out += kHead;
  for (size_t i = 0; i < module.imports.size(); ++i) {
    append_import(out, *names, i, module.imports[i].type);
  }
  append_exports(out, *names, module);
  const uint32_t functions = append_functions(out, c.source);
  append_state(out, *names, c.state);
  const std::string memory(append_memory(out, *names, module));
  out += "static void inlay_initialize(const struct inlay_runtime* rt) {\n  inlay_rt = rt;\n  ";
  out.append(names->initialize).append("\n}\n");
  out += "static void inlay_instantiate(void* instance, struct inlay_context* context) {\n  ";
  out.append(names->instantiate).append("((").append(names->instance_type).append("*)instance");
  if (!module.imports.empty()) out.append(", (").append(names->import_instance).append(")(void*)context");
  out += ");\n}\n__attribute__((visibility(\"default\"))) const struct inlay_descriptor inlay_module = {\n  ";
  out += std::to_string(engine::aot::kShimAbi) + ", " + std::to_string(module.exports.size()) + ", " +
         std::to_string(module.imports.size()) + ", " + std::to_string(functions) + ", \"" + std::string(key) +
         "\", sizeof(";
  out.append(names->instance_type)
      .append("), &inlay_initialize, &inlay_instantiate, inlay_exports, inlay_functions, ") +=
      memory + ", &inlay_state};\n";
  return out;
}

}  // namespace inlay::compiler
