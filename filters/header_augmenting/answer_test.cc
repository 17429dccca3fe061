// SPDX-License-Identifier: Apache-2.0
#include "filters/header_augmenting/answer.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "abi/pairs.h"
#include "filters/header_augmenting/duration.h"
#include "sdk/testing/fake_host.h"

namespace inlay::header_augmenting {
namespace {

class AnswerTest : public ::testing::Test {
 protected:
  // read: "name=value;" for each header, or the reason it failed.
  std::string read(std::string_view body) {
    source.name = "s";
    Answer answer;
    FetchFailure failure{};
    if (!read_answer(body, source, answer, failure)) return text_of(static_cast<size_t>(failure)).metric;
    refused = answer.refused;
    lifetime_ms = answer.lifetime_ms;
    std::string text;
    auto reader = abi::PairsReader::open(answer.pairs.view());
    for (abi::Pair p; reader && reader->next(p);) text += std::string(p.key) + "=" + std::string(p.value) + ";";
    return text;
  }

  // make: the headers that templates make.
  std::string make(SourceConfig::Format format, std::vector<abi::Pair> headers, std::string_view body) {
    source.format = format;
    source.headers = headers;
    std::string text = read(body);
    source.headers = {};
    return text;
  }
  uint64_t lifetime_of(const std::string& expires_in) {
    EXPECT_EQ(make(SourceConfig::Format::kOAuth2, {{"a", "{/access_token}"}},
                   R"({"access_token":"t","expires_in":)" + expires_in + "}"),
              "a=t;");
    return lifetime_ms;
  }

  SourceConfig source;
  uint32_t refused = 0;
  uint64_t lifetime_ms = 0;
  sdk::testing::FakeHost host;
};

TEST_F(AnswerTest, NamesAreLowered) {
  EXPECT_EQ(read(R"({"Authorization":"Bearer x","X-Tenant":"t","x_odd!":""})"),
            "authorization=Bearer x;x-tenant=t;x_odd!=;");
  EXPECT_EQ(refused, 0u);
}

TEST_F(AnswerTest, UnsafeEntriesAreLeftOut) {
  EXPECT_EQ(read(R"({"ok":"1","Host":"h","content-length":"0","TRANSFER-ENCODING":"chunked","connection":"close",
                    "keep-alive":"1","te":"trailers","trailer":"x","upgrade":"h2c","proxy-connection":"x",
                    ":authority":"a",":path":"/","x y":"1","x\r\ny":"1","":"1","x-n":1,"x-null":null,"x-o":{},
                    "x-cr":"a\rb","x-lf":"a\nb","x-nul":"a\u0000b","x-del":"a\u007fb","x-tab":"a\tb"})"),
            "ok=1;x-tab=a\tb;");
  EXPECT_EQ(refused, 21u);
}

TEST_F(AnswerTest, SchemeWithoutCredentialsIsLeftOut) {
  for (const char* bare : {"Bearer", "Bearer ", "bearer\\t", "BASIC", "DPoP", "Negotiate "}) {
    EXPECT_EQ(read(R"({"ok":"1","authorization":")" + std::string(bare) + "\"}"), "ok=1;") << bare;
  }
  EXPECT_EQ(read(R"({"proxy-authorization":"Bearer "})"), "no_headers");
  EXPECT_EQ(read(R"({"authorization":"a-key-without-a-scheme","x-plan":"basic"})"),
            "authorization=a-key-without-a-scheme;x-plan=basic;");
  EXPECT_EQ(read(R"({"authorization":"Bearer t"})"), "authorization=Bearer t;");
}

TEST_F(AnswerTest, RefusedEntriesAreLoggedByNameAndNeverByValue) {
  read(R"({"ok":"1","Host":"hunter2","x-n":["hunter2"],"x\nforged line":"hunter2"})");
  EXPECT_TRUE(host.logged("header host is left out: no source may set it"));
  EXPECT_TRUE(host.logged("header x-n is left out: its value is not a string"));
  EXPECT_FALSE(host.logged("hunter2"));
  EXPECT_FALSE(host.logged("forged"));
}

TEST_F(AnswerTest, WhatIsNoObjectOrHasNothingUsableFails) {
  EXPECT_EQ(read(""), "bad_json");
  EXPECT_EQ(read("<html>"), "bad_json");
  EXPECT_EQ(read("[\"a\"]"), "bad_json");
  EXPECT_EQ(read(R"({"a":"b")"), "bad_json");
  EXPECT_EQ(read(R"({"host":"b"})"), "no_headers");
  EXPECT_EQ(read("{}"), "");
}

TEST_F(AnswerTest, ByteOrderMarkIsSkipped) {
  EXPECT_EQ(read("\xef\xbb\xbf{\"a\":\"b\"}"), "a=b;");
  EXPECT_EQ(read("\xef\xbb\xbf\xef\xbb\xbf{}"), "bad_json");
  EXPECT_EQ(read("\xfe\xff{}"), "bad_json") << "that is another encoding";
}

TEST_F(AnswerTest, OnlyAllowedNamesAreSet) {
  std::string_view allow[] = {"authorization", "x-team-*"};
  source.allow = allow;
  EXPECT_EQ(read(R"({"Authorization":"a","X-Team-Id":"1","x-teams":"2","x-other":"3"})"),
            "authorization=a;x-team-id=1;");
  EXPECT_EQ(refused, 2u);
  EXPECT_TRUE(host.logged("header x-other is left out: this source may not set it"));
  source.allow = std::span(allow).first(0);
  EXPECT_EQ(read(R"({"x":"1"})"), "no_headers");
}

