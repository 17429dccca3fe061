// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "config/tree.h"

namespace inlay::config {

// The checked bootstrap as JSON for /config_dump: field names in snake_case, TypedStructs unwrapped, and each value
// that may hold a secret replaced by "[redacted]": inline data such as private keys, environment values, headers that
// are set on requests, what headers and parameters are matched with, the query of a URI, texts of metadata, messages
// that are not known, and plugins' configurations (config/redact_plugin.h).
std::string redacted_json(const Tree& tree);

// Whether a key looks as if its value were secret: password, token, api_key, authorization, credential ...
bool looks_secret(std::string_view key);

// A URI as it may be shown: a query often is a signature, and before the host stands a password.
std::string without_secrets(std::string_view uri);

}  // namespace inlay::config
