// SPDX-License-Identifier: Apache-2.0
#pragma once

// What stands in `filter_config` (docs/reference/dynamic_module.md has all of it). Envoy hands it over as text: a
// Struct as JSON, a StringValue as it is.

#include <string>
#include <string_view>

#include "base/result.h"
#include "engine/engine.h"
#include "host/host.h"

namespace inlay::dynamic_module {

struct Settings {
  std::string filter;  // filter_name
  host::PluginConfig plugin;
  engine::Limits limits;  // of each of its VMs
  bool envoy_strict = false;
  std::string node;      // node.h; JSON, or empty
  std::string module;    // a .wasm file; empty: the one of the filter's name that is linked in
  std::string artifact;  // what `inlay compile` made of it; by default that file's name and ".aot"
};

// `filter` is `filter_name`, which names the plugin unless `name` stands in the text. kInvalidArgument: all that is
// wrong, a line each, with the path of the field: "filter_config.failure_policy: ...".
Result<Settings> read_settings(std::string_view filter, std::string_view text);

}  // namespace inlay::dynamic_module
