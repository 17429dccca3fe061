// SPDX-License-Identifier: Apache-2.0
// What a client can put beside the filter's headers, or have come back to it:
// TRACE, names that an origin takes for an owned one, trailers.
#include <string>
#include <vector>

#include "filters/header_augmenting/long_form_fixture.h"

namespace inlay::header_augmenting {
namespace {

class SpoiledTest : public LongFormTest {
 protected:
  SpoiledTest() {
    host_.services["keys"] = [this](const FakeCall&) {
      FakeReply reply = reply_;
      reply.body = R"({"x-api-key":"REAL","authorization":"Bearer t"})";
      return reply;
    };
  }
  // keys: the configuration with one source that sets x-api-key and
  // authorization; `rest` follows.
  ContextId keys(const std::string& rest = "") {
    const auto root = start(R"({"sources": [{"name": "keys", "cluster": "keys"}])" + rest + "}");
    host_.advance(1s);
    return root;
  }
  FakeStream trace(ContextId root, Headers headers = {}) {
    headers.insert(headers.begin(), {":method", "TRACE"});
    return get(root, std::move(headers));
  }
};

TEST_F(SpoiledTest, TraceGetsNoHeadersInAnyMode) {
  for (const char* mode : {"set", "if_absent", "append"}) {
    const auto root = keys(R"(, "rules": [{"mode": ")" + std::string(mode) + "\"}]");
    const FakeStream stream = trace(root);
    EXPECT_EQ(stream.status, HeadersStatus::kContinue) << mode;
    EXPECT_EQ(stream.header("x-api-key") + stream.header("authorization"), "") << mode;
  }
}

TEST_F(SpoiledTest, TraceIsNotLookedForWhereNoneCanCome) {
  const auto root = keys(R"(, "trace": false)");
  using Calls = std::vector<std::string>;
  const FakeStream stream = trace(root);
  EXPECT_EQ(stream.header("x-api-key"), "REAL") << "so it must be true";
  for (const std::string& call : stream.header_calls) EXPECT_EQ(call.find(":method"), std::string::npos) << call;
  EXPECT_NE(get(keys(R"(, "trace": true)"), {}).header_calls.front().find(":method"), std::string::npos);
  EXPECT_EQ(
      get(keys(R"(, "trace": false, "rules": [{"match": {"methods": ["TRACE"]}, "use": []}])"), {{":method", "TRACE"}})
          .header_calls,
      Calls{"get :method"})
      << "a rule may look at it";
}

TEST_F(SpoiledTest, TraceStillLosesWhatTheClientForged) {
  const Headers forged = {{"x-api-key", "mine"}, {"x_api_key", "mine"}, {"cookie", "c"}, {"x-other", "o"}};
  const FakeStream set = trace(keys(R"(, "rules": [{"remove": ["cookie"]}])"), forged);
  EXPECT_EQ(set.header("x-api-key") + set.header("x_api_key") + set.header("cookie"), "");
  EXPECT_EQ(set.header("x-other"), "o");
  const FakeStream absent = trace(keys(R"(, "rules": [{"mode": "if_absent"}])"), forged);
  EXPECT_EQ(absent.header("x-api-key"), "mine") << "a client may have its own";
}

TEST_F(SpoiledTest, TraceIsNeitherHeldNorRejectedNorAReasonToAskAnew) {
  reply_ = {.status = 500};
  const auto root = keys(R"(, "when_missing": {"action": "hold"}, "invalidate_on": [401])");
  const FakeStream stream = trace(root);
  EXPECT_EQ(stream.status, HeadersStatus::kContinue);
  EXPECT_EQ(stream.reply_status, 0u);
  EXPECT_EQ(metric("held"), 0);
  reply_ = {};
  host_.advance(40s);
  FakeStream& open = worker_.open(root, {{":path", "/"}, {":method", "TRACE"}});
  worker_.respond(open, {{":status", "401"}});
  worker_.close(open);
  host_.advance(1s);
  EXPECT_EQ(metric("keys.invalidated"), 0) << "it had none of the headers";
  EXPECT_EQ(get(root, {{":method", "GET"}}).header("x-api-key"), "REAL");
}

TEST_F(SpoiledTest, AliasOfAnOwnedHeaderIsRemoved) {
  const auto root = keys();
  const FakeStream stream = get(root, {{"x_api_key", "evil"},
                                       {"x-api_key", "evil"},
                                       {"x_api-key", "evil"},
                                       {"x_api_key", "twice"},
                                       {"x_api_keys", "other"},
                                       {"x-api-key", "evil"}});
  for (const char* alias : {"x_api_key", "x-api_key", "x_api-key"}) EXPECT_EQ(stream.header(alias), "") << alias;
  EXPECT_EQ(stream.header("x_api_keys"), "other");
  EXPECT_EQ(stream.header("x-api-key"), "REAL");
}

TEST_F(SpoiledTest, AliasesOfManyDashesAreRemovedAsWell) {
  host_.services["long"] = [](const FakeCall&) {
    return FakeReply{.body = R"({"x-a-b-c-d-e-f-g-h-i-j-k-l-m":"REAL","x-api-key":"REAL"})"};
  };
  const auto root = start(R"({"sources": [{"cluster": "long"}]})");
  host_.advance(1s);
  const FakeStream stream =
      get(root, {{"x_a-b-c-d-e-f-g-h-i-j-k-l-m", "evil"}, {"x-a-b-c-d-e-f-g-h-i-j-k-l_m", "evil"}, {"x_api_key", "e"}});
  EXPECT_EQ(stream.headers.size(), 3u) << ":path and what the filter set";
}

TEST_F(SpoiledTest, AliasesOfWhatIsRemovedGoToo) {
  const auto root = keys(R"(, "rules": [{"use": [], "remove": ["x-internal-user"]}])");
  const FakeStream stream = get(root, {{"x_internal_user", "evil"}, {"x-internal-user", "evil"}, {"x_api_key", "a"}});
  EXPECT_EQ(stream.header("x_internal_user") + stream.header("x-internal-user"), "");
  EXPECT_EQ(stream.header("x_api_key"), "a") << "the rule uses no source";
}

TEST_F(SpoiledTest, AliasesStandBesideWhatIsAppendedOnly) {
  EXPECT_EQ(get(keys(R"(, "rules": [{"mode": "append"}])"), {{"x_api_key", "a"}}).header("x_api_key"), "a");
  const FakeStream absent = get(keys(R"(, "rules": [{"mode": "if_absent"}])"), {{"x_api_key", "a"}});
  EXPECT_EQ(absent.header("x_api_key") + absent.header("x-api-key"), "REAL") << "an origin would have seen both";
}

TEST_F(SpoiledTest, AliasesGoFromWhatPassesAndFromWhatWasHeld) {
  reply_ = {.status = 500};
  const std::string known =
      R"({"sources": [{"name": "keys", "cluster": "keys", "format": "template",
      "headers": {"x-api-key": "{/x-api-key}"}}], "when_missing": {"action": ")";
  const auto passing = start(known + R"(pass"}})");
  EXPECT_EQ(get(passing, {{"x_api_key", "evil"}}).header("x_api_key"), "");
  const auto holding = start(known + R"(hold", "hold_for": "60s"}})");
  FakeStream& held = worker_.open(holding, {{":path", "/"}, {"x_api_key", "evil"}});
  reply_ = {};
  host_.advance(40s);
  EXPECT_NE(held.continued, 0u);
  EXPECT_EQ(held.header("x_api_key") + held.header("x-api-key"), "REAL");
  worker_.close(held);
}

