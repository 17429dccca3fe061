// SPDX-License-Identifier: Apache-2.0
#pragma once

// Files with what an xDS server would answer: service/discovery/v3 DiscoveryResponse, as YAML or JSON; and the
// ConfigSource that names one.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "config/load.h"
#include "config/support.h"
#include "config/tree.h"
#include "config/view.h"

namespace inlay::config {

inline constexpr std::string_view kNoXdsServer =
    "Inlay asks no xDS server; a file that changes does as well, by `path_config_source`";

// What a file has: resources of one type, which in a bootstrap are a field of static_resources.
struct ResourceKind {
  std::string_view field;
  std::string_view type;
};

// The path of a ConfigSource; empty if it has none.
std::string path_of(View source, const LoadOptions& options);
// The same; that there is none is said, or will be (check_support).
std::string path_of(View source, const LoadOptions& options, Reporter& report);

// Reads the file that `source` names, checks it, and merges its resources into the static ones of the bootstrap `tree`,
// with `file` in their places, which `report` learns. False, and nothing learnt: it cannot be read, or is no document,
// which is reported at `source` or in the file.
bool merge_response(Tree& tree, const ResourceKind& kind, View source, const std::string& path, uint32_t file,
                    const LoadOptions& options, Reporter& report, document::Diagnostics& diagnostics);

}  // namespace inlay::config
