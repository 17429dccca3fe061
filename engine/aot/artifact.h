// SPDX-License-Identifier: Apache-2.0
#pragma once

// Artifacts: compiled modules in files.
//
// A file is the shared object, the module's description (engine/description.h) and a trailer: 16 bytes of magic, the
// module's key (64 hexadecimal digits), the SHA-256 of all before the magic (64 digits), the description's size in
// bytes (8 digits). A loader first checks all of them, for dlopen() on a damaged file would crash, and then trusts the
// description. The key is SHA-256 over the module's bytes and all that an artifact must agree on with the program that
// loads it: Inlay's version, kShimAbi, wabt's version, the machine. Files in the cache are called KEY-COMPILER.aot,
// with COMPILER the hash of the compiler's identity, flags and level of optimisation, or KEY-COMPILER.quick.aot, while
// that is not there, for the code that a module starts with; all written to a temporary name and renamed.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

namespace inlay::engine::aot {

std::string module_key(std::span<const uint8_t> module);

// Puts `description` and the trailer on `object` and moves it to `path`.
Result<> seal_artifact(const std::string& object, const std::string& key, std::string_view description,
                       const std::string& path);

// Returns the description. kNotFound if there is no file; kFailedPrecondition if it, or its directory, may be written
// by someone who is neither us nor root; kInvalidArgument if it is damaged or for another module or another Inlay.
Result<std::string> check_artifact(const std::string& path, const std::string& key);

// Where the cache has the artifact by the compiler of this identity with this flag ("-O2").
std::string artifact_path(const std::string& directory, const std::string& key, const std::string& compiler,
                          const std::string& optimization);
// Where it has the quick one.
std::string quick_artifact_path(const std::string& directory, const std::string& key, const std::string& compiler);
bool is_quick_artifact(std::string_view path);

// A file of the cache for `key` by any compiler, an optimised one if there is one; empty if there is none.
std::string find_any_artifact(const std::string& directory, const std::string& key);

}  // namespace inlay::engine::aot
