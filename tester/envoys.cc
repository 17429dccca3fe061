// SPDX-License-Identifier: Apache-2.0
#include "tester/envoys.h"
#include "tester/fetch_envoy.h"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <regex>
#include <vector>

namespace inlay::tester {
namespace {

bool is_program(const std::string& path) {
  return access(path.c_str(), X_OK) == 0;
}

// The programs `envoy` in the folders of PATH.
std::vector<std::string> in_path() {
  std::vector<std::string> found;
  const char* const path = std::getenv("PATH");
  std::string_view rest = path == nullptr ? "" : path;
  while (!rest.empty()) {
    const size_t end = rest.find(':');
    found.push_back(std::string(rest.substr(0, end)) + "/envoy");
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  }
  return found;
}

}  // namespace

std::string version_of(const std::string& binary) {
  std::string command = "'";
  for (const char c : binary) command += c == '\'' ? "'\\''" : std::string(1, c);
  FILE* const output = popen((command + "' --version 2> /dev/null < /dev/null").c_str(), "re");
  if (output == nullptr) return "";
  std::string said;
  char bytes[256];
  while (const size_t size = std::fread(bytes, 1, sizeof bytes, output)) said.append(bytes, size);
  pclose(output);
  // "envoy  version: COMMIT/1.40.0/Clean/RELEASE/BoringSSL"
  static const std::regex kForm(R"(version: \w+/(\d+\.\d+\.\d+)[^/]*/)");
  std::smatch found;
  return std::regex_search(said, found, kForm) ? found[1].str() : "";
}

Result<Envoy> find_envoy(std::string_view wanted) {
  const std::string name(wanted);
  if (wanted.find('/') != std::string_view::npos) {
    if (!is_program(name)) return Error{ErrorCode::kNotFound, "there is no program", name};
    const std::string version = version_of(name);
    if (version.empty()) return Error{ErrorCode::kNotFound, "it says no version of Envoy (--version)", name};
    return Envoy{version, name};
  }
  static const std::regex kForm(R"((?:envoy@)?(\d+\.\d+\.\d+))");
  std::smatch form;
  if (!std::regex_match(name, form, kForm)) {
    return Error{ErrorCode::kInvalidArgument, "`" + name + "` names no Envoy, as envoy@1.40.0 or a path does", ""};
  }
  const std::string version = form[1].str();
  std::vector<std::string> candidates = in_path();
  candidates.insert(candidates.begin(), "build/envoy/" + version + "/envoy");
  if (const char* const given = std::getenv("ENVOY")) candidates.insert(candidates.begin(), given);
  candidates.push_back(fetched_envoy(version));
  for (const std::string& candidate : candidates) {
    if (is_program(candidate) && version_of(candidate) == version) return Envoy{version, candidate};
  }
  auto fetched = fetch_envoy(version);
  if (fetched) return Envoy{version, *std::move(fetched)};
  if (fetched.error().code != ErrorCode::kNotFound) return fetched.error();
  return Error{ErrorCode::kNotFound,
               "there is no Envoy " + version + ": neither what the variable ENVOY names, nor build/envoy/" + version +
                   "/envoy, nor an `envoy` in PATH is that; and it was not fetched: " + fetched.error().message +
                   "; `--against PATH` names any",
               ""};
}

}  // namespace inlay::tester
