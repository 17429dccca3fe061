// SPDX-License-Identifier: Apache-2.0
#include "config/jwt_authn.h"

#include <gtest/gtest.h>

#include "base/read_file.h"
#include "config/load.h"

namespace inlay::config {
namespace {

using Kind = JwtRequirement::Kind;

Bootstrap load_everything() {
  const auto text = read_file(INLAY_SOURCE_DIR "/config/testdata/jwt_authn_everything.case", size_t{1} << 20);
  document::Diagnostics diagnostics;
  auto bootstrap = load_text(text->substr(0, text->find("#### expect")), "case.yaml", {}, diagnostics);
  EXPECT_TRUE(bootstrap) << diagnostics.to_string();
  return bootstrap ? *std::move(bootstrap) : Bootstrap();
}

class JwtAuthnConfig : public ::testing::Test {
 protected:
  const Bootstrap bootstrap_ = load_everything();
  const HttpConnectionManager& manager_ = bootstrap_.listeners.at(0).http;
  const JwtAuthentication& filter_ = *std::get<JwtAuthnFilter>(manager_.http_filters.at(0).config).settings;
};

TEST_F(JwtAuthnConfig, AProvider) {
  const JwtProvider& local = filter_.providers.at(0);
  EXPECT_EQ(local.name, "local");
  EXPECT_EQ(local.issuer, "https://login.example.com");
  EXPECT_EQ(local.audiences, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(local.subjects.value().value, "x");
  EXPECT_EQ(local.max_lifetime, std::chrono::hours(1));
  EXPECT_EQ(local.local_jwks->keys().size(), 1u);
  EXPECT_EQ(local.from_headers.at(0).name, "x-token");
  EXPECT_EQ(local.from_headers[0].value_prefix, "JWT ");
  EXPECT_EQ(local.forward_payload_header, "x-payload");
  EXPECT_EQ(local.jwt_cache.value().size, 10u);
  EXPECT_EQ(local.claim_to_headers.at(1).path, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(local.space_delimited_claims, std::vector<std::string>{"scope"});
  EXPECT_EQ(local.clock_skew_seconds, 10u);
}

TEST_F(JwtAuthnConfig, RemoteKeysAndDefaults) {
  const JwtProvider& remote = filter_.providers.at(1);
  EXPECT_EQ(remote.remote_jwks.value().host, "login.example.com");
  EXPECT_EQ(remote.remote_jwks->path, "/keys");
  EXPECT_EQ(remote.remote_jwks->num_retries, 3u);
  EXPECT_EQ(remote.remote_jwks->cache_duration, std::chrono::minutes(5));
  EXPECT_TRUE(remote.remote_jwks->async.value().fast_listener);
  EXPECT_EQ(remote.from_headers.at(0).name, "authorization");
  EXPECT_EQ(remote.from_params, std::vector<std::string>{"access_token"});
  EXPECT_EQ(remote.clock_skew_seconds, 60u);
}

TEST_F(JwtAuthnConfig, RulesAndRequirements) {
  ASSERT_EQ(filter_.rules.size(), 4u);
  EXPECT_FALSE(filter_.rules[0].requirement.has_value());
  EXPECT_EQ(filter_.rules[1].requirement.value().audiences, std::vector<std::string>{"c"});
  const JwtRequirement& any = *filter_.rules[2].requirement;
  EXPECT_EQ(any.kind, Kind::kAny);
  EXPECT_EQ(any.requirements.at(1).requirements.at(1).kind, Kind::kAllowMissing);
  EXPECT_EQ(any.requirements.at(2).kind, Kind::kAllowMissingOrFailed);
  EXPECT_EQ(filter_.rules[3].requirement.value().provider, "remote");
}

TEST_F(JwtAuthnConfig, OfRoutes) {
  const VirtualHost& host = manager_.route_config.virtual_hosts.at(0);
  EXPECT_EQ(host.jwt_settings.at(0).requirement, "named");
  ASSERT_EQ(host.routes.at(0).jwt_settings.size(), 2u);
  EXPECT_TRUE(host.routes[0].jwt_settings[0].disabled);
  EXPECT_EQ(host.routes[0].jwt_settings[1].filter, "other");
  EXPECT_TRUE(host.routes[0].filter_switches.at(0).on);
}

TEST_F(JwtAuthnConfig, NoKeyIsShown) {
  EXPECT_EQ(bootstrap_.redacted_json.find("c2VjcmV0"), std::string::npos);
}

}  // namespace
}  // namespace inlay::config
