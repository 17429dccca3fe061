// SPDX-License-Identifier: Apache-2.0
#pragma once

// The names of artifacts in the cache directory: KEY-COMPILER.aot, with COMPILER the hash of what has made it (wabt's
// version, the compiler's identity and flags) and its level of optimisation, or KEY-COMPILER.quick.aot, while that is
// not there, for the code that a module starts with. KEY is ModuleId::key.

#include <string>
#include <string_view>

namespace inlay::compiler {

// Where the cache has the artifact by the compiler of this identity with this flag ("-O2").
std::string artifact_path(const std::string& directory, const std::string& key, const std::string& compiler,
                          const std::string& optimization);
// Where it has the quick one.
std::string quick_artifact_path(const std::string& directory, const std::string& key, const std::string& compiler);
bool is_quick_artifact(std::string_view path);

// A file of the cache for `key`, whatever has made it, an optimised one if there is one; empty if there is none.
std::string find_any_artifact(const std::string& directory, const std::string& key);

}  // namespace inlay::compiler
