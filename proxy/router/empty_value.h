// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "config/format.h"
#include "proxy/router/formatter.h"

namespace inlay::proxy::router {

// Of an operator for which append_value() has appended nothing: whether it has a value all the same, an empty one, as a
// header that is there has, or a pipe's port. Logs show it as it is, and "-" or null in the place of what is not there.
bool has_empty_value(const config::FormatPart& part, const FormatContext& context);

}  // namespace inlay::proxy::router
