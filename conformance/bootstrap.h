// SPDX-License-Identifier: Apache-2.0
#pragma once

// From a case to the bootstrap that a proxy starts with: the YAML that a user would write, read by the real loader.

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "config/model.h"
#include "conformance/case.h"

namespace inlay::conformance {

// The file of a plugin's guest: of the build, or assembled from the case's text into `directory`.
// Errors: kInvalidArgument for WAT that is wrong, kNotFound for a module that the build lacks.
Result<std::string> guest_file(const PluginCase& plugin, const std::string& directory);

// `ports`: of each upstream. The listener and the admin take port 0.
std::string bootstrap_text(const Case& c, const std::vector<std::string>& guest_files,
                           const std::map<std::string, uint16_t>& ports, const std::string& access_log_file);
// Where a case's access log goes.
std::string access_log_path(const std::string& directory);
// The error has every diagnostic.
Result<config::Bootstrap> load_bootstrap(const Case& c, const std::string& directory,
                                         const std::map<std::string, uint16_t>& ports);

}  // namespace inlay::conformance
