// SPDX-License-Identifier: Apache-2.0
// The long form of the configuration at work, over a fake host with virtual time: sources, OAuth2, rules, holding.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "filters/header_augmenting/root.h"
#include "sdk/testing/fake_host.h"

namespace inlay::header_augmenting {
namespace {

using namespace std::chrono_literals;
using sdk::ContextId;
using sdk::HeadersStatus;
using sdk::testing::FakeCall;
using sdk::testing::FakeHost;
using sdk::testing::FakeReply;
using sdk::testing::FakeStream;
using sdk::testing::FakeWorker;
using sdk::testing::Headers;

constexpr const char* kToken = R"({"sources": [{"name": "idp", "cluster": "idp", "path": "/token", "format": "oauth2",
    "oauth2": {"client_id": "id", "client_secret": "s"}}]})";

class LongFormTest : public ::testing::Test {
 protected:
  LongFormTest() {
    host_.services["idp"] = [this](const FakeCall&) {
      FakeReply reply = reply_;
      if (reply.status == 200 && reply.body.empty()) {
        reply.body = R"({"access_token":"t)" + std::to_string(++tokens_) + R"(","expires_in":)" + expires_in_ + "}";
      }
      return reply;
    };
  }

  ContextId start(std::string_view configuration) { return start(worker_, configuration); }
  ContextId start(FakeWorker& worker, std::string_view configuration) {
    const ContextId root = worker.start("root", configuration);
    EXPECT_NE(root, 0u) << (host_.logs.empty() ? "" : host_.logs.back().text);
    return root;
  }
  FakeStream get(ContextId root, Headers headers = {}) {
    headers.insert(headers.begin(), {":path", "/"});
    return worker_.request(root, std::move(headers));
  }
  std::string token(ContextId root) { return get(root).header("authorization"); }
  int64_t metric(const std::string& name) const { return host_.metric("header_augmenting." + name); }

  int tokens_ = 0;
  std::string expires_in_ = "100";
  FakeReply reply_;
  FakeHost host_;
  FakeWorker& worker_ = host_.add_worker();
};

TEST_F(LongFormTest, BasicAuthenticationIsFormEncodedFirst) {
  host_.environment["SECRET"] = "a+b c%";
  start(R"({"sources": [{"name": "idp", "cluster": "idp", "authority": "login.local", "path": "/token",
    "format": "oauth2", "request_headers": {"x-trace": "1"}, "oauth2": {"client_id": "id",
    "client_secret": "${env:SECRET}", "scopes": ["read", "a&b"], "audience": "api", "resource": ["r1", "r2"],
    "endpoint_params": {"x y": "1"}}}]})");
  host_.advance(1s);
  ASSERT_EQ(host_.calls.size(), 1u);
  const FakeCall& call = host_.calls[0];
  EXPECT_EQ(call.header(":method"), "POST");
  EXPECT_EQ(call.header(":authority"), "login.local");
  EXPECT_EQ(call.header("authorization"), "Basic aWQ6YSUyQmIrYyUyNQ==");  // id:a%2Bb+c%25
  EXPECT_EQ(call.header("content-type"), "application/x-www-form-urlencoded");
  EXPECT_EQ(call.header("accept"), "application/json");
  EXPECT_EQ(call.header("x-trace"), "1");
  EXPECT_EQ(call.body, "grant_type=client_credentials&scope=read+a%26b&audience=api&resource=r1&resource=r2&x+y=1");
  EXPECT_FALSE(host_.logged("a+b"));
}

TEST_F(LongFormTest, ClientMayStandInTheBodyOrGoWithoutASecret) {
  const std::string before = R"({"sources": [{"cluster": "idp", "path": "/t", "format": "oauth2", "oauth2": )";
  start(before + R"({"client_id": "i d", "client_secret": "s+", "auth_method": "client_secret_post"}}]})");
  start(before + R"({"client_id": "pub", "auth_method": "none", "grant_type": "password", "username": "u",
                     "password": "p=&"}}]})");
  host_.advance(1s);
  ASSERT_EQ(host_.calls.size(), 2u);
  EXPECT_EQ(host_.calls[0].body, "grant_type=client_credentials&client_id=i+d&client_secret=s%2B");
  EXPECT_EQ(host_.calls[1].body, "grant_type=password&username=u&password=p%3D%26&client_id=pub");
  EXPECT_EQ(host_.calls[0].header("authorization") + host_.calls[1].header("authorization"), "");
}

