// SPDX-License-Identifier: Apache-2.0
// config/listener/v3 FilterChainMatch.
#include "base/ascii.h"
#include "config/builders.h"
#include "document/scalars.h"

namespace inlay::config {

namespace {

constexpr FieldRule kMatch[] = {
    {"server_names", Support::kYes, "names, and `*.` before one"},
    {"transport_protocol", Support::kYes, "`tls` and `raw_buffer`; no connection is of another"},
};
constexpr MessageRules kRules[] = {{"envoy.config.listener.v3.FilterChainMatch", kMatch}};

}  // namespace

std::span<const MessageRules> filter_chain_match_rules() {
  return kRules;
}

FilterChainMatch build_filter_chain_match(View chain, BuildContext& context) {
  FilterChainMatch out;
  const View match = chain["filter_chain_match"];
  for (View name : match.list("server_names")) {
    const std::string& text = name.node().text;
    const std::string_view plain = std::string_view(text).substr(text.starts_with("*.") ? 2 : 0);
    if (plain.find('*') != std::string_view::npos)
      context.error(name, document::quote(text) + " may have a `*` only as `*.` before a name");
    if (!text.empty()) out.server_names.push_back(lower(text));
  }
  out.transport_protocol = match.text("transport_protocol");
  return out;
}

void check_filter_chain_matches(const std::vector<View>& chains, BuildContext& context) {
  std::map<std::pair<std::string, std::string>, std::string> seen;
  for (View chain : chains) {
    const View match = chain["filter_chain_match"];
    std::vector<std::string> names = match.texts("server_names");
    if (names.empty()) names.emplace_back();
    for (const std::string& name : names) {
      const auto [it, fresh] =
          seen.emplace(std::pair(lower(name), match.text("transport_protocol")), chain.node().path());
      if (!fresh)
        context.error(match ? match : chain, "matches what " + it->second + " matches" +
                                                 (name.empty() ? "" : ", " + document::quote(name)) +
                                                 "; no two chains of a listener may");
    }
  }
}

}  // namespace inlay::config
