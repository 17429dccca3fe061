// SPDX-License-Identifier: Apache-2.0
#pragma once

// `${cluster:NAME}` and `${env:NAME}` in a text. `$${` begins none: it is how the header-augmenting filter's
// configuration writes `${` itself, and stays as it is, for the plugin.

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace inlay::deploy {

struct Placeholder {
  enum class Kind : uint8_t { kCluster, kEnvironment } kind = Kind::kCluster;
  std::string_view name;  // a part of the text
  bool closed = true;     // false: the brace is missing
};

// In their order. `${` with any other word is text.
std::vector<Placeholder> find_placeholders(std::string_view text);
bool has_placeholder(std::string_view text, Placeholder::Kind kind);
// Replaces each `${cluster:NAME}` by name_of(NAME).
std::string replace_clusters(std::string_view text, const std::function<std::string(std::string_view)>& name_of);

}  // namespace inlay::deploy
