// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "base/result.h"
#include "conformance/names.h"

namespace inlay::conformance {

// The file of a plugin's module with its artifact beside it, under the file's name and ".aot". A guest of the build is
// compiled once in a process, in a folder that ends with it; a module in WAT in `directory`. Any thread. Errors: as
// guest_file()'s and compiler::compile_module()'s.
Result<std::string> compiled_guest(const PluginCase& plugin, const std::string& directory);

}  // namespace inlay::conformance