TEST_F(LongFormTest, TokenIsRenewedAheadOfItsExpiry) {
  const auto root = start(kToken);
  host_.advance(1s);
  const FakeStream stream = get(root, {{"authorization", "forged"}});
  EXPECT_EQ(stream.header("authorization"), "Bearer t1");
  EXPECT_EQ(stream.host_calls, 1u);
  host_.advance(78s);
  EXPECT_EQ(tokens_, 1) << "20 % before the end, or up to 10 % later";
  host_.advance(12s);
  EXPECT_EQ(tokens_, 2);
  EXPECT_EQ(token(root), "Bearer t2");
}

TEST_F(LongFormTest, ExpiredTokenIsNotSent) {
  const auto root = start(kToken);
  host_.advance(1s);
  reply_ = {.status = 500};
  host_.advance(98900ms);
  EXPECT_EQ(token(root), "Bearer t1") << "still good";
  host_.advance(200ms);
  EXPECT_EQ(get(root).reply_status, 503u);
  reply_ = {};
  host_.advance(31s);
  EXPECT_EQ(token(root), "Bearer t2");
}

TEST_F(LongFormTest, TokenExpiresOnTimeWhileAnAnswerIsWaitedFor) {
  expires_in_ = "2";
  const auto root = start(kToken);
  host_.advance(500ms);
  reply_ = {.delay_ms = 60'000};
  host_.advance(1400ms);
  EXPECT_EQ(token(root), "Bearer t1");
  host_.advance(150ms);
  EXPECT_EQ(get(root).reply_status, 503u);
}

TEST_F(LongFormTest, StaleHeadersAreUsedAsLongAsConfigured) {
  host_.services["keys"] = [this](const FakeCall&) {
    FakeReply reply = reply_;
    reply.body = R"({"x-key":"k"})";
    return reply;
  };
  const auto root = start(R"({"sources": [{"cluster": "keys", "max_stale": "5s",
    "refresh": {"every": "10s", "jitter": "0%"}}]})");
  host_.advance(1s);
  reply_ = {.status = 503};
  host_.advance(9500ms);
  EXPECT_EQ(get(root).header("x-key"), "k");
  host_.advance(4s);
  EXPECT_EQ(get(root).header("x-key"), "k");
  host_.advance(1s);
  EXPECT_EQ(get(root).reply_status, 503u);
  EXPECT_EQ(metric("stale_used"), 2);
}

TEST_F(LongFormTest, LifetimeCountsFromWhenTheCallWasSent) {
  expires_in_ = "10";
  reply_ = {.delay_ms = 3000};
  const auto root = start(kToken);
  host_.advance(3500ms);
  EXPECT_EQ(token(root), "Bearer t1");
  reply_ = {.status = 500};
  host_.advance(6400ms);
  EXPECT_EQ(token(root), "Bearer t1");
  host_.advance(200ms);
  EXPECT_EQ(get(root).reply_status, 503u) << "ten seconds after the first call was sent";
}

TEST_F(LongFormTest, OddLifetimesNeitherFloodNorStick) {
  for (const char* odd : {"0", "-1", "\"soon\"", "1000000000000000000", "1e18", "null"}) {
    expires_in_ = odd;
    const int before = tokens_;
    const auto root = start(R"({"sources": [{"name": "odd", "cluster": "idp", "path": "/token", "format": "oauth2",
      "refresh": {"every": "60s"}, "oauth2": {"client_id": ")" +
                            std::string(odd[0] == '"' ? "soon" : odd) + "\"}}]}");
    host_.advance(30s);
    EXPECT_EQ(tokens_, before + 1) << odd;
    EXPECT_EQ(token(root), "Bearer t" + std::to_string(before + 1)) << odd;
    worker_.stop(root);
  }
}

TEST_F(LongFormTest, LongEarlyDoesNotFlood) {
  expires_in_ = "10";
  start(R"({"sources": [{"cluster": "idp", "path": "/token", "format": "oauth2",
    "refresh": {"early": "1h", "jitter": "1h"}, "oauth2": {"client_id": "x"}}]})");
  host_.advance(100s);
  EXPECT_LE(tokens_, 42);
}

