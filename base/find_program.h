// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace inlay {

// The absolute path of a program that this process may run, in the first folder of PATH that has it; a name with a
// slash is taken as a path. Empty where there is none. Folders of PATH that are relative do not count, so that nothing
// is run because of where one stands.
std::string find_program(std::string_view name);

}  // namespace inlay
