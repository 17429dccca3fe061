// SPDX-License-Identifier: Apache-2.0
#pragma once

// Upgrades of HTTP/1.1 (RFC 9110, section 7.8): a request that asks for another protocol on its connection, such as
// WebSocket, and the answer that agrees; and their form in HTTP/2, CONNECT with a :protocol, which 200 agrees to (RFC
// 8441). Pure functions.

#include <string>
#include <string_view>

#include "http/header_map.h"

namespace inlay::http {

// Whether a head asks for an upgrade, or agrees to one: `connection` lists "upgrade", and `upgrade` says to what. "h2c"
// alone asks for nothing: it is an offer that may be ignored, and is, as in Envoy.
bool is_upgrade(const HeaderMap& headers);

// What `upgrade` says; of several fields a list ("a,b"), as in Envoy. Empty: there is none.
std::string upgrade_type(const HeaderMap& headers);

// Whether a head is_upgrade() to "websocket", in any case.
bool is_websocket_upgrade(const HeaderMap& headers);

// Whether a request of HTTP/2 is CONNECT to another protocol.
bool is_extended_connect(const HeaderMap& headers);
// Makes an upgrade of such a request, as Envoy does, so that all others see one form; and the other way.
void to_upgrade(HeaderMap& headers);
void to_extended_connect(HeaderMap& headers);
// The same of the answer that agrees: 101 with the fields that say so, of 200; and the other way. `type`: what was
// asked for.
void to_switch(HeaderMap& headers, std::string_view type);
void to_http2_switch(HeaderMap& headers);

}  // namespace inlay::http
