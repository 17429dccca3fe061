// SPDX-License-Identifier: Apache-2.0
#include "filters/header_augmenting/answer.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "abi/pairs.h"
#include "sdk/testing/fake_host.h"

namespace inlay::header_augmenting {
namespace {

class AnswerTest : public ::testing::Test {
 protected:
  // read: "name=value;" for each header, or the reason it failed.
  std::string read(std::string_view body) {
    const auto answer = read_headers_answer(body, "s");
    if (!answer) return kFetchFailures[static_cast<size_t>(answer.error())].metric;
    refused = answer->refused;
    std::string text;
    auto reader = abi::PairsReader::open(answer->pairs.view());
    for (abi::Pair p; reader && reader->next(p);) text += std::string(p.key) + "=" + std::string(p.value) + ";";
    return text;
  }

  uint32_t refused = 0;
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

TEST(MaxAge, IsReadFromTheDirective) {
  EXPECT_EQ(read_max_age("max-age=60"), 60u);
  EXPECT_EQ(read_max_age("private, Max-Age=5 , must-revalidate"), 5u);
  EXPECT_EQ(read_max_age("max-age=0"), std::nullopt);
  EXPECT_EQ(read_max_age("max-age="), std::nullopt);
  EXPECT_EQ(read_max_age("max-age=x"), std::nullopt);
  EXPECT_EQ(read_max_age("s-max-age=5"), std::nullopt);
  EXPECT_EQ(read_max_age("max-age=99999999999"), std::nullopt);
  EXPECT_EQ(read_max_age(""), std::nullopt);
}

}  // namespace
}  // namespace inlay::header_augmenting
