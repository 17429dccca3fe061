// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace inlay::dynamic_module {

// The key under which Envoy keeps what a guest sets as a property of that path.
inline std::string filter_state_key(std::string_view path) {
  return std::string("wasm.").append(path);
}

}  // namespace inlay::dynamic_module
