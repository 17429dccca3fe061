// SPDX-License-Identifier: Apache-2.0
#include "compiler/wasm2c/translate.h"

#include <utility>

#include "compiler/wasm2c/shim.h"

namespace inlay::compiler {

Result<Translation> translate(std::span<const uint8_t> bytes, const engine::Description& description,
                              const std::string& key, const std::stop_token& stop) {
  INLAY_TRY(GeneratedC c, write_c(bytes, stop));
  INLAY_TRY(std::string shim, make_shim(c, description, key));
  return Translation{std::move(c), std::move(shim), engine::write_description(description)};
}

}  // namespace inlay::compiler
