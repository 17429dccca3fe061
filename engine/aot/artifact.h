// SPDX-License-Identifier: Apache-2.0
#pragma once

// Artifacts: compiled modules in files.
//
// A file is the shared object, the module's description (engine/description.h) and a trailer: 16 bytes of magic, the
// SHA-256 of the module (64 hexadecimal digits), its key (64 digits), the SHA-256 of all before the magic (64 digits),
// the description's size in bytes (8 digits). A loader first checks all of them, for dlopen() on a damaged file would
// crash, and then trusts the description. The key is SHA-256 over the module's and all that an artifact must agree on
// with the program that loads it: Inlay's version, kShimAbi, the machine. What has compiled it is not in the key: that
// is the cache's to tell apart.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

namespace inlay::engine::aot {

// ModuleId is which module an artifact was made from.
struct ModuleId {
  std::string sha256;  // of its bytes
  std::string key;
};

ModuleId module_id(std::span<const uint8_t> module);
// `sha256` is that of the module's bytes, in 64 lower-case hexadecimal digits.
ModuleId module_id_of(std::string_view sha256);

// Puts `description` and the trailer on `object` and moves it to `path`.
Result<> seal_artifact(const std::string& object, const ModuleId& id, std::string_view description,
                       const std::string& path);

// Sealed is what an artifact's file says of itself.
struct Sealed {
  std::string key;
  std::string description;
};

// `sha256` is that of the module that it must have been made from; empty: of any. kNotFound if there is no file;
// kFailedPrecondition if it, or its directory, may be written by someone who is neither us nor root; kInvalidArgument
// if it is damaged, or for another module, another Inlay or another kind of machine.
Result<Sealed> check_artifact(const std::string& path, std::string_view sha256);

}  // namespace inlay::engine::aot
