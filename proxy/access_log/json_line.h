// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "config/format.h"
#include "proxy/router/formatter.h"

namespace inlay::proxy::access_log {

// Appends the JSON value that `format` stands for. Whatever a request holds, the result is one line of valid JSON:
// control characters are escaped, and bytes that are not UTF-8 become U+FFFD. With `omit_empty` a member without a
// value is left out, else it is null.
void append_json(const config::JsonFormat& format, const router::FormatContext& context, bool omit_empty,
                 std::string& out);

}  // namespace inlay::proxy::access_log
