// SPDX-License-Identifier: Apache-2.0
#pragma once

// What /config_dump shows of a plugin's configuration. Its schema is the plugin's own, so any of it may be a secret:
// how much there is, and no more. Of the header-augmenting filter, whose schema is known, what is harmless by that
// schema is shown: names, clusters, hosts, paths without their query, durations, choices; and a text that is nothing
// but `${env:NAME}`, since that is where a secret belongs.
//
//     redacted_plugin_configuration("header_augmenting", R"({"max_body": 1000, "sources": [{"body": "x"}]})")
//       -> R"({"max_body":1000,"sources":[{"body":"[redacted]"}]})"
//     redacted_plugin_configuration("other", "hunter2") -> "[redacted: 7 bytes]"

#include <string>
#include <string_view>

namespace inlay::config {

// `called`: the plugin's name, or the file name of its module; the filter is known by it. Returns text, not a JSON
// literal.
std::string redacted_plugin_configuration(std::string_view called, std::string_view text);

// Whether a plugin or a module of that name is the header-augmenting filter.
bool is_header_augmenting(std::string_view called);

}  // namespace inlay::config
