// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "proxy/config/tree.h"

namespace inlay::proxy::config {

// The checked bootstrap as JSON for /config_dump: field names in snake_case, TypedStructs unwrapped, and each value
// that may hold a secret replaced by "[redacted]": private keys and passwords, inline data, environment values, headers
// such as authorization, and in plugins' configurations the leaves with secret-looking keys (the whole text when it is
// not JSON).
std::string redacted_json(const Tree& tree);

// A plugin's configuration text, redacted as above. Returns text, not a JSON literal.
std::string redacted_configuration(std::string_view text);

// Whether a key looks as if its value were secret: password, token, api_key, authorization, credential ...
bool looks_secret(std::string_view key);

// A URI as it may be shown: a query often is a signature, and before the host stands a password.
std::string without_secrets(std::string_view uri);

}  // namespace inlay::proxy::config
