// SPDX-License-Identifier: Apache-2.0
#include "filters/header_augmenting/references.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "filters/header_augmenting/call.h"
#include "sdk/testing/fake_host.h"

namespace inlay::header_augmenting {
namespace {

using std::string_literals::operator""s;

class ReferencesTest : public ::testing::Test {
 protected:
  // error_of: the lines that are logged, joined, without the word that each begins with; empty if it is accepted.
  std::string error_of(const std::string& sources) {
    host_.logs.clear();
    Config config;
    (void)parse_config(R"({"sources": [)" + sources + "]}", "", config);
    std::string lines;
    for (const auto& log : host_.logs) lines += (lines.empty() ? "" : "\n") + log.text.substr(15);
    return lines;
  }
  // text: a source of that format; referring: one that is called with the values of others.
  static std::string text(const std::string& name) { return R"({"name": ")" + name + R"(", "format": "text"})"; }
  static std::string referring(const std::string& name, const std::string& body) {
    return R"({"name": ")" + name + R"(", "format": "template", "headers": {"x": "{/x}"}, "body": ")" + body + "\"}";
  }
  // body_of: what the second of two sources sends, with "v" for the value of the first, "sa".
  std::string body_of(const std::string& body) {
    Config config;
    EXPECT_EQ(error_of(text("sa") + "," + referring("b", body)), "");
    EXPECT_TRUE(parse_config(R"({"sources": [)" + text("sa") + "," + referring("b", body) + "]}", "", config));
    abi::Pair value{"sa", "v"};
    fill_in(config.sources[1], {&value, 1}, config.arena);
    EXPECT_TRUE(prepare_call(config.sources[1], config.arena));
    return std::string(config.sources[1].body);
  }

  sdk::testing::FakeHost host_;
};

TEST_F(ReferencesTest, StandForAValue) {
  EXPECT_EQ(body_of("${source:sa}"), "v");
  EXPECT_EQ(body_of("a ${source:sa}${source:sa} b$"), "a vv b$");
  EXPECT_EQ(body_of("$${source:sa} ${source:sa}"), "${source:sa} v");
  EXPECT_EQ(body_of("\\u0000${source:sa}\\u0000"), "\0v\0"s) << "a body may have any character";
}

TEST_F(ReferencesTest, BodyWithoutOneIsSentAsItIsWritten) {
  Config config;
  ASSERT_TRUE(parse_config(R"({"sources": [{"body": "a\u0000b\u0000\u0000c"}]})", "", config));
  EXPECT_EQ(config.sources[0].body, "a\0b\0\0c"s);
}

TEST_F(ReferencesTest, MayStandInAnyTextOfACall) {
  Config config;
  ASSERT_TRUE(parse_config(R"({"sources": [{"name": "sa", "format": "text"},
      {"name": "idp", "path": "/t", "format": "oauth2", "request_headers": {"x-a": "k ${source:sa}"},
       "oauth2": {"client_id": "${source:sa}", "client_secret": "s${source:sa}", "auth_method": "client_secret_post",
                  "grant_type": "password", "username": "${source:sa}", "password": "p ${source:sa}",
                  "scopes": ["${source:sa}"], "audience": "${source:sa}", "resource": ["r", "${source:sa}"],
                  "endpoint_params": {"assertion": "${source:sa}"}}}]})",
                           "", config));
  EXPECT_TRUE(config.sources[0].is_referred_to);
  ASSERT_EQ(config.sources[1].refers_to.size(), 1u) << "once, however often it is named";
  SourceConfig filled = config.sources[1];
  abi::Pair value{"sa", "v+1"};
  fill_in(filled, {&value, 1}, config.arena);
  ASSERT_TRUE(prepare_call(filled, config.arena));
  EXPECT_EQ(filled.body,
            "grant_type=password&username=v%2B1&password=p+v%2B1&client_id=v%2B1&client_secret=sv%2B1&scope=v%2B1&"
            "audience=v%2B1&resource=r&resource=v%2B1&assertion=v%2B1");
  EXPECT_EQ(filled.call[3].value, "k v+1");
  value.value = "line\nbreak";
  SourceConfig broken = config.sources[1];
  fill_in(broken, {&value, 1}, config.arena);
  EXPECT_FALSE(prepare_call(broken, config.arena)) << "no header may have one";
}

TEST_F(ReferencesTest, StandNowhereElse) {
  for (const char* key :
       {R"("path": "/${source:sa}")", R"("authority": "${source:sa}")", R"("cluster": "${source:sa}")",
        R"("timeout": "${source:sa}")", R"("format": "${source:sa}")"}) {
    EXPECT_NE(error_of(text("sa") + R"(, {"name": "b", )" + key + "}")
                  .find("found ${source:NAME}, expected it in oauth2, request_headers or body of a source"),
              std::string::npos)
        << key;
  }
}

