// SPDX-License-Identifier: Apache-2.0
#include "config/leave_out.h"

#include <gtest/gtest.h>

#include "config/load.h"

namespace inlay::config {
namespace {

TEST(LeaveOut, ByNameByTypeAndTheSafeOnes) {
  EXPECT_TRUE(is_left_out({"a"}, "a", "envoy.T"));
  EXPECT_TRUE(is_left_out({"b", "envoy.T"}, "a", "envoy.T"));
  EXPECT_FALSE(is_left_out({"b"}, "a", "envoy.T"));
  EXPECT_FALSE(is_left_out({""}, "", ""));
  EXPECT_TRUE(is_left_out({"safe"}, "a", "envoy.extensions.filters.http.grpc_stats.v3.FilterConfig"));
}

// What lets in, keeps out, or changes what anybody gets, has to be named.
TEST(LeaveOut, NothingThatDecidesIsSafe) {
  for (const char* type :
       {"envoy.extensions.filters.http.ext_authz.v3.ExtAuthz", "envoy.extensions.filters.http.rbac.v3.RBAC",
        "envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication", "envoy.extensions.filters.http.lua.v3.Lua",
        "envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit",
        "envoy.extensions.filters.http.compressor.v3.Compressor", "envoy.extensions.filters.network.rbac.v3.RBAC",
        "envoy.extensions.filters.listener.original_dst.v3.OriginalDst", ""})
    EXPECT_FALSE(is_safe_to_leave_out(type)) << type;
}

TEST(LeaveOut, IsToldOfTheBootstrap) {
  LoadOptions options;
  options.leave_out = {"far"};
  document::Diagnostics diagnostics;
  const auto bootstrap = load_text(
      R"(static_resources: {listeners: [{name: a, address: {socket_address: {address: 127.0.0.1, port_value: 1}},
    filter_chains: [{filters: [{name: tcp, typed_config: {"@type": type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy,
    stat_prefix: t, cluster: c, access_log: [{name: far, typed_config: {"@type": type.googleapis.com/envoy.x.v3.Y}}]}}]}]}], clusters: [{name: c}]})",
      "a.yaml", options, diagnostics);
  ASSERT_TRUE(bootstrap) << diagnostics.to_string();
  ASSERT_EQ(bootstrap->left_out.size(), 1u);
  EXPECT_NE(bootstrap->left_out[0].find("access_log[0]: far (envoy.x.v3.Y)"), std::string::npos)
      << bootstrap->left_out[0];
}

}  // namespace
}  // namespace inlay::config
