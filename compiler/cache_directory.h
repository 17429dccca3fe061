// SPDX-License-Identifier: Apache-2.0
#pragma once

// The private directory in which Inlay keeps compiled modules and those that it has fetched. What is in it is run as
// code, so nobody else may write to it.

#include <string>

#include "base/result.h"

namespace inlay::compiler {

// `wanted` empty: $XDG_CACHE_HOME/inlay or ~/.cache/inlay. Errors: kNotFound if it is not there, kFailedPrecondition if
// it belongs to someone else or others may write to it, kIo.
Result<std::string> find_cache_directory(const std::string& wanted);
// The same, made (0700) if it is not there.
Result<std::string> make_cache_directory(const std::string& wanted);

}  // namespace inlay::compiler
