// SPDX-License-Identifier: Apache-2.0
#include "cli/provider.h"

#include <gtest/gtest.h>

#include <unistd.h>

#include <cstdio>
#include <fstream>

namespace inlay::cli {
namespace {

Reply ask(ProviderHandler& provider, std::string_view path, std::string_view method = "GET") {
  http::HeaderMap headers;
  headers.add(":method", method);
  headers.add(":path", path);
  const http::HeaderMap none;
  return provider.on_request({headers, none, 0, 1});
}

TEST(Provider, HandsOutANewTokenOnEachPoll) {
  ProviderHandler provider({.token_prefix = "p-", .count_file = {}});
  const std::string first = ask(provider, "/headers").body, second = ask(provider, "/any/path?x=1").body;
  EXPECT_TRUE(first.starts_with("{\"authorization\": \"Bearer p-1.")) << first;
  EXPECT_TRUE(first.ends_with("\", \"x-token-number\": \"1\"}\n")) << first;
  EXPECT_TRUE(second.starts_with("{\"authorization\": \"Bearer p-2.")) << second;
  EXPECT_EQ(ask(provider, "/polls").body, "{\"polls\": 2}\n");
}

TEST(Provider, WritesTheCount) {
  const std::string path = testing::TempDir() + "inlay_provider_polls." + std::to_string(getpid());
  ProviderHandler provider({.token_prefix = {}, .count_file = path});
  ask(provider, "/");
  ask(provider, "/");
  std::string line;
  std::getline(std::ifstream(path) >> std::ws, line);
  EXPECT_EQ(line, "2");
  std::remove(path.c_str());
}

TEST(Provider, FaultsStayUntilTheyAreTakenBack) {
  ProviderHandler provider({.token_prefix = {}, .count_file = {}});
  EXPECT_EQ(ask(provider, "/fault/status").status, 405u);
  EXPECT_EQ(ask(provider, "/fault/nonsense", "POST").status, 404u);
  EXPECT_EQ(ask(provider, "/fault/status", "POST").status, 200u);
  EXPECT_EQ(ask(provider, "/headers").status, 500u);
  EXPECT_EQ(ask(provider, "/headers").status, 500u);
  ask(provider, "/fault/none", "POST");
  EXPECT_EQ(ask(provider, "/headers").status, 200u);
  EXPECT_EQ(provider.polls(), 3u);
}

TEST(Provider, EveryNamedFaultSpoilsTheAnswer) {
  const std::string names = ProviderHandler::fault_names();
  for (size_t at = 0; at < names.size();) {
    const size_t comma = std::min(names.find(", ", at), names.size());
    const std::string name = names.substr(at, comma - at);
    at = comma + 2;
    ASSERT_TRUE(ProviderHandler::is_fault(name));
    ProviderHandler provider({.token_prefix = {}, .count_file = {}, .fault = name});
    const Reply reply = ask(provider, "/headers");
    const bool good = reply.status == 200 && reply.how == Reply::How::kSend && reply.delay.count() == 0 &&
                      reply.body.starts_with("{\"authorization\"") && reply.body.size() > 20;
    EXPECT_EQ(good, name == "none") << name;
  }
  EXPECT_FALSE(ProviderHandler::is_fault(""));
}

}  // namespace
}  // namespace inlay::cli
