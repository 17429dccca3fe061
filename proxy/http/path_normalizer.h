// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace inlay::proxy::http {

// normalize_path: dot segments resolved, backslashes made slashes, percent-encoded unreserved characters decoded, other
// escapes in upper case; the query is left alone (RFC 3986 section 6.2.2). nullopt for what has no normal form: an
// incomplete escape, or "%00".
std::optional<std::string> normalize_path(std::string_view path);

// merge_slashes: each run of slashes in the path (not in the query) becomes one.
std::string merge_slashes(std::string_view path);

}  // namespace inlay::proxy::http
