// SPDX-License-Identifier: Apache-2.0
#pragma once

// Upgrades of HTTP/1.1 (RFC 9110, section 7.8): a request that asks for another protocol on its connection, such as
// WebSocket, and the answer that agrees. Pure functions.

#include <string>

#include "http/header_map.h"

namespace inlay::http {

// Whether a head asks for an upgrade, or agrees to one: `connection` lists "upgrade", and `upgrade` says to what. "h2c"
// alone asks for nothing: it is an offer that may be ignored, and is, as in Envoy.
bool is_upgrade(const HeaderMap& headers);

// What `upgrade` says; of several fields a list ("a,b"), as in Envoy. Empty: there is none.
std::string upgrade_type(const HeaderMap& headers);

// Whether a head is_upgrade() to "websocket", in any case.
bool is_websocket_upgrade(const HeaderMap& headers);

}  // namespace inlay::http
