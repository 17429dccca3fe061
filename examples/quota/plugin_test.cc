// SPDX-License-Identifier: Apache-2.0
#include "sdk/testing/fake_host.h"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <sstream>
#include <string>

#include "examples/quota/plugin.cc"  // NOLINT: the registration is in it

using inlay::sdk::testing::FakeCall;
using inlay::sdk::testing::FakeHost;
using inlay::sdk::testing::FakeReply;
using inlay::sdk::testing::FakeWorker;

TEST(Quota, ClosesWhenTheServiceSaysSo) {
  FakeHost host;
  uint32_t status = 200;
  host.services["quota"] = [&](const FakeCall&) { return FakeReply{.status = status}; };
  FakeWorker& worker = host.add_worker();
  const auto root = worker.start("any", "");
  EXPECT_EQ(worker.request(root, {{":path", "/"}}).reply_status, 0u);
  status = 429;
  host.advance(2s);
  EXPECT_EQ(worker.request(root, {{":path", "/"}}).reply_status, 429u);
}

// docs/guide/sdk.md shows these two files: each of its lines of C++ stands in one of them.
TEST(Quota, GuideShowsThisCode) {
  const auto read = [](const std::string& path) {
    std::ifstream file(INLAY_SOURCE_DIR "/" + path);
    return std::string(std::istreambuf_iterator<char>(file), {});
  };
  const std::string code = read("examples/quota/plugin.cc") + read("examples/quota/plugin_test.cc");
  std::istringstream guide(read("docs/guide/sdk.md"));
  bool in_code = false;
  int lines = 0;
  for (std::string line; std::getline(guide, line);) {
    if (line.starts_with("```")) {
      in_code = line == "```cpp";
    } else if (in_code) {
      EXPECT_NE(code.find(line + "\n"), std::string::npos) << line;
      ++lines;
    }
  }
  EXPECT_GT(lines, 50);
}