TEST_F(SpoiledTest, TrailersUnderOwnedNamesAreRemoved) {
  const auto root = keys(R"(, "rules": [{"match": {"path": "/append"}, "mode": "append"},
      {"match": {"path": "/none"}, "use": [], "remove": ["x-gone"]}, {"match": {"path": "/"}, "remove": ["x-gone"]}])");
  const Headers sent = {
      {"x-api-key", "evil"}, {"x_api_key", "evil"}, {"x-gone", "evil"}, {"x_gone", "evil"}, {"checksum", "1"}};
  const auto left = [&](const char* path, const char* method) {
    FakeStream& stream = worker_.open(root, {{":path", path}, {":method", method}});
    EXPECT_EQ(worker_.end(stream, sent), abi::TrailersStatus::kContinue);
    std::string names;
    for (const auto& [name, value] : stream.trailers) names += name + " ";
    worker_.close(stream);
    return names;
  };
  EXPECT_EQ(left("/", "POST"), "checksum ");
  EXPECT_EQ(left("/", "TRACE"), "checksum ");
  EXPECT_EQ(left("/none", "POST"), "x-api-key x_api_key checksum ");
  EXPECT_EQ(left("/append", "POST"), "x-api-key x_api_key x-gone x_gone checksum ");
  EXPECT_EQ(left("/elsewhere", "POST"), "x-api-key x_api_key x-gone x_gone checksum ");
}

TEST_F(SpoiledTest, TrailersOfARequestThatPassedWithoutHeadersAreRemovedToo) {
  reply_ = {.status = 500};
  const auto root = start(
      R"({"sources": [{"name": "keys", "cluster": "keys", "format": "template",
      "headers": {"x-api-key": "{/x-api-key}"}}], "when_missing": {"action": "pass"}})");
  FakeStream& stream = worker_.open(root, {{":path", "/"}});
  worker_.end(stream, {{"x-api-key", "evil"}});
  EXPECT_TRUE(stream.trailers.empty());
  worker_.close(stream);
}

TEST_F(SpoiledTest, TrailersOfAnEarlierConfigurationAreLeftAlone) {
  const auto root = keys();
  FakeStream& stream = worker_.open(root, {{":path", "/"}});
  ASSERT_TRUE(worker_.configure(root, R"({"sources": [{"name": "keys", "cluster": "keys"}]})"));
  worker_.end(stream, {{"x-api-key", "evil"}});
  EXPECT_EQ(stream.trailers.size(), 1u) << "its rule is no more";
  worker_.close(stream);
}

}  // namespace
}  // namespace inlay::header_augmenting
