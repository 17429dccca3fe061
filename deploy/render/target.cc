// SPDX-License-Identifier: Apache-2.0
#include "deploy/render/target.h"

namespace inlay::deploy {

namespace {

constexpr Target kTargets[] = {
    {"envoy", "an Envoy bootstrap for `inlay run` and `envoy`", render_envoy},
    {"compose", "a pod on one machine, for docker compose", render_compose},
    {"kubernetes", "the workload with the module mounted into its proxy, for kubectl apply -k", render_kubernetes},
    {"istio", "the resources that add the plugin to the workload's proxy, a gateway's or a waypoint's", render_istio},
    {"gateway", "the resources that add the plugin to routes of Envoy Gateway", render_gateway},
};

}  // namespace

std::span<const Target> targets() {
  return kTargets;
}

const Target* find_target(std::string_view name) {
  for (const Target& target : kTargets)
    if (target.name == name) return &target;
  return nullptr;
}

}  // namespace inlay::deploy
