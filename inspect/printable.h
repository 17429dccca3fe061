// SPDX-License-Identifier: Apache-2.0
#pragma once

// How the reports write names out of a module, and numbers.

#include <string>

#include "base/printable.h"

namespace inlay::inspect {

using inlay::printable;
using inlay::valid_utf8;

// 38048 is "38,048".
std::string grouped(unsigned long long number);

}  // namespace inlay::inspect
