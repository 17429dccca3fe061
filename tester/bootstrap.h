// SPDX-License-Identifier: Apache-2.0
#pragma once

// From a case to the bootstrap that a proxy starts with: the YAML that a user would write, read by the real loader.

#include <cstdint>
#include <map>
#include <string>

#include "base/result.h"
#include "config/model.h"
#include "tester/world.h"

namespace inlay::tester {

// The module that a plugin has as text (guest=wat), assembled into a file in `directory`. Errors: kInvalidArgument for
// WAT that is wrong, kIo.
Result<std::string> assembled_module(const PluginCase& plugin, const std::string& directory);

// The bootstrap's text. `ports`: of each upstream. The listener and the admin take port 0. Errors: of Run::find_module.
Result<std::string> bootstrap_text(const Run& run, const std::map<std::string, uint16_t>& ports);
// Where a case's access log goes.
std::string access_log_path(const std::string& directory);
// The same text, read. The error has every diagnostic.
Result<config::Bootstrap> load_bootstrap(const Run& run, const std::map<std::string, uint16_t>& ports);

}  // namespace inlay::tester
