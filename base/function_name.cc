// SPDX-License-Identifier: Apache-2.0
#include "base/function_name.h"

#include <cxxabi.h>

#include <cstdlib>
#include <string_view>

#include "base/ascii.h"

namespace inlay {
namespace {

constexpr size_t kHashLength = 19;  // "::h0123456789abcdef"

bool ends_in_hash(std::string_view name) {
  if (name.size() <= kHashLength || name.substr(name.size() - kHashLength, 3) != "::h") return false;
  for (const char c : name.substr(name.size() - kHashLength + 3)) {
    if (hex_value(c) < 0) return false;
  }
  return true;
}

}  // namespace

std::string readable_function_name(const std::string& name) {
  std::string readable = name;
  if (name.starts_with("_Z")) {
    int status = 0;
    char* const demangled = abi::__cxa_demangle(name.c_str(), nullptr, nullptr, &status);
    if (status == 0) readable = demangled;
    std::free(demangled);
  }
  if (ends_in_hash(readable)) readable.resize(readable.size() - kHashLength);
  return readable;
}

}  // namespace inlay
