// SPDX-License-Identifier: Apache-2.0
#pragma once

// The header-augmenting filter's rules for outbound traffic, so that headers go to the destinations and nowhere else.
//
// A listener of a mesh takes each request to its port, and a host that the mesh does not know is passed through: a
// filter that sets headers on all of them hands a token to whoever is called on that port. Where a request goes is
// known by its cluster, which no client chooses as it chooses `:authority`. So what is rendered has a rule for each
// cluster of each destination, and a last one that leaves all else alone:
//
//     "rules": [{"match": {"cluster": "outbound|8081||payments.shop.svc.cluster.local"}}, {"use": []}]
//
// Rules of the values file are narrowed in the same way: each one stands once for each of these clusters, in the file's
// order. One that has `match.cluster: ${cluster:HOST}` stands for the clusters of the destination HOST alone. One with
// `use: []` and without `match.cluster` gives no headers, and stands as it is: what it removes is removed everywhere.

#include <memory>
#include <string_view>
#include <vector>

#include "deploy/render/configuration.h"

namespace inlay::deploy {

// Whether the plugin is the header-augmenting filter, whose configuration can have rules: its module has the names of
// that configuration's keys, or, when the module is elsewhere, the configuration in the values file uses them, as a map
// or as a text (which check_rules refuses).
bool takes_rules(const Values& values);

// Reports rules of the values file that cannot be narrowed: what is no list of maps, a configuration that is a text,
// and a `match.cluster` that is no destination's. For values of which takes_rules() is true, with outbound traffic.
void check_rules(const Values& values, config::Reporter& report);

// The configuration with its rules, in which texts still have their placeholders.
std::shared_ptr<const document::Source> with_rules(const Values& values, const ClusterNames& names);

// For a configuration in JSON: whether a request that goes to `cluster` can get headers. It is read as the filter reads
// it; what is no such configuration gives `true`.
bool can_augment(std::string_view configuration_json, std::string_view cluster);

}  // namespace inlay::deploy
