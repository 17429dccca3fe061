// SPDX-License-Identifier: Apache-2.0
#include "conformance/guest_file.h"

#include <filesystem>

#include "tester/bootstrap.h"

namespace inlay::conformance {

Result<std::string> guest_file(const PluginCase& plugin, const std::string& directory) {
  if (plugin.guest == "wat") return tester::assembled_module(plugin, directory);
  const std::string name = plugin.guest.empty() || plugin.guest == "puppet" ? "puppet_0_2_1" : plugin.guest;
  std::string path = INLAY_BINARY_DIR "/wasm/" + name + ".wasm";
  if (std::filesystem::exists(path)) return path;
  return Error{ErrorCode::kNotFound, "the build has no module of this name", name};
}

}  // namespace inlay::conformance
