// SPDX-License-Identifier: Apache-2.0
#pragma once

// Custom resources against the schemas of their definitions (istio_crds.yaml, gateway_crds.yaml), as an API server
// checks them, and stricter: a field that the schema does not have is a fault, where a server would drop it.
//
// Evaluated: type, properties, additionalProperties, items, required, enum, pattern, minimum, maximum, minLength,
// maxLength, minItems, maxItems, maxProperties, nullable, oneOf, anyOf, not, x-kubernetes-preserve-unknown-fields and
// x-kubernetes-int-or-string.

#include <string>
#include <vector>

#include "document/source.h"

namespace inlay::deploy {

// One sentence a fault, each with the field's path: "spec.match[0].mode: ...". Also a kind or version without a schema.
std::vector<std::string> check_custom_resource(const document::Source& resource);

// A value against one schema.
std::vector<std::string> check_schema(const document::Source& schema, const document::Source& value,
                                      const std::string& path);

}  // namespace inlay::deploy
