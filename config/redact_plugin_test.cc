// SPDX-License-Identifier: Apache-2.0
#include "config/redact_plugin.h"

#include <gtest/gtest.h>

namespace inlay::config {
namespace {

std::string shown(std::string_view text) {
  return redacted_plugin_configuration("header_augmenting", text);
}

TEST(RedactedPluginConfiguration, OfAnyOtherPluginOnlyItsSize) {
  EXPECT_EQ(redacted_plugin_configuration("other", R"({"cluster":"hunter2"})"), "[redacted: 21 bytes]");
  EXPECT_EQ(redacted_plugin_configuration("", "hunter2"), "[redacted: 7 bytes]");
  EXPECT_EQ(redacted_plugin_configuration("other", ""), "");
}

TEST(RedactedPluginConfiguration, TheFilterIsKnownByThePluginsNameOrItsModules) {
  for (const char* name : {"header_augmenting", "shop.header-augmenting", "header_augmenting.wasm"})
    EXPECT_TRUE(is_header_augmenting(name)) << name;
  for (const char* name : {"", "augmenting", "header_augment"}) EXPECT_FALSE(is_header_augmenting(name)) << name;
}

// One of each key of the filter's schema; what is secret, or may be, says hunter2.
TEST(RedactedPluginConfiguration, OfTheFilterWhatIsHarmless) {
  EXPECT_EQ(shown(R"({"sources":[{"name":"a","cluster":"outbound|80||a.b","authority":"a.b:80","path":"/t?k=hunter2",
    "method":"POST","request_headers":{"x-auth":"hunter2"},"body":"hunter2","timeout":"5s","format":"oauth2",
    "oauth2":{"grant_type":"password","client_id":"hunter2","client_secret":"hunter2","auth_method":"none",
    "username":"hunter2","password":"hunter2","scopes":"hunter2","audience":["hunter2"],"resource":"hunter2",
    "endpoint_params":{"assertion":"hunter2"},"client_assertion":"hunter2","client_assertion_type":"jwt-bearer",
    "signing":{"key":"hunter2","alg":"ES256","kid":"hunter2","audience":"hunter2","lifetime":"1m"}},"headers":{"x-key":"hunter2"},"allow":["x-*"],"max_stale":"unlimited",
    "refresh":{"every":"1h30m","early":"20%","jitter":"1s","retry":{"initial":"250ms","max":"30s"}}}]})"),
            R"({"sources":[{"name":"a","cluster":"outbound|80||a.b","authority":"a.b:80","path":"/t?[redacted]",)"
            R"("method":"POST","request_headers":"[redacted]","body":"[redacted]","timeout":"5s","format":"oauth2",)"
            R"("oauth2":{"grant_type":"password","client_id":"[redacted]","client_secret":"[redacted]",)"
            R"("auth_method":"none","username":"[redacted]","password":"[redacted]","scopes":"[redacted]",)"
            R"("audience":"[redacted]","resource":"[redacted]","endpoint_params":"[redacted]",)"
            R"("client_assertion":"[redacted]","client_assertion_type":"jwt-bearer","signing":{"key":"[redacted]",)"
            R"("alg":"ES256","kid":"[redacted]","audience":"[redacted]","lifetime":"1m"}},)"
            R"("headers":"[redacted]","allow":["x-*"],"max_stale":"unlimited",)"
            R"("refresh":{"every":"1h30m","early":"20%","jitter":"1s","retry":{"initial":"250ms","max":"30s"}}}]})");
  EXPECT_EQ(shown(R"({"rules":[{"match":{"authority":"*.a.b","cluster":"c","path_prefix":"/p","path":"/q;s=hunter2",
    "methods":["GET"],"headers":[{"name":"x-key","exact":"hunter2","prefix":"hunter2","present":true}]},
    "use":["a"],"mode":"set","remove":["x-old"]}],"when_missing":{"action":"hold","status":503,"body":"hunter2",
    "retry-after":2,"hold_for":"2s","max_held":9},"invalidate_on":[401],"max_body":100,"trace":false})"),
            R"({"rules":[{"match":{"authority":"*.a.b","cluster":"c","path_prefix":"/p","path":"/q?[redacted]",)"
            R"("methods":["GET"],"headers":[{"name":"x-key","exact":"[redacted]","prefix":"[redacted]",)"
            R"("present":true}]},"use":["a"],"mode":"set","remove":["x-old"]}],"when_missing":{"action":"hold",)"
            R"("status":503,"body":"[redacted]","retry-after":2,"hold_for":"2s","max_held":9},)"
            R"("invalidate_on":[401],"max_body":100,"trace":false})");
  EXPECT_EQ(shown(R"({"sources":[{"oauth2":{"grant_type":"token_exchange","refresh_token":"hunter2",
    "subject":{"header":"x-user","scheme":"Bearer","remove":false,"type":"jwt","token":"hunter2"},
    "actor":{"token":"${source:sa}","type":"urn:a:b"},"requested_token_type":"jwt"},"cache":{"entries":8,"bytes":65536,
    "default_life":"5m","refused_life":"10s","max_token":9,"max_waiting":9,"max_calls":9},"on_error":{"no_subject":"pass",
    "subject_refused":401,"denied":403,"provider_refused":502,"unavailable":503}}],
    "rules":[{"with":{"audience":"hunter2","scopes":["hunter2"],"resource":"hunter2"}}]})"),
            R"({"sources":[{"oauth2":{"grant_type":"token_exchange","refresh_token":"[redacted]",)"
            R"("subject":{"header":"x-user","scheme":"Bearer","remove":false,"type":"jwt","token":"[redacted]"},)"
            R"("actor":{"token":"${source:sa}","type":"urn:a:b"},"requested_token_type":"jwt"},"cache":{"entries":8,)"
            R"("bytes":65536,"default_life":"5m","refused_life":"10s","max_token":9,"max_waiting":9,"max_calls":9},)"
            R"("on_error":{"no_subject":"pass","subject_refused":401,"denied":403,"provider_refused":502,)"
            R"("unavailable":503}}],"rules":[{"with":{"audience":"[redacted]","scopes":"[redacted]",)"
            R"("resource":"[redacted]"}}]})");
  EXPECT_EQ(shown(R"({"header_providing_service_cluster":"c","header_providing_service_authority":"a",
    "header_providing_service_path":"/h#hunter2","header_cache_expiry":"1s"})"),
            R"({"header_providing_service_cluster":"c","header_providing_service_authority":"a",)"
            R"("header_providing_service_path":"/h?[redacted]","header_cache_expiry":"1s"})");
}

