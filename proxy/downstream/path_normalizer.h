// SPDX-License-Identifier: Apache-2.0
#pragma once

// The path rules of an HttpConnectionManager, in Envoy's order: path_with_escaped_slashes_action, normalize_path,
// merge_slashes. They are about the path; a query is left alone. What Envoy 1.40 makes of each path is in the tests.
//
//     std::string path(":path");
//     switch (apply_path_rules(config, path)) ...

#include <optional>
#include <string>
#include <string_view>

#include "config/model.h"

namespace inlay::proxy::downstream {

enum class PathOutcome : uint8_t {
  kTake,      // the request goes on, with the path as it is now
  kRefuse,    // 400
  kRedirect,  // 307 to the path as it is now
};

// Whether any of the rules could change or refuse `path`; cheap, so that most requests cost no copy.
bool path_rules_concern(const config::HttpConnectionManager& config, std::string_view path);
// Changes `path` in place. With kRefuse it may be changed in part.
PathOutcome apply_path_rules(const config::HttpConnectionManager& config, std::string& path);

// normalize_path: dot segments resolved, also those with a parameter ("..;x"), backslashes made slashes,
// percent-encoded unreserved characters decoded, characters that no URI may hold percent-encoded; other escapes stay as
// they are (RFC 3986 section 6.2.2). What is decoded never makes a new escape of a "%" that was none. nullopt: "%00"
// stands in it.
std::optional<std::string> normalize_path(std::string_view path);

// merge_slashes: each run of slashes becomes one.
std::string merge_slashes(std::string_view path);

// "%2F" becomes "/" and "%5C" becomes "\", in either case of the digits, once: "%252F" stays as it is.
std::string unescape_slashes(std::string_view path);

// Where a client is sent for `path` on the same server. A path that begins with two slashes, or with a slash and a
// backslash, would name another server (RFC 3986 section 4.2), so "/." stands before it, which a client takes away.
std::string same_server_reference(std::string_view path);

}  // namespace inlay::proxy::downstream
