// SPDX-License-Identifier: Apache-2.0
#include "deploy/render/read_module.h"

#include <span>

#include "base/read_file.h"
#include "compiler/compiler.h"
#include "engine/engine.h"
#include "host/module_check.h"

namespace inlay::deploy {

Result<std::string> read_module(const std::string& path) {
  constexpr size_t kLargest = size_t{64} << 20;
  INLAY_TRY(std::string bytes, read_file(path, kLargest));
  if (bytes.empty())
    return Error{ErrorCode::kInvalidArgument, "the file is empty; a WebAssembly module was expected", ""};
  compiler::LoadOptions options;
  options.kind = engine::EngineKind::kInterp;
  const std::span<const uint8_t> code(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
  INLAY_TRY(const auto module, compiler::load_module(code, options));
  INLAY_RETURN_IF_ERROR(host::check_module(*module));
  return bytes;
}

}  // namespace inlay::deploy