TEST(RedactedPluginConfiguration, AVariableIsShownWhereTheSecretWouldStand) {
  EXPECT_EQ(shown(R"({"sources":[{"body":"${env:BODY_1}","oauth2":{"client_secret":"${env:KEY}"}}]})"),
            R"({"sources":[{"body":"${env:BODY_1}","oauth2":{"client_secret":"${env:KEY}"}}]})");
  EXPECT_EQ(shown(R"({"sources":[{"oauth2":{"client_assertion":"${source:sa}"}}]})"),
            R"({"sources":[{"oauth2":{"client_assertion":"${source:sa}"}}]})");
  for (const char* text : {"${env:hunter2", "${source:hunter2", "x${source:A}hunter2", "${hunter2}", "x${env:A}hunter2",
                           "${env:A}hunter2}", "${env:}"})
    EXPECT_EQ(shown(std::string(R"({"sources":{"body":")") + text + R"("}})"), R"({"sources":{"body":"[redacted]"}})")
        << text;
}

TEST(RedactedPluginConfiguration, WhatDoesNotFitItsKeyIsHidden) {
  // A key of another schema may be a secret itself.
  EXPECT_EQ(shown(R"({"hunter2":1,"max_body":5,"sources":[{"hunter2":"hunter2"}]})"),
            R"({"max_body":5,"sources":[{}]})");
  EXPECT_EQ(shown(R"({"sources":["hunter2",["hunter2"],5]})"), R"({"sources":["[redacted]","[redacted]",5]})");
  EXPECT_EQ(shown(R"({"sources":{"cluster":{"hunter2":1},"name":"hunter2 hunter2","authority":"me:hunter2@a"}})"),
            R"({"sources":{"cluster":"[redacted]","name":"[redacted]","authority":"[redacted]"}})");
  EXPECT_EQ(shown(R"({"header_cache_expiry":"hunter2 hunter2","header_providing_service_path":"hunter2"})"),
            R"({"header_cache_expiry":"[redacted]","header_providing_service_path":"[redacted]"})");
  for (const char* text : {"hunter2", "\"hunter2\"", "[\"hunter2\"]", "{\"a\":"})
    EXPECT_TRUE(shown(text).starts_with("[redacted: ")) << text;
  EXPECT_EQ(shown(std::string(100'000, '[')), "[redacted: 100000 bytes]");
}

}  // namespace
}  // namespace inlay::config
