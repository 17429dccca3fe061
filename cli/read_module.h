// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "base/result.h"
#include "proxy/config/read_file.h"

namespace inlay::cli {

// More than any module has that a proxy would load.
constexpr size_t kMaxModuleSize = size_t{256} << 20;

// The bytes of the file `path`; an error that names it.
inline Result<std::string> read_module(const std::string& path) {
  return proxy::config::read_file(path, kMaxModuleSize);
}

inline std::span<const uint8_t> as_bytes(const std::string& text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

}  // namespace inlay::cli
