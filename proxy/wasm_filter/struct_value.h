// SPDX-License-Identifier: Apache-2.0
#pragma once

// Values inside of google.protobuf.Struct, envoy Metadata and Node, as Envoy's expression values come out of them: a
// path goes through fields, map keys and list indices; what it ends at is encoded as the ABI encodes a property.
//
// A message (Metadata, Node, Locality) is protobuf bytes; a Struct is a map, in the pairs form, and so is a list, whose
// values stand as keys with nothing as their value. A number is a double. JSON's null, and a map or list that has one
// in it, is kSerializationFailure. kNotFound: the path leads nowhere.

#include <span>
#include <string>
#include <string_view>

#include "abi/types.h"
#include "config/model.h"

namespace inlay::proxy::wasm_filter {

// `json` is the text of a Struct, or of any of its values.
abi::Status struct_attribute(std::string_view json, std::span<const std::string_view> path, std::string& value);
// The field of config.core.v3.Metadata that `path` starts with; the message itself for an empty path.
abi::Status metadata_attribute(const config::Metadata& metadata, std::span<const std::string_view> path,
                               std::string& value);
// The same of config.core.v3.Locality, and of config.core.v3.Node.
abi::Status locality_attribute(const config::Locality& locality, std::span<const std::string_view> path,
                               std::string& value);
abi::Status node_attribute(const config::Node& node, std::span<const std::string_view> path, std::string& value);

}  // namespace inlay::proxy::wasm_filter