TEST_F(LongFormTest, ShortLivedTokensAreAlwaysValidOnEightWorkers) {
  expires_in_ = "1";
  reply_ = {.delay_ms = 20};
  std::vector<std::pair<FakeWorker*, ContextId>> workers;
  for (int i = 0; i < 8; ++i) {
    FakeWorker& worker = host_.add_worker();
    workers.emplace_back(&worker, start(worker, kToken));
  }
  host_.advance(1s);
  const int before = tokens_;
  for (int i = 0; i < 6000; ++i) {
    host_.advance(10ms);
    auto [worker, root] = workers[static_cast<size_t>(i) % workers.size()];
    ASSERT_EQ(worker->request(root, {{":path", "/"}}).reply_status, 0u) << i;
  }
  EXPECT_GE(tokens_ - before, 60);
  EXPECT_LE(tokens_ - before, 75);
}

TEST_F(LongFormTest, SourceThatFailsLeavesTheOthersAlone) {
  host_.services["a"] = [](const FakeCall&) { return FakeReply{.body = R"({"x-a":"1"})"}; };
  host_.services["b"] = [](const FakeCall&) { return FakeReply{.status = 500}; };
  const auto root = start(R"({"sources": [{"name": "a", "cluster": "a"}, {"name": "b", "cluster": "b"}],
    "rules": [{"match": {"path_prefix": "/a"}, "use": ["a"]}, {"match": {"path_prefix": "/b"}, "use": ["b"]}]})");
  host_.advance(1s);
  EXPECT_EQ(worker_.request(root, {{":path", "/a/1"}}).header("x-a"), "1");
  EXPECT_EQ(worker_.request(root, {{":path", "/b/1"}}).reply_status, 503u);
  const FakeStream other = worker_.request(root, {{":path", "/c"}});
  EXPECT_EQ(other.status, HeadersStatus::kContinue);
  EXPECT_EQ(other.header("x-a"), "");
  EXPECT_GE(metric("a.fetch_ok"), 1);
  EXPECT_GE(metric("b.fetch_failed.status"), 1);
}

TEST_F(LongFormTest, EachUpstreamGetsItsOwnToken) {
  for (const char* name : {"one", "two", "three"}) {
    host_.services[name] = [name](const FakeCall&) {
      return FakeReply{.body = R"({"access_token":")" + std::string(name) + "\"}"};
    };
  }
  const auto source = [](const std::string& name) {
    return R"({"name": ")" + name + R"(", "cluster": ")" + name +
           R"(", "path": "/token", "format": "oauth2", "oauth2": {"client_id": "c"}})";
  };
  const auto root = start("{\"sources\": [" + source("one") + "," + source("two") + "," + source("three") + R"(],
    "rules": [{"match": {"authority": "one.local"}, "use": ["one"]},
              {"match": {"authority": "*.two.local"}, "use": ["two"]}, {"use": ["three"]}]})");
  host_.advance(1s);
  EXPECT_EQ(get(root, {{":authority", "One.local:8080"}}).header("authorization"), "Bearer one");
  EXPECT_EQ(get(root, {{":authority", "x.two.local"}}).header("authorization"), "Bearer two");
  EXPECT_EQ(get(root, {{":authority", "two.local"}}).header("authorization"), "Bearer three");
}

TEST_F(LongFormTest, RulesCostWhatTheyLookAt) {
  host_.services["a"] = [](const FakeCall&) { return FakeReply{.body = R"({"x-a":"1","x-b":"2"})"}; };
  const auto root = start(R"({"sources": [{"name": "a", "cluster": "a"}], "rules": [
    {"match": {"path_prefix": "/none"}, "use": []}, {"match": {"path": "/x"}, "mode": "if_absent"},
    {"match": {"path": "/y", "headers": [{"name": "x-want"}]}, "mode": "append", "remove": ["Cookie", "x-gone"]},
    {"match": {"methods": ["DELETE"]}, "use": []}]})");
  host_.advance(1s);
  EXPECT_EQ(worker_.request(root, {{":path", "/none"}}).host_calls, 1u) << ":path, and nothing else";

  const FakeStream absent = worker_.request(root, {{":path", "/x?q=1"}, {"x-a", "mine"}});
  EXPECT_EQ(absent.header("x-a"), "mine");
  EXPECT_EQ(absent.header("x-b"), "2");

  const FakeStream added =
      worker_.request(root, {{":path", "/y"}, {"x-a", "mine"}, {"x-want", "1"}, {"cookie", "c"}, {"x-gone", "g"}});
  EXPECT_EQ(added.header("x-a"), "mine,1");
  EXPECT_EQ(added.header("cookie") + added.header("x-gone"), "");
  EXPECT_EQ(added.host_calls, 2u + 2u + 2u) << ":path and x-want, two removed, two set";

  const FakeStream other = worker_.request(root, {{":path", "/z"}, {":method", "DELETE"}, {"x-a", "mine"}});
  EXPECT_EQ(other.header("x-a"), "mine");
  EXPECT_EQ(other.host_calls, 2u);
}

