// SPDX-License-Identifier: Apache-2.0
#pragma once

// One scalar of the file against one scalar type of the API.

#include <string>

#include "proxy/config/tree.h"

namespace inlay::proxy::config {

// Reads `source` as `kind` into `node`. Returns what is wrong with it and what would be right, "" when it is good.
std::string check_scalar(TreeNode& node, const Source& source, FieldKind kind, const EnumType* enumeration);

// What a node of the file is, for "expected ..., found ...": "a list", "the string `x`", "the number 5". Without
// `show`, a scalar's text is left out: it may be a secret.
std::string describe(const Source& source, bool show = true);

// The type of a scalar as Envoy's YAML reader sees it.
enum class ScalarType : uint8_t { kNull, kBool, kInt, kDouble, kString };
ScalarType scalar_type(const Source& source);

// `source` as the JSON that Envoy's loader makes of it (integers beyond 32 bits and infinities become strings).
std::string to_json(const Source& source);

}  // namespace inlay::proxy::config
