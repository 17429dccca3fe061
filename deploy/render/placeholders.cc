// SPDX-License-Identifier: Apache-2.0
#include "deploy/render/placeholders.h"

namespace inlay::deploy {

namespace {

constexpr std::string_view kCluster = "${cluster:";
constexpr std::string_view kEnvironment = "${env:";

}  // namespace

std::vector<Placeholder> find_placeholders(std::string_view text) {
  std::vector<Placeholder> found;
  for (size_t at = text.find("${"); at != std::string_view::npos; at = text.find("${", at)) {
    const std::string_view rest = text.substr(at);
    const bool cluster = rest.starts_with(kCluster);
    if (!cluster && !rest.starts_with(kEnvironment)) {
      at += 2;
      continue;
    }
    const size_t begin = at + (cluster ? kCluster : kEnvironment).size();
    const size_t end = text.find('}', begin);
    found.push_back({cluster ? Placeholder::Kind::kCluster : Placeholder::Kind::kEnvironment,
                     text.substr(begin, end == std::string_view::npos ? end : end - begin),
                     end != std::string_view::npos});
    if (end == std::string_view::npos) break;
    at = end;
  }
  return found;
}

std::string replace_clusters(std::string_view text, const std::function<std::string(std::string_view)>& name_of) {
  std::string out;
  while (true) {
    const size_t at = text.find(kCluster);
    const size_t end = at == std::string_view::npos ? at : text.find('}', at);
    if (end == std::string_view::npos) return out + std::string(text);
    const size_t begin = at + kCluster.size();
    out += text.substr(0, at);
    out += name_of(text.substr(begin, end - begin));
    text.remove_prefix(end + 1);
  }
}

}  // namespace inlay::deploy