TEST_F(LongFormTest, RefusedTokenIsFetchedAnew) {
  const auto root = start(kToken);
  host_.advance(1s);
  FakeStream& stream = worker_.open(root, {{":path", "/"}});
  FakeStream& fine = worker_.open(root, {{":path", "/"}});
  FakeStream& late = worker_.open(root, {{":path", "/"}});
  EXPECT_EQ(worker_.respond(fine, {{":status", "200"}}), HeadersStatus::kContinue);
  host_.advance(1s);
  EXPECT_EQ(tokens_, 1);
  EXPECT_EQ(worker_.respond(stream, {{":status", "401"}}), HeadersStatus::kContinue);
  EXPECT_EQ(tokens_, 2) << "at once";
  host_.advance(1ms);
  EXPECT_EQ(tokens_, 2);
  EXPECT_EQ(token(root), "Bearer t2");
  EXPECT_EQ(metric("idp.invalidated"), 1);
  host_.advance(1s);
  worker_.respond(late, {{":status", "401"}});
  host_.advance(1s);
  EXPECT_EQ(tokens_, 2) << "that request had the first token";
}

TEST_F(LongFormTest, StormOfRefusalsCostsOneFetchForEachRetryDelay) {
  const std::string config = R"({"sources": [{"name": "idp", "cluster": "idp", "path": "/token", "format": "oauth2",
    "refresh": {"retry": {"initial": "2s"}}, "oauth2": {"client_id": "id"}}]})";
  const auto root = start(config);
  host_.advance(1s);
  for (int i = 0; i < 100; ++i) {
    FakeStream& stream = worker_.open(root, {{":path", "/"}});
    worker_.respond(stream, {{":status", "401"}});
    worker_.close(stream);
    host_.advance(100ms);
  }
  EXPECT_GE(tokens_, 4);
  EXPECT_LE(tokens_, 6) << "ten seconds, one fetch in two";
}

TEST_F(LongFormTest, ResponsesCostNothingUnlessTheyCanInvalidate) {
  host_.services["sidecar"] = [](const FakeCall&) { return FakeReply{.body = R"({"a":"b"})"}; };
  const auto root = start("{}");
  host_.advance(1s);
  FakeStream& stream = worker_.open(root, {{":path", "/"}});
  worker_.respond(stream, {{":status", "401"}});
  EXPECT_EQ(stream.host_calls, 0u);
  worker_.close(stream);
}

TEST_F(LongFormTest, HeldRequestsGoOnInOrderOfArrival) {
  reply_ = {.delay_ms = 500};
  std::string config = kToken;
  config.insert(1, R"("when_missing": {"action": "hold"}, )");
  const auto root = start(config);
  FakeStream& first = worker_.open(root, {{":path", "/"}});
  FakeStream& gone = worker_.open(root, {{":path", "/"}});
  FakeStream& second = worker_.open(root, {{":path", "/"}, {"authorization", "forged"}});
  EXPECT_EQ(first.status, HeadersStatus::kStopAllIterationAndWatermark);
  worker_.close(gone);
  host_.advance(400ms);
  EXPECT_EQ(first.continued, 0u);
  host_.advance(110ms);
  EXPECT_EQ(first.continued, 1u);
  EXPECT_EQ(second.continued, 2u);
  EXPECT_EQ(first.header("authorization"), "Bearer t1");
  EXPECT_EQ(second.header("authorization"), "Bearer t1");
  EXPECT_EQ(token(root), "Bearer t1");
  worker_.close(first);
  worker_.close(second);
  host_.advance(1s);
  EXPECT_EQ(metric("held"), 3);
  EXPECT_EQ(metric("injected"), 3);
  EXPECT_EQ(metric("rejected"), 0);
}

