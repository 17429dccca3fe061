// SPDX-License-Identifier: Apache-2.0
// What the keys of exchanges demand of each other, in words.
#include <gtest/gtest.h>

#include <string>

#include "filters/header_augmenting/config.h"
#include "filters/header_augmenting/exchange_fixture.h"

namespace inlay::header_augmenting {
namespace {

class ExchangeConfigTest : public ::testing::Test {
 protected:
  // error_of: the lines that are logged, joined, without the word that each begins with; empty if it is accepted.
  std::string error_of(const std::string& config_text) {
    host_.logs.clear();
    Config config;
    (void)parse_config(config_text, "", config);
    std::string lines;
    for (const auto& log : host_.logs) lines += (lines.empty() ? "" : "\n") + log.text.substr(15);
    return lines;
  }
  FakeHost host_;
};

TEST_F(ExchangeConfigTest, DefaultsDependOnOtherKeys) {
  Config config;
  ASSERT_TRUE(parse_config(exchange_config(), "", config));
  const SourceConfig& source = config.sources[0];
  EXPECT_TRUE(source.per_request);
  EXPECT_EQ(source.oauth2.subject.header, "authorization");
  EXPECT_EQ(source.oauth2.subject.scheme, "Bearer");
  EXPECT_EQ(source.oauth2.subject.type, "access_token");
  EXPECT_EQ(config.rules[0].per_request, 0u);
  EXPECT_EQ(config.rules[0].with_digest, 0u);
  Config other;
  ASSERT_TRUE(
      parse_config(exchange_config("", R"(, "subject": {"header": "X-User"}, "actor": {"token": "t"})"), "", other));
  EXPECT_EQ(other.sources[0].oauth2.subject.header, "x-user");
  EXPECT_EQ(other.sources[0].oauth2.subject.scheme, "");
  EXPECT_EQ(other.sources[0].oauth2.actor.type, "access_token");
}

TEST_F(ExchangeConfigTest, KeysThatDoNotGoTogetherAreRefused) {
  const std::string before = R"({"sources": [{"path": "/t", "format": "oauth2", "oauth2": {"client_id": "c")";
  EXPECT_EQ(error_of(before + R"(, "subject": {"header": "x"}}}]})"),
            "sources[0].oauth2.subject: found an object, expected one with \"grant_type\" \"token_exchange\" or "
            "\"jwt_bearer\" only");
  EXPECT_EQ(error_of(before + R"(, "requested_token_type": "jwt", "actor": {"token": "x"}}}]})"),
            "sources[0].oauth2.actor: found an object, expected one with \"grant_type\" \"token_exchange\" only\n"
            "sources[0].oauth2.requested_token_type: found a string, expected one with \"grant_type\" "
            "\"token_exchange\" only");
  EXPECT_EQ(
      error_of(exchange_config("", R"(, "subject": {"token": "t", "header": "x"})")),
      "sources[0].oauth2.subject.token: found a string, expected none beside the keys that say where in a request "
      "it stands");
  EXPECT_EQ(error_of(exchange_config("", R"(, "subject": {"token": "t"}, "actor": {"header": "x"})")),
            "sources[0].oauth2.actor: found no \"token\", expected one, since the subject is of no request either");
  EXPECT_EQ(error_of(exchange_config("", R"(, "actor": {"type": "jwt"})")),
            "sources[0].oauth2.actor: found the subject's header, expected \"header\" with another, or \"token\"");
  EXPECT_EQ(error_of(exchange_config("", R"(, "subject": {"type": "acces_token"})")),
            "sources[0].oauth2.subject.type: found acces_token, expected access_token, refresh_token, id_token, saml1, "
            "saml2, jwt, txn_token, id-jag, or a URI");
  EXPECT_EQ(
      error_of(exchange_config("", R"(, "subject": {"scheme": "Bearer "})")),
      "sources[0].oauth2.subject.scheme: found a string with other characters, expected the name of a scheme, or an "
      "empty string");
  EXPECT_EQ(error_of(exchange_config(R"(, "max_stale": "1s")")),
            "sources[0].max_stale: found a value, expected none: no token is used past its end");
  EXPECT_EQ(error_of(R"({"sources": [{"cache": {"entries": 8}, "on_error": {"denied": 404}}]})"),
            "sources[0].cache: found an object, expected one with a source that is asked for each request only\n"
            "sources[0].on_error: found an object, expected one with a source that is asked for each request only");
  EXPECT_EQ(error_of(exchange_config(R"(, "cache": {"entries": 65537})")),
            "sources[0].cache: found more than 65536 \"entries\", expected 65536 at most");
  EXPECT_EQ(error_of(exchange_config(R"(, "on_error": {"no_subject": "stop"})")),
            "sources[0].on_error.no_subject: found a string \"stop\", expected a status from 200 to 599, or \"pass\"");
  EXPECT_EQ(
      error_of(exchange_config("", "", "refresh_token")),
      "sources[0].oauth2: found \"grant_type\" or \"refresh_token\", expected \"grant_type\" \"refresh_token\" and "
      "the token with it");
}

TEST_F(ExchangeConfigTest, RulesHaveOneSuchSource) {
  const std::string two = R"({"sources": [)" + exchange_source() + "," +
                          R"({"name": "b", "path": "/t", "format": "oauth2", "oauth2": {"grant_type": "jwt_bearer",
                              "client_id": "c"}}, {"name": "keys"}])";
  EXPECT_EQ(error_of(two + "}"),
            "rules[0].use: found two sources that are asked for each request, expected one at most");
  EXPECT_EQ(error_of(two + R"(, "rules": [{"use": ["obo", "keys"]}, {"use": ["b"]}]})"), "");
  EXPECT_EQ(error_of(two + R"(, "rules": [{"use": ["keys"], "with": {"audience": "a"}}]})"),
            "rules[0].with: found an object, expected one with a source that is asked for each request only");
  EXPECT_EQ(error_of(two + R"(, "rules": [{"use": ["b"], "remove": ["authorization"]}]})"),
            "rules[0].remove: found authorization, expected no header that a source reads a token from");
}

TEST_F(ExchangeConfigTest, NoOtherSourceRefersToSuchAOne) {
  EXPECT_EQ(error_of(R"({"sources": [)" + exchange_source() + R"(, {"name": "k", "body": "${source:obo}"}]})"),
            "sources[1].body: found a source that is asked for each request, expected one that has a value without a "
            "request");
}

TEST_F(ExchangeConfigTest, TypesMayBeUris) {
  EXPECT_EQ(error_of(exchange_config("", R"(, "subject": {"type": "urn:x:y"}, "requested_token_type": "txn_token",
      "actor": {"token": "a", "type": "https://example.com/t"})")),
            "");
}

}  // namespace
}  // namespace inlay::header_augmenting