TEST_F(ReferencesTest, UnknownNameIsRefusedWithASuggestion) {
  EXPECT_EQ(error_of(text("token") + "," + referring("b", "${source:tokn}")),
            "sources[1].body: found the name of no source, expected \"token\"?\n"
            "sources[0].headers: found nothing, expected an object of header name to template, or ${source:NAME} with "
            "its name in another source");
  EXPECT_EQ(error_of(R"({"name": "b", "request_headers": {"x-a": "${source:elephant}"}})"),
            "sources[0].request_headers.x-a: found the name of no source, expected one of b");
}

TEST_F(ReferencesTest, CycleIsRefusedWithItsPath) {
  EXPECT_EQ(error_of(referring("a", "${source:b}") + "," + referring("b", "${source:c}") + "," +
                     referring("c", "${source:a}")),
            "sources[2]: found references in a cycle, a -> b -> c -> a, expected none that lead back");
  EXPECT_EQ(error_of(referring("a", "${source:a}")),
            "sources[0]: found references in a cycle, a -> a, expected none that lead back");
}

TEST_F(ReferencesTest, AtMostThreeLeadFromOneSourceToTheNext) {
  const std::string three = text("a") + "," + referring("b", "${source:a}") + "," + referring("c", "${source:b}") +
                            "," + referring("d", "${source:c}");
  EXPECT_EQ(error_of(three), "");
  EXPECT_EQ(error_of(three + "," + referring("e", "${source:d}") + "," + referring("f", "${source:e}")),
            "sources[4]: found a source that others lead to by more than three references, expected three at most");
  std::string row;
  for (int i = 40; i >= 0; --i)
    row += referring("s" + std::to_string(i), "${source:s" + std::to_string(i - 1) + "}") + ",";
  row.replace(row.rfind("${source:s-1}"), 13, "");
  EXPECT_NE(error_of(row.substr(0, row.size() - 1)), "");
}

TEST_F(ReferencesTest, SourceThatMayHaveSeveralValuesHasNone) {
  const char* const expected =
      "sources[1].body: found a source that may have several values, expected one of format \"text\", \"jwt_svid\" or "
      "\"oauth2\", or "
      "of \"template\" with one header";
  EXPECT_EQ(error_of(R"({"name": "a"},)" + referring("b", "${source:a}")), expected);
  EXPECT_EQ(error_of(R"({"name": "a", "format": "template", "headers": {"x": "{/x}", "y": "{/y}"}},)" +
                     referring("b", "${source:a}")),
            expected);
}

// Sources of one configuration share an entry, whatever they and those that they refer to are called.
TEST_F(ReferencesTest, DigestIsThatOfWhatIsReferredToAndNotOfItsName) {
  const auto digest = [](const std::string& name, const std::string& path) {
    Config config;
    EXPECT_TRUE(parse_config(R"({"sources": [)" + referring("b", "${source:" + name + "}") + R"(,
        {"format": "text", "name": ")" +
                                 name + R"(", "path": ")" + path + R"("}]})",
                             "", config));
    return config.sources[0].digest;
  };
  EXPECT_EQ(digest("one", "/a"), digest("other", "/a"));
  EXPECT_NE(digest("one", "/a"), digest("one", "/b"));
}

TEST_F(ReferencesTest, RuleOfNoneUsesWhatNobodyRefersTo) {
  const std::string sources = R"({"sources": [{"name": "sa", "format": "text", "headers": {"x-sa": "{text}"}},
      {"name": "bare", "format": "text"},)" +
                              referring("b", "${source:sa}${source:bare}") + R"(], "rules": )";
  Config config;
  ASSERT_TRUE(parse_config(sources + "[]}", "", config));
  ASSERT_EQ(config.rules[0].sources.size(), 1u);
  EXPECT_EQ(config.rules[0].sources[0], 2u);
  Config named;
  ASSERT_TRUE(parse_config(sources + R"([{"use": ["sa", "b"]}]})", "", named));
  EXPECT_EQ(named.rules[0].sources.size(), 2u) << "who wants it on requests, says so";
  Config bare;
  EXPECT_FALSE(parse_config(sources + R"([{"use": ["bare"]}]})", "", bare));
  EXPECT_TRUE(host_.logged("rules[0].use[0]: found a source that sets no header, expected one with \"headers\""));
}

}  // namespace
}  // namespace inlay::header_augmenting
