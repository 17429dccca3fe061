// SPDX-License-Identifier: Apache-2.0
#pragma once

// One scalar of the file against one scalar type of the API.

#include <string>

#include "config/tree.h"

namespace inlay::config {

// Reads `source` as `kind` into `node`. Returns what is wrong with it and what would be right, "" when it is good.
std::string check_scalar(TreeNode& node, const document::Source& source, FieldKind kind, const EnumType* enumeration);

// What a node of the file is, for "expected ..., found ...": "a list", "the string `x`", "the number 5". Without
// `show`, a scalar's text is left out: it may be a secret.
std::string describe(const document::Source& source, bool show = true);

// The type of a scalar as Envoy's YAML reader sees it.
enum class ScalarType : uint8_t { kNull, kBool, kInt, kDouble, kString };
ScalarType scalar_type(const document::Source& source);

// `source` as the JSON that Envoy's loader makes of it (integers beyond 32 bits and infinities become strings).
std::string to_json(const document::Source& source);

}  // namespace inlay::config
