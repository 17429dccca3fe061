// SPDX-License-Identifier: Apache-2.0
// docs/reference/properties.md is made from the tables of attributes. INLAY_UPDATE=1 in the environment writes it anew.

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "proxy/wasm_filter/attribute.h"

namespace inlay::proxy::wasm_filter {
namespace {

const std::string kFile = std::string(INLAY_SOURCE_DIR) + "/docs/reference/properties.md";

const char* const kHead =
    R"(<!-- Made from proxy/wasm_filter/*_attributes.cc by proxy/wasm_filter/properties_reference_test.cc: do not edit. -->
# Properties

What `proxy_get_property` answers. A path is its parts with a NUL between them; one more at the end is ignored. They are
[Envoy's attributes](https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/advanced/attributes).

| kind | encoding |
| --- | --- |
| string | as it is |
| int, time (since the Unix epoch), duration | 8 bytes, little-endian; times in nanoseconds |
| bool | one byte, 0 or 1 |
| map | the ABI's form of header maps; empty: a count of 0 |
| message | protobuf; its fields, map keys and list indices can be the path's next parts |

Inside of metadata a number is a double of 8 bytes, an object is a map, and a list is a map whose keys are its values. What
does not exist, or not yet, is NotFound. A root by itself, an empty path and a JSON `null` are SerializationFailure.

As in Envoy a header may be asked for from the callback that brings it until the guest goes on, and again when the stream is
logged: what of the request a filter needs while it filters the response, it keeps. The route is the one that the request had
as it came, until the router has chosen. What a request's filter stores under a name that a network filter has stored for the
connection is changed for the connection; under another name it is the request's own.

| path | kind | |
| --- | --- | --- |
)";

const char* const kTail = R"(
`plugin_name`, `plugin_root_id`, `plugin_vm_id` are the plugin's, `connection_id` is `connection.id`. `metadata` is a
`core.v3.Metadata`: the request's dynamic metadata, which [jwt_authn](jwt_authn.md) writes. What `proxy_set_property` has stored under a
path of one part is read by that path, or as `filter_state` and `wasm.<path>`. `upstream_filter_state` is a map that is always
empty, and there once there is an upstream. `connection.termination_details`, which Envoy has when network filters of its own
refuse a connection, is NotFound.

A root context sees `plugin_*` and `xds.node`. The names that Envoy removed in 1.33 are not there, though many filters ask
for them: `node`, `cluster_name`, `cluster_metadata`, `route_name`, `route_metadata`, `listener_direction`, `listener_metadata`,
`upstream_host_metadata`, `filter_chain_name`. With `inlay run --compat-legacy-properties` each is `xds.<name>`. The log says once of each
name that it was asked for.
)";

std::string reference() {
  constexpr const char* kKinds[] = {"string", "int", "bool", "time", "duration", "map", "message"};
  std::ostringstream out;
  out << kHead;
  for (const AttributeRoot& root : attribute_roots())
    for (const Attribute& a : root.attributes())
      out << "| `" << root.name << "." << a.name << "` | " << kKinds[static_cast<size_t>(a.kind)] << " | " << a.note
          << " |\n";
  out << kTail;
  return out.str();
}

TEST(PropertiesReference, IsUpToDate) {
  const std::string text = reference();
  if (std::getenv("INLAY_UPDATE") != nullptr) std::ofstream(kFile) << text;
  std::ifstream file(kFile);
  const std::string there((std::istreambuf_iterator<char>(file)), {});
  EXPECT_EQ(there, text) << "run proxy_wasm_filter_tests with INLAY_UPDATE=1";
}

}  // namespace
}  // namespace inlay::proxy::wasm_filter
