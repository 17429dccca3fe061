// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "base/result.h"
#include "conformance/names.h"

namespace inlay::conformance {

// The file of a plugin's guest: the puppet or another module of the build, or assembled from the case's text into
// `directory`. Errors: kInvalidArgument for WAT that is wrong, kNotFound for a module that the build lacks.
Result<std::string> guest_file(const PluginCase& plugin, const std::string& directory);

}  // namespace inlay::conformance
