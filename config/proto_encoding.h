// SPDX-License-Identifier: Apache-2.0
#pragma once

// The few protobuf messages that properties are made of (Node, Metadata, Struct, Locality), as wire bytes, from the
// JSON texts of the configuration.

#include <string>
#include <string_view>

#include "config/model.h"

namespace inlay::config {

// google.protobuf.Struct of a JSON object; empty for anything else.
std::string struct_bytes(std::string_view json);
// envoy.config.core.v3.Metadata {map<string, Struct> filter_metadata = 1}.
std::string metadata_bytes(const Metadata& metadata);
// envoy.config.core.v3.Node {id = 1, cluster = 2, metadata = 3, locality = 4}.
std::string node_bytes(const Node& node);
// envoy.config.core.v3.Locality {region = 1, zone = 2, sub_zone = 3}.
std::string locality_bytes(const Locality& locality);

}  // namespace inlay::config
