// SPDX-License-Identifier: Apache-2.0
#pragma once

// Listeners, clusters and secrets that stand in files of their own (config/discovery_response.h): `dynamic_resources`
// whose lds_config and cds_config are paths, and secrets whose sds_config is one.

#include <cstdint>
#include <map>
#include <string>

#include "config/load.h"
#include "config/tree.h"

namespace inlay::config {

// The files with secrets, by their paths: which number the places in each have. 0: it could not be read.
using SecretFiles = std::map<std::string, uint32_t, std::less<>>;

// Reads the files that the bootstrap `tree` names, checks them, and merges what they have into its static resources;
// its places in the files count from `file` on, which `report` learns. Reports what is wrong, each with the file's
// name: one that cannot be read, is no DiscoveryResponse, or has other resources than it is for.
SecretFiles read_dynamic_resources(Tree& tree, uint32_t file, const LoadOptions& options, Reporter& report,
                                   document::Diagnostics& diagnostics);

}  // namespace inlay::config
