// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a guest may have put into a header map that cannot be sent. A HeaderMap takes everything, and so do the host
// functions, as in Envoy: guests' SDKs end their VM at a status that they do not expect, and with it everybody's
// requests. Who sends a map that a guest has filled, or one that is spoiled(), asks header_fault() where it goes out,
// since a guest may edit what other filters still hold, and if there is one answers with 503 and the fault as text. Any
// thread.

#include <string>
#include <string_view>

#include "http/header_map.h"

namespace inlay::http {

// Whether `value` can be sent as the value of that field: is_header_value(), and a method is a token.
inline bool is_value_of(HeaderId id, std::string_view value) {
  return id == HeaderId::kMethod ? is_header_name(value) : is_header_value(value);
}

// What keeps a map from being sent, in Envoy's words: "invalid header name: x y", "invalid header value for: x". Empty
// for a map that can be sent. (Pseudo-headers that are none, and names that are empty, keep nothing from being sent:
// they are not sent themselves.)
std::string header_fault(const HeaderMap& map);

// Envoy's response code details of a "request" or "response" that a filter has left in a state that cannot be sent:
// "filter_removed_required_request_headers{missing_required_header:_:path}".
std::string fault_details(std::string_view message, std::string_view fault);

// Bytes for a message: control characters and what is not ASCII as \n, \r, \t or \u00XX.
std::string show_bytes(std::string_view bytes);

}  // namespace inlay::http
