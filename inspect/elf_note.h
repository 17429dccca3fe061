// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a shared object of `inlay compile --dynamic-module` says of the modules in it.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace inlay::inspect {

struct NotedModule {
  std::string name;    // filter_name
  std::string sha256;  // of the module's bytes
};

// Whether the bytes are those of an ELF file, a shared object for instance.
bool is_elf(std::span<const uint8_t> bytes);

// The modules that the file's note names (engine/aot/linked.h); nullopt if there is no such note. Reads any bytes.
std::optional<std::vector<NotedModule>> noted_modules(std::span<const uint8_t> bytes);

}  // namespace inlay::inspect
