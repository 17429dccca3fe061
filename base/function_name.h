// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace inlay {

// The name of a function as people write it: of C++ and Rust without mangling, of Rust without the hash behind it. One
// that is mangled in no such way, or wrongly, is what it was.
std::string readable_function_name(const std::string& name);

}  // namespace inlay
