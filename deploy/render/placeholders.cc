// SPDX-License-Identifier: Apache-2.0
#include "deploy/render/placeholders.h"

#include <algorithm>

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
    const bool literal = at > 0 && text[at - 1] == '$';
    if (literal || (!cluster && !rest.starts_with(kEnvironment))) {
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
  size_t done = 0;
  for (const Placeholder& placeholder : find_placeholders(text)) {
    if (placeholder.kind != Placeholder::Kind::kCluster || !placeholder.closed) continue;
    const auto name_at = static_cast<size_t>(placeholder.name.data() - text.data());
    out += text.substr(done, name_at - kCluster.size() - done);
    out += name_of(placeholder.name);
    done = name_at + placeholder.name.size() + 1;
  }
  return out += text.substr(done);
}

bool has_placeholder(std::string_view text, Placeholder::Kind kind) {
  const std::vector<Placeholder> found = find_placeholders(text);
  return std::any_of(found.begin(), found.end(), [kind](const Placeholder& one) { return one.kind == kind; });
}

}  // namespace inlay::deploy
