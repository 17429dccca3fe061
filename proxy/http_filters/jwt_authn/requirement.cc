// SPDX-License-Identifier: Apache-2.0
#include "proxy/http_filters/jwt_authn/requirement.h"

#include <algorithm>

namespace inlay::proxy::http_filters::jwt_authn {

using Kind = config::JwtRequirement::Kind;

Requirement::Requirement(const config::JwtRequirement& config, const Providers& providers) {
  add(config, std::nullopt, providers);
}

size_t Requirement::add(const config::JwtRequirement& config, std::optional<size_t> parent,
                        const Providers& providers) {
  const size_t at = nodes_.size();
  nodes_.emplace_back().parent = parent;
  switch (config.kind) {
    case Kind::kNone:
      break;
    case Kind::kProvider: {
      const auto found = std::find_if(providers.begin(), providers.end(),
                                      [&](const auto& one) { return one->config().name == config.provider; });
      RequirementNode& node = nodes_[at];
      node.kind = RequirementNode::Kind::kTokens;
      node.provider = found->get();
      node.audiences = config.audiences;
      node.places.emplace(std::vector<const config::JwtProvider*>{&node.provider->config()});
      break;
    }
    case Kind::kAllowMissing:
    case Kind::kAllowMissingOrFailed: {
      std::vector<const config::JwtProvider*> all;
      for (const auto& one : providers) all.push_back(&one->config());
      RequirementNode& node = nodes_[at];
      node.kind = RequirementNode::Kind::kTokens;
      node.allow_missing = true;
      node.allow_failed = config.kind == Kind::kAllowMissingOrFailed;
      node.places.emplace(all);
      break;
    }
    case Kind::kAny:
    case Kind::kAll:
      nodes_[at].kind = config.kind == Kind::kAny ? RequirementNode::Kind::kAny : RequirementNode::Kind::kAll;
      add_children(config, at, providers);
      break;
  }
  return at;
}

void Requirement::add_children(const config::JwtRequirement& config, size_t at, const Providers& providers) {
  const auto allows = [](const config::JwtRequirement& one) {
    return one.kind == Kind::kAllowMissing || one.kind == Kind::kAllowMissingOrFailed;
  };
  for (const config::JwtRequirement& one : config.requirements) {
    if (config.kind == Kind::kAny && allows(one)) {
      nodes_[at].allow_missing = true;
      if (one.kind == Kind::kAllowMissingOrFailed) nodes_[at].allow_failed = true;
      continue;
    }
    const size_t child = add(one, at, providers);
    nodes_[at].children.push_back(child);
  }
  if (!nodes_[at].children.empty()) return;
  config::JwtRequirement only;
  only.kind = nodes_[at].allow_failed ? Kind::kAllowMissingOrFailed : Kind::kAllowMissing;
  const size_t child = add(only, at, providers);
  nodes_[at].children.push_back(child);
}

}  // namespace inlay::proxy::http_filters::jwt_authn