TEST_F(AnswerTest, TemplatesTakeValuesByPointer) {
  const auto format = SourceConfig::Format::kTemplate;
  EXPECT_EQ(make(format, {{"x", "a {/b/0/c} {/n}"}, {"y", "{plain} {/d~1e~0f}"}},
                 R"({"b":[{"c":"C"}],"n":-1.5,"d/e~f":"D"})"),
            "x=a C -1.5;y={plain} D;");
  EXPECT_EQ(make(format, {{"x", "{/}"}}, R"({"":"empty key"})"), "x=empty key;");
  for (const char* body :
       {"{}", R"({"v":null})", R"({"v":{}})", R"({"v":[]})", R"({"v":true})", R"({"v":""})", R"({"V":"1"})"}) {
    EXPECT_EQ(make(format, {{"x", "{/v}"}}, body), "no_value") << body;
  }
  EXPECT_EQ(make(format, {{"x", "{/v/1}"}}, R"({"v":["a"]})"), "no_value");
  EXPECT_EQ(make(format, {{"x", "{/v/00}"}}, R"({"v":["a"]})"), "no_value");
  EXPECT_EQ(make(format, {{"x", "{/v}"}}, R"({"v":"a\r\nforged: 1"})"), "no_headers");
}

TEST_F(AnswerTest, TokenIsAString) {
  const std::vector<abi::Pair> headers = {{"authorization", "Bearer {/access_token}"}};
  const auto format = SourceConfig::Format::kOAuth2;
  EXPECT_EQ(make(format, headers, R"({"access_token":"t","token_type":"bearer"})"), "authorization=Bearer t;");
  EXPECT_EQ(lifetime_ms, 0u);
  for (const char* body : {R"({"access_token":5})", R"({"access_token":""})", R"({"access_token":null})",
                           R"({"error":"invalid_client"})", R"({"access_token":["t"]})"}) {
    EXPECT_EQ(make(format, headers, body), "no_value") << body;
  }
  EXPECT_EQ(make(format, headers, std::string(100'000, '[')), "bad_json");
  EXPECT_EQ(make(format, headers, R"(["access_token","t"])"), "bad_json");
}

TEST_F(AnswerTest, LifetimeIsReadFromExpiresIn) {
  EXPECT_EQ(lifetime_of("3600"), 3'600'000u);
  EXPECT_EQ(lifetime_of("\"3600\""), 3'600'000u);
  EXPECT_EQ(lifetime_of("59.9"), 59'900u);
  EXPECT_EQ(lifetime_of("0.5"), 1'000u) << "at least a second";
  EXPECT_EQ(lifetime_of("3.6e3"), 3'600'000u);
  EXPECT_EQ(lifetime_of("36e2"), 3'600'000u);
  EXPECT_EQ(lifetime_of("1E+3"), 1'000'000u);
  EXPECT_EQ(lifetime_of("36000000e-4"), 3'600'000u);
  EXPECT_EQ(lifetime_of("\"1e3\""), 1'000'000u);
  EXPECT_EQ(lifetime_of("1.00000000000000000000000001"), 1'000u);
  EXPECT_EQ(lifetime_of("100000000000000000000000000e-24"), 100'000u);
  EXPECT_EQ(lifetime_of("1e-9"), 1'000u) << "little, but not nothing";
  EXPECT_EQ(lifetime_of("1e-99999999999999999999"), 1'000u);
  EXPECT_EQ(read_seconds_ms("0.5"), 500u);
  EXPECT_EQ(read_seconds_ms("1e-9"), 1u);
  for (const char* nothing : {"0", "-1", "-3.6e3", "0.0", "0e9", "\"\"", "\"soon\"", "\"1e\"", "\"1.2.3\"", "\"0x10\"",
                              "\"3600 s\"", "null", "{}", "[5]", "true"}) {
    EXPECT_EQ(lifetime_of(nothing), 0u) << nothing;
  }
  const uint64_t hundred_years_ms = 100ull * 365 * 24 * 3600 * 1000;
  EXPECT_EQ(lifetime_of("1000000000000000000"), hundred_years_ms);
  EXPECT_EQ(lifetime_of("1e18"), hundred_years_ms);
  EXPECT_EQ(lifetime_of("1e99999999999999999999"), hundred_years_ms);
  EXPECT_EQ(lifetime_of("99999999999999999999999999999999"), hundred_years_ms);
}

TEST(MaxAge, IsReadFromTheDirective) {
  EXPECT_EQ(read_max_age("max-age=60"), 60u);
  EXPECT_EQ(read_max_age("private, Max-Age=5 , must-revalidate"), 5u);
  EXPECT_EQ(read_max_age("max-age=0"), 0u);
  EXPECT_EQ(read_max_age("max-age="), 0u);
  EXPECT_EQ(read_max_age("max-age=x"), 0u);
  EXPECT_EQ(read_max_age("max-age=5x"), 0u);
  EXPECT_EQ(read_max_age("s-max-age=5"), 0u);
  EXPECT_EQ(read_max_age("s-maxage=7,\tmax-age=5"), 5u);
  EXPECT_EQ(read_max_age("x max-age=5"), 0u);
  EXPECT_EQ(read_max_age("max-age=999999999"), 999'999'999u);
  EXPECT_EQ(read_max_age("max-age=99999999999"), 0u);
  EXPECT_EQ(read_max_age(""), 0u);
}

}  // namespace
}  // namespace inlay::header_augmenting
