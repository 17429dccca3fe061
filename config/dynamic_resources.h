// SPDX-License-Identifier: Apache-2.0
#pragma once

// Listeners and clusters that stand in files of their own: `dynamic_resources` whose lds_config and cds_config are
// paths. Such a file is what an xDS server would answer, service/discovery/v3 DiscoveryResponse, as YAML or JSON.

#include <cstdint>

#include "config/load.h"
#include "config/tree.h"

namespace inlay::config {

// Reads the files that the bootstrap `tree` names, checks them, and merges what they have into its static resources;
// its places in the files count from `file` on, which `report` learns. Reports what is wrong, each with the file's
// name: one that cannot be read, is no DiscoveryResponse, or has other resources than it is for.
void read_dynamic_resources(Tree& tree, uint32_t file, const LoadOptions& options, Reporter& report,
                            document::Diagnostics& diagnostics);

}  // namespace inlay::config
