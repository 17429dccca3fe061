// SPDX-License-Identifier: Apache-2.0
#pragma once

// How guests' edits of header maps turn out in Envoy (HeaderMapImpl), where HeaderMap by itself is more literal. Names
// may be in any case. Any thread, as long as the map is its own.

#include <string_view>

#include "http/header_map.h"

namespace inlay::http {

// The name under which a request's map has a field: "host" is another name of ":authority".
std::string_view request_field(std::string_view name);

// Adds a field. One that the proxy itself knows (HeaderId) has a single entry, so that a second value makes a list
// ("a,b") of it; all others get another entry.
void add_field(HeaderMap& map, std::string_view name, std::string_view value);
// The same for a name that is known to be lower-case already, with its id.
void add_field(HeaderMap& map, HeaderId id, std::string_view lower_name, std::string_view value);

}  // namespace inlay::http