TEST_F(LongFormTest, HeldRequestMayEndOthersWhenItGoesOn) {
  reply_ = {.delay_ms = 500};
  std::string config = kToken;
  config.insert(1, R"("when_missing": {"action": "hold"}, )");
  const auto root = start(config);
  std::vector<FakeStream*> streams;
  for (int i = 0; i < 5; ++i) streams.push_back(&worker_.open(root, {{":path", "/"}}));
  // The first to go on ends its neighbour and the last; the third brings another.
  FakeStream* late = nullptr;
  host_.on_continue = [&](FakeStream& stream) {
    if (&stream == streams[0]) {
      worker_.close(*streams[1]);
      worker_.close(*streams[4]);
    } else if (&stream == streams[2]) {
      late = &worker_.open(root, {{":path", "/"}});
    }
  };
  host_.advance(600ms);
  host_.on_continue = nullptr;
  EXPECT_EQ(streams[0]->continued, 1u);
  EXPECT_EQ(streams[2]->continued, 2u);
  EXPECT_EQ(streams[3]->continued, 3u);
  EXPECT_EQ(streams[3]->header("authorization"), "Bearer t1");
  ASSERT_NE(late, nullptr);
  EXPECT_EQ(late->status, HeadersStatus::kContinue);
  EXPECT_EQ(late->header("authorization"), "Bearer t1");
}

TEST_F(LongFormTest, HeldRequestOfAnEarlierConfigurationIsRejected) {
  reply_ = {.status = 500};
  std::string config = kToken;
  config.insert(1, R"("when_missing": {"action": "hold"}, )");
  const auto root = start(config);
  FakeStream& stream = worker_.open(root, {{":path", "/"}});
  host_.advance(100ms);
  EXPECT_EQ(stream.reply_status, 0u);
  EXPECT_TRUE(worker_.configure(root, kToken));
  EXPECT_EQ(stream.reply_status, 503u);
  worker_.close(stream);
}

TEST_F(LongFormTest, WhatPassesWithoutHeadersHasNoForgedOnesEither) {
  reply_ = {.status = 500};
  std::string config = kToken;
  config.insert(1, R"("when_missing": {"action": "pass"}, "rules": [{"match": {"path": "/set"}},
    {"match": {"path": "/absent"}, "mode": "if_absent"}], )");
  const auto root = start(config);
  EXPECT_EQ(worker_.request(root, {{":path", "/set"}, {"authorization", "forged"}}).header("authorization"), "");
  EXPECT_EQ(worker_.request(root, {{":path", "/absent"}, {"authorization", "mine"}}).header("authorization"), "mine");
  EXPECT_EQ(worker_.request(root, {{":path", "/other"}, {"authorization", "mine"}}).header("authorization"), "mine");
}

TEST_F(LongFormTest, NamesOfAnAnswerThatIsTooOldAreStillTheSources) {
  host_.services["keys"] = [this](const FakeCall&) {
    FakeReply reply = reply_;
    reply.body = R"({"x-key":"k"})";
    return reply;
  };
  const auto root = start(R"({"sources": [{"cluster": "keys", "max_stale": "0s", "refresh": {"every": "10s"}}],
    "when_missing": {"action": "pass"}})");
  host_.advance(1s);
  EXPECT_EQ(get(root).header("x-key"), "k");
  reply_ = {.status = 500};
  host_.advance(20s);
  EXPECT_EQ(get(root, {{"x-key", "forged"}}).header("x-key"), "");
  host_.advance(1s);
  EXPECT_EQ(metric("passed_without"), 1);
}

TEST_F(LongFormTest, TokenWithoutALifetimeIsRenewedAheadOfItsEndToo) {
  host_.services["idp"] = [this](const FakeCall&) {
    return FakeReply{.body = R"({"access_token":"t)" + std::to_string(++tokens_) + "\"}", .delay_ms = 200};
  };
  const auto root = start(R"({"sources": [{"name": "idp", "cluster": "idp", "path": "/token", "format": "oauth2",
    "refresh": {"every": "2s", "jitter": "0%"}, "oauth2": {"client_id": "id"}}]})");
  host_.advance(1s);
  for (int i = 0; i < 3000; ++i) {
    host_.advance(10ms);
    ASSERT_EQ(get(root).reply_status, 0u) << i;
  }
  EXPECT_GE(tokens_, 14);
  EXPECT_LE(tokens_, 22);
}

TEST_F(LongFormTest, HeadersOfTheCallMayBeReplaced) {
  start(R"({"sources": [{"name": "idp", "cluster": "idp", "path": "/token", "format": "oauth2",
    "request_headers": {"Authorization": "Custom x", "accept": "*/*"}, "oauth2": {"client_id": "id"}}]})");
  host_.advance(1s);
  ASSERT_EQ(host_.calls.size(), 1u);
  EXPECT_EQ(host_.calls[0].headers.size(), 6u);
  EXPECT_EQ(host_.calls[0].header("authorization"), "Custom x");
  EXPECT_EQ(host_.calls[0].header("accept"), "*/*");
}

