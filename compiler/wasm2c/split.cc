// SPDX-License-Identifier: Apache-2.0
#include "compiler/wasm2c/split.h"

namespace inlay::compiler {
namespace {

constexpr std::string_view kStatic = "static ";
constexpr std::string_view kShared = "INLAY_HIDDEN ";
// Arrays that functions in all parts refer to.
constexpr std::string_view kArrays[] = {"static u32 func_types[", "static const u8 data_segment_data_",
                                        "static const wasm_elem_segment_expr_t elem_segment_exprs_"};

std::string_view take_line(std::string_view& rest) {
  const size_t end = rest.find('\n');
  const std::string_view line = rest.substr(0, end == std::string_view::npos ? rest.size() : end + 1);
  rest.remove_prefix(line.size());
  return line;
}

// A guest's function, declared or defined: static u32 w2c_f0(...
bool is_function(std::string_view line) {
  const size_t open = line.find('(');
  if (!line.starts_with(kStatic) || open == std::string_view::npos) return false;
  const size_t name = line.rfind(' ', open) + 1;
  return line.substr(name).starts_with("w2c_");
}

bool is_array(std::string_view line) {
  for (const std::string_view prefix : kArrays) {
    if (line.starts_with(prefix) && line.find(']') != std::string_view::npos) return true;
  }
  return false;
}

// Declares the array for every part, and defines it in the first one.
void append_array(std::string& out, std::string_view line, std::string_view& rest) {
  line.remove_prefix(kStatic.size());
  out.append("extern ").append(kShared).append(line.substr(0, line.find(']') + 1)).append(";\n#ifndef INLAY_PART\n");
  out.append(line);
  const bool one_line = line.ends_with(";\n");
  while (!one_line && !rest.empty()) {
    const std::string_view next = take_line(rest);
    out.append(next);
    if (next == "};\n") break;
  }
  out.append("#endif\n");
}

// Takes a function's definition off `rest`, whose first line is `line`; false if it does not end.
bool take_definition(std::string& out, std::string_view line, std::string_view& rest) {
  constexpr std::string_view kEnd = "\n}\n";
  const size_t end = rest.find(kEnd);
  if (end == std::string_view::npos) return false;
  out.append(kShared).append(line.substr(kStatic.size())).append(rest.substr(0, end + kEnd.size()));
  rest.remove_prefix(end + kEnd.size());
  return true;
}

}  // namespace

SplitC split_c(std::string_view source, size_t parts) {
  SplitC split;
  size_t declared = 0;
  size_t defined = 0;
  std::string_view rest = source;
  while (!rest.empty()) {
    const std::string_view before = rest;
    const std::string_view line = take_line(rest);
    if (is_array(line)) {
      append_array(split.common, line, rest);
    } else if (!is_function(line)) {
      split.common.append(line);
    } else if (line.ends_with(";\n")) {
      ++declared;
      split.common.append(kShared).append(line.substr(kStatic.size()));
    } else {
      rest = before;
      break;
    }
  }
  const size_t target = rest.size() / parts + 1;
  while (!rest.empty()) {
    const std::string_view before = rest;
    const std::string_view line = take_line(rest);
    if (line == "\n") continue;
    if (!is_function(line) || !line.ends_with("{\n")) {
      rest = before;
      break;
    }
    if (split.bodies.empty() || (split.bodies.size() < parts && split.bodies.back().size() > target)) {
      split.bodies.emplace_back();
    }
    if (!take_definition(split.bodies.back(), line, rest)) return {};
    ++defined;
  }
  split.tail = rest;
  if (declared != defined || split.tail.find("_instantiate(") == std::string::npos) return {};
  return split;
}

}  // namespace inlay::compiler
