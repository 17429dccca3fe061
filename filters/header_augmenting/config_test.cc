// SPDX-License-Identifier: Apache-2.0
#include "filters/header_augmenting/config.h"

#include <gtest/gtest.h>

#include <string>

namespace inlay::header_augmenting {
namespace {

std::string error_of(std::string_view text) {
  const auto config = parse_config(text);
  return config ? "" : std::string(config.error().view());
}

TEST(Config, DefaultsAreThoseOfTheFlatForm) {
  for (const char* text : {"", "  \n", "{}"}) {
    const auto config = parse_config(text);
    ASSERT_TRUE(config) << text;
    ASSERT_EQ(config->sources.size(), 1u);
    const SourceConfig& source = config->sources[0];
    EXPECT_EQ(source.cluster, "sidecar");
    EXPECT_EQ(source.authority, "sidecar");
    EXPECT_EQ(source.path, "/headers");
    EXPECT_EQ(source.every_ms, 360'000u);
    EXPECT_EQ(source.timeout_ms, 5'000u);
    EXPECT_EQ(config->max_body, 65'536u);
    EXPECT_EQ(config->when_missing.action, WhenMissing::Action::kReject);
    EXPECT_EQ(config->when_missing.status, 503u);
    EXPECT_EQ(config->when_missing.retry_after, "");
  }
}

TEST(Config, ReadsEveryKey) {
  const auto config = parse_config(R"({
    "header_providing_service_cluster": "outbound|80||tokens", "header_providing_service_authority": "tokens.local",
    "header_providing_service_path": "/v1?x=1", "header_cache_expiry": "1h30m", "max_body": 1000,
    "when_missing": {"action": "pass", "status": 429, "body": "no", "retry-after": "1500ms"}})");
  ASSERT_TRUE(config);
  EXPECT_EQ(config->sources[0].cluster, "outbound|80||tokens");
  EXPECT_EQ(config->sources[0].authority, "tokens.local");
  EXPECT_EQ(config->sources[0].path, "/v1?x=1");
  EXPECT_EQ(config->sources[0].every_ms, 5'400'000u);
  EXPECT_EQ(config->max_body, 1000u);
  EXPECT_EQ(config->when_missing.action, WhenMissing::Action::kPass);
  EXPECT_EQ(config->when_missing.status, 429u);
  EXPECT_EQ(config->when_missing.body, "no");
  EXPECT_EQ(config->when_missing.retry_after, "2");
  EXPECT_EQ(parse_config(R"({"when_missing":{"retry-after":7}})")->when_missing.retry_after, "7");
}

TEST(Config, ErrorsNameThePathWhatWasFoundAndWhatIsExpected) {
  EXPECT_EQ(error_of(R"({"header_cache_expiry": 360})"),
            "configuration: header_cache_expiry: found a number \"360\", expected a duration such as \"250ms\", "
            "\"10s\", \"5m\", \"1h30m\" or \"1d\"");
  EXPECT_EQ(error_of(R"({"when_missing": {"status": 99}})"),
            "configuration: when_missing.status: found a number \"99\", expected a status from 200 to 599");
  EXPECT_EQ(error_of(R"({"when_missing": []})"), "configuration: when_missing: found an array, expected an object");
  EXPECT_EQ(error_of(R"({"when_missing": {"action": "hold"}})"),
            "configuration: when_missing.action: found a string \"hold\", expected \"reject\" or \"pass\"");
  EXPECT_EQ(error_of(R"({"header_providing_service_path": "headers"})"),
            "configuration: header_providing_service_path: found a string, expected a path that starts with \"/\", a "
            "string without white space");
  EXPECT_EQ(error_of("[]"), "configuration: found an array, expected a JSON object");
  EXPECT_EQ(error_of("{\"a\": "), "configuration: found no valid JSON (at byte 6), expected a JSON object");
}

TEST(Config, UnknownKeysAreRefusedWithASuggestion) {
  EXPECT_EQ(error_of(R"({"header_cache_expirey": "1s"})"),
            "configuration: header_cache_expirey: found an unknown key, expected \"header_cache_expiry\"?");
  EXPECT_EQ(error_of(R"({"when_missing": {"statsu": 503}})"),
            "configuration: when_missing.statsu: found an unknown key, expected \"status\"?");
  EXPECT_EQ(error_of(R"({"when_missing": {"elephant": 503}})"),
            "configuration: when_missing.elephant: found an unknown key, expected one of action status body "
            "retry-after");
}

TEST(Config, KeysOfTheLongFormSaySo) {
  for (const char* key : {"sources", "rules", "invalidate_on"}) {
    EXPECT_EQ(error_of("{\"" + std::string(key) + "\": []}"),
              "configuration: " + std::string(key) + ": found a key that this version does not support yet");
  }
}

TEST(Config, RefusesBadValues) {
  for (const char* text : {
           R"({"header_cache_expiry": "10x"})",
           R"({"header_cache_expiry": "0s"})",
           R"({"header_cache_expiry": null})",
           R"({"header_providing_service_cluster": ""})",
           R"({"header_providing_service_cluster": 1})",
           R"({"header_providing_service_authority": "a b"})",
           R"({"header_providing_service_authority": "a\r\nx: y"})",
           R"({"header_providing_service_path": "/a\nb"})",
           R"({"max_body": 0})",
           R"({"max_body": -1})",
           R"({"max_body": 1e3})",
           R"({"max_body": "64KiB"})",
           R"({"max_body": 99999999999999999999})",
           R"({"when_missing": {"status": "503"}})",
           R"({"when_missing": {"status": 600}})",
           R"({"when_missing": {"status": 503.5}})",
           R"({"when_missing": {"body": 1}})",
           R"({"when_missing": {"retry-after": "soon"}})",
           R"({"when_missing": {"action": true}})",
           R"({"header_cache_expiry": "1s", "header_cache_expiry": "2s"})",
       }) {
    EXPECT_NE(error_of(text), "") << text;
  }
}

TEST(Config, SecretsAreNotRepeated) {
  EXPECT_EQ(error_of(R"({"header_providing_service_authority": "hunter2 hunter2"})").find("hunter2"),
            std::string::npos);
  EXPECT_EQ(error_of(R"({"when_missing": {"body": ["hunter2"]}})").find("hunter2"), std::string::npos);
}

}  // namespace
}  // namespace inlay::header_augmenting