TEST_F(LongFormTest, HeldRequestsAreRejectedInTheEnd) {
  reply_ = {.status = 500};
  std::string config = kToken;
  config.insert(1, R"("when_missing": {"action": "hold", "hold_for": "1s", "max_held": 2, "status": 504}, )");
  const auto root = start(config);
  FakeStream& first = worker_.open(root, {{":path", "/"}});
  host_.advance(300ms);
  FakeStream& second = worker_.open(root, {{":path", "/"}});
  EXPECT_EQ(get(root).reply_status, 504u) << "one too many";
  host_.advance(650ms);
  EXPECT_EQ(first.reply_status, 0u);
  host_.advance(150ms);
  EXPECT_EQ(first.reply_status, 504u);
  EXPECT_EQ(second.reply_status, 0u);
  host_.advance(300ms);
  EXPECT_EQ(second.reply_status, 504u);
  EXPECT_EQ(first.continued + second.continued, 0u);
  worker_.close(first);
  worker_.close(second);
}

TEST_F(LongFormTest, SameSourceIsFetchedOnceWhateverItsName) {
  std::string other = kToken;
  other.replace(other.find("\"name\": \"idp\""), 13, "\"name\": \"b\"");
  start(kToken);
  start(other);
  FakeWorker& second = host_.add_worker();
  start(second, kToken);
  host_.advance(60s);
  EXPECT_EQ(tokens_, 1);
  std::string secret = kToken;
  secret.replace(secret.find("\"s\""), 3, "\"S\"");
  start(secret);
  host_.advance(1s);
  EXPECT_EQ(tokens_, 2) << "another secret is another source";
  std::string later = kToken;
  later.insert(later.find("\"oauth2\":"), "\"refresh\": {\"early\": \"1s\"}, ");
  start(later);
  host_.advance(1s);
  EXPECT_EQ(tokens_, 3) << "and so is one that is renewed at other times";
}

TEST_F(LongFormTest, NoSecretIsLoggedOrNamed) {
  host_.environment["SECRET"] = "hunter2";
  const std::string config = R"({"sources": [{"name": "idp", "cluster": "idp", "path": "/token", "format": "oauth2",
    "request_headers": {"x-key": "${env:SECRET}"}, "oauth2": {"client_id": "id", "client_secret": "${env:SECRET}",
    "grant_type": "password", "username": "u", "password": "hunter2"}}], "when_missing": {"action": "hold"}})";
  const auto root = start(config);
  for (const FakeReply& reply : {FakeReply{.status = 401, .body = "hunter2"}, FakeReply{.body = R"({"hunter2": 1})"},
                                 FakeReply{.body = R"({"access_token": "hunter2\r\n"})"},
                                 FakeReply{.body = R"({"access_token": "hunter2"})"}, FakeReply{.reset = true}}) {
    reply_ = reply;
    FakeStream& stream = worker_.open(root, {{":path", "/"}});
    host_.advance(40s);
    worker_.respond(stream, {{":status", "401"}});
    worker_.close(stream);
  }
  EXPECT_FALSE(host_.logged("hunter2"));
  for (const auto& [name, value] : host_.metrics) EXPECT_EQ(name.find("hunter2"), std::string::npos);
  for (const auto& [key, value] : host_.shared_data) EXPECT_EQ(key.find("idp"), std::string::npos);
}

TEST_F(LongFormTest, RefusedHeadersAreCountedWithTheFetch) {
  host_.services["a"] = [](const FakeCall&) { return FakeReply{.body = R"({"a":"1","host":"h"})"}; };
  start(R"({"sources": [{"cluster": "a"}]})");
  host_.advance(10ms);
  EXPECT_EQ(metric("default.fetch_ok"), 1);
  EXPECT_EQ(metric("refused_header"), 1);
}

TEST_F(LongFormTest, EveryMetricIsThere) {
  start(kToken);
  std::string names;
  for (const auto& [name, value] : host_.metrics) names += name.substr(18) + " ";
  EXPECT_EQ(names,
            "held idp.age_s idp.expires_in_s idp.fetch_failed.bad_json idp.fetch_failed.no_answer "
            "idp.fetch_failed.no_headers idp.fetch_failed.no_value idp.fetch_failed.not_sent idp.fetch_failed.status "
            "idp.fetch_failed.too_large idp.fetch_ok idp.invalidated injected passed_without refused_header rejected "
            "stale_used ");
}

}  // namespace
}  // namespace inlay::header_augmenting
