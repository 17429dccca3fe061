// SPDX-License-Identifier: Apache-2.0
#pragma once

// Requirement: a JwtRequirement made ready: a tree, kept as a list. Immutable; its providers are one worker's.

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/jwt_authn.h"
#include "proxy/http_filters/jwt_authn/provider.h"
#include "proxy/http_filters/jwt_authn/token_places.h"

namespace inlay::proxy::http_filters::jwt_authn {

struct RequirementNode {
  enum class Kind : uint8_t { kPass, kTokens, kAny, kAll } kind = Kind::kPass;
  std::optional<size_t> parent;  // its place in the list
  // kAny, kAll.
  std::vector<size_t> children;
  // kAny: one of its requirements is that. It then is not among the children, unless it is the only one.
  bool allow_missing = false;
  bool allow_failed = false;
  // kTokens: all tokens that are in those places have to be good.
  std::optional<TokenPlaces> places;
  Provider* provider = nullptr;        // null: whose issuer the token names
  std::vector<std::string> audiences;  // in the place of the provider's
};

class Requirement {
 public:
  using Providers = std::vector<std::unique_ptr<Provider>>;
  // The loader has checked that the providers are there.
  Requirement(const config::JwtRequirement& config, const Providers& providers);

  // The first one is the root.
  const std::vector<RequirementNode>& nodes() const { return nodes_; }

 private:
  size_t add(const config::JwtRequirement& config, std::optional<size_t> parent, const Providers& providers);
  void add_children(const config::JwtRequirement& config, size_t at, const Providers& providers);

  std::vector<RequirementNode> nodes_;
};

}  // namespace inlay::proxy::http_filters::jwt_authn
