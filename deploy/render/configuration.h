// SPDX-License-Identifier: Apache-2.0
#pragma once

// The plugin's configuration: checked once, then written for each target.
//
// `${cluster:NAME}` in any of its texts becomes the name that a target has for the service NAME. `${env:NAME}` stays:
// the plugin resolves it in its VM. What looks like a secret must be such a variable, since what is rendered is
// committed, applied and shown by admin interfaces.

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "deploy/render/values.h"

namespace inlay::deploy {

// Reports unknown services and variables, literal secrets, literal cluster names where the header-augmenting filter has
// them, and scalars that YAML's readers disagree about. `path` is the configuration's own: "plugin.configuration".
void check_configuration(const document::Source& configuration, const std::string& path, const Values& values,
                         config::Reporter& report);

// The names that a target has for what is in the values.
struct ClusterNames {
  std::function<std::string(const Service&)> service;
  // Of a destination: the clusters that its requests can go to. Without it no rules are added: the target itself keeps
  // other requests from the plugin.
  std::function<std::vector<std::string>(const Destination&)> destination;
};

// What the plugin gets, as text: JSON over several lines, safe to stand in a YAML literal block, or a text as it is in
// the values file. `json` says which. For outbound traffic the header-augmenting filter's has rules (rules.h).
struct ConfigurationText {
  std::string text;
  bool json = false;
};
ConfigurationText configuration_text(const Values& values, const ClusterNames& names);

// The same as YAML's block style, for a field that holds any object. Empty when the configuration is no map.
std::string configuration_yaml(const Values& values, const ClusterNames& names);

}  // namespace inlay::deploy
