// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "base/read_file.h"
#include "base/result.h"
#include "package/read_image.h"

namespace inlay::cli {

// The bytes of the file `path`; an error that names it.
inline Result<std::string> read_module(const std::string& path) {
  return read_file(path, package::kMaxModuleSize);
}

inline std::span<const uint8_t> as_bytes(const std::string& text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

}  // namespace inlay::cli
