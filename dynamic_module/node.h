// SPDX-License-Identifier: Apache-2.0
#pragma once

// The node that guests read as xds.node. Envoy tells a module nothing of its own: it stands in `filter_config`, as JSON
// with the fields of Envoy's Node, `{"id": ..., "cluster": ..., "metadata": {...}, "locality": {"zone": ...}}`.

#include <string>
#include <string_view>
#include <vector>

#include "abi/types.h"

namespace inlay::dynamic_module {

// A property of a root context, encoded as host::AttributeSource says. `node` is such a text, or empty where there is
// none. Any thread. kNotFound: there is no such property; kSerializationFailure: it has no encoding, as the node as a
// whole, which is a message in Envoy.
abi::Status get_root_property(std::string_view node, const std::vector<std::string_view>& path, std::string& value);

}  // namespace inlay::dynamic_module
