// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace inlay::tester {

// Each line of the text with so many blanks in front, and a line's end behind the last.
std::string indent(std::string_view text, size_t by);
// A double-quoted YAML scalar.
std::string quoted_yaml(std::string_view text);

}  // namespace inlay::tester
