// SPDX-License-Identifier: Apache-2.0
#pragma once

// The few protobuf messages that properties are made of (Node, Metadata, Struct), from the JSON texts of the
// configuration: as wire bytes, and one value inside of them.

#include <span>
#include <string>
#include <string_view>

#include "abi/types.h"
#include "proxy/config/model.h"

namespace inlay::proxy::wasm_filter {

// google.protobuf.Struct of a JSON object; empty for anything else.
std::string struct_bytes(std::string_view json);
// envoy.config.core.v3.Metadata {map<string, Struct> filter_metadata = 1}.
std::string metadata_bytes(const config::Metadata& metadata);
// envoy.config.core.v3.Node {id = 1, cluster = 2, metadata = 3, locality = 4 {zone = 2}}.
std::string node_bytes(const config::Node& node);

// The value at `path` inside a JSON text, in a property's encoding: a string raw, a number as a double, an object or
// list as a Struct's or ListValue's bytes. kNotFound when it is not there.
abi::Status json_attribute(std::string_view json, std::span<const std::string_view> path, std::string& value);

}  // namespace inlay::proxy::wasm_filter
