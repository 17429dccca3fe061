// SPDX-License-Identifier: Apache-2.0
#include "config/redact.h"

#include <gtest/gtest.h>
#include <rapidjson/document.h>

#include "config/load.h"

namespace inlay::config {
namespace {

TEST(LooksSecret, ByTheKeysWords) {
  for (const char* key : {"password", "api_key", "apiKey", "X-Auth-Token", "authorization", "client_secret", "key",
                          "credentials", "Set-Cookie", "privateKey"})
    EXPECT_TRUE(looks_secret(key)) << key;
  for (const char* key : {"cluster", "path", "authority", "name", "cache_seconds", "monkeys2"})
    EXPECT_FALSE(looks_secret(key)) << key;
}

constexpr std::string_view kBootstrap = R"(
node: {id: me, metadata: {api_token: hunter2, region: hunter2, shard: 3}}
static_resources:
  listeners:
  - name: l
    address: {socket_address: {address: 127.0.0.1, port_value: 8080}}
    filterChains:
    - filters:
      - name: hcm
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: s
          route_config:
            virtual_hosts:
            - name: all
              domains: ["*"]
              routes:
              - match: {prefix: /redirect}
                redirect: {path_redirect: "/elsewhere?code=hunter2"}
              - match:
                  prefix: /
                  headers:
                  - {name: x-key, string_match: {exact: hunter2}}
                  - {name: x-pattern, string_match: {safe_regex: {regex: hunter2}}}
                  - {name: ":method", string_match: {exact: PATCH}}
                  query_parameters: [{name: sig, string_match: {prefix: hunter2}}]
                direct_response: {status: 200, body: {inline_string: public}}
                metadata: {filter_metadata: {mine: {kind: hunter2, weight: 7, pin_key: 5150}}}
                request_headers_to_add:
                - header: {key: x-plain, value: hunter2}
                - header: {key: x-path, value: "%REQ(:PATH)% %PROTOCOL%"}
                response_headers_to_add:
                - header: {key: Authorization, value: hunter2}
                - header: {key: x-plain, value: shown}
          http_filters:
          - name: f
            typed_config:
              "@type": type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm
              config:
                configuration:
                  "@type": type.googleapis.com/google.protobuf.StringValue
                  value: '{"cluster": "hunter2"}'
                vm_config:
                  code: {local: {inline_string: hunter2}}
                  configuration: {"@type": type.googleapis.com/google.protobuf.StringValue, value: hunter2}
                  environment_variables: {key_values: {A: hunter2}}
          - name: g
            typed_config:
              "@type": type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm
              config:
                name: shop.header-augmenting
                configuration:
                  "@type": type.googleapis.com/google.protobuf.Struct
                  value: {max_body: 77, header_providing_service_path: "/h?sig=hunter2"}
                vm_config:
                  code: {local: {inline_string: hunter2}}
                  configuration: {"@type": type.googleapis.com/google.protobuf.Struct, value: {max_body: 88}}
          - name: router
            typed_config: {"@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}
)";

TEST(RedactedJson, IsJsonWithoutTheSecrets) {
  document::Diagnostics diagnostics;
  auto bootstrap = load_text(kBootstrap, "a.yaml", {}, diagnostics);
  ASSERT_TRUE(bootstrap) << diagnostics.to_string();
  const std::string& json = bootstrap->redacted_json;
  rapidjson::Document document;
  document.Parse(json.c_str());
  ASSERT_FALSE(document.HasParseError()) << json;
  EXPECT_EQ(json.find("hunter2"), std::string::npos) << json;
  for (const char* shown :
       {"filter_chains", "public", "shown", "\"shard\":3", "\"weight\":7", "PATCH", "%REQ(:PATH)% %PROTOCOL%",
        "/elsewhere?[redacted]", "[redacted: 22 bytes]", "\"max_body\":77", "\"pin_key\":\"[redacted]\"",
        "/h?[redacted]", "\"key_values\":{\"A\":\"[redacted]\"}", "\"port_value\":8080"})
    EXPECT_NE(json.find(shown), std::string::npos) << shown << " in " << json;
  EXPECT_EQ(json.find("88"), std::string::npos) << "a VM's configuration has no known schema";
}

TEST(Redact, AUriWithoutItsQueryAndPassword) {
  EXPECT_EQ(without_secrets("https://a.example/m.wasm"), "https://a.example/m.wasm");
  EXPECT_EQ(without_secrets("https://a.example/m.wasm?sig=1"), "https://a.example/m.wasm?[redacted]");
  EXPECT_EQ(without_secrets("https://me:pass@a.example/m@1.wasm"), "https://[redacted]@a.example/m@1.wasm");
  EXPECT_EQ(without_secrets("me:p@ss@a.example"), "[redacted]@a.example");
}

}  // namespace
}  // namespace inlay::config
