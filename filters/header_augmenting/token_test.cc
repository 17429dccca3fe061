// SPDX-License-Identifier: Apache-2.0
// The long form at work: tokens of OAuth2, how they are asked for, how long they live, what a refusal does.
#include <string>
#include <vector>

#include "filters/header_augmenting/long_form_fixture.h"

namespace inlay::header_augmenting {
namespace {

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
  EXPECT_EQ(stream.host_calls, 2u) << "the method, and the token";
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
  for (const char* tiny : {"1e-9", "0.001", "\"0.5\""}) {  // count as a second
    expires_in_ = tiny;
    host_.shared_data.clear();
    const int before = tokens_;
    const auto root = start(kToken);
    for (int i = 0; i < 300; ++i) {
      host_.advance(100ms);
      EXPECT_EQ(token(root), "Bearer t" + std::to_string(tokens_)) << tiny << " " << i;
    }
    EXPECT_GE(tokens_, before + 30) << tiny;
    EXPECT_LE(tokens_, before + 40) << tiny;
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

// A capability restriction takes proxy_set_effective_context away: no lease is taken for a fetch that cannot be sent.
TEST_F(LongFormTest, RefusedTokenIsFetchedAnewWhereContextsCannotBeChosen) {
  const auto root = start(kToken);
  host_.advance(2s);
  host_.may_set_effective = false;
  FakeStream& stream = worker_.open(root, {{":path", "/"}});
  EXPECT_EQ(worker_.respond(stream, {{":status", "401"}}), HeadersStatus::kContinue);
  EXPECT_EQ(metric("idp.invalidated"), 1);
  EXPECT_EQ(tokens_, 1);
  host_.advance(300ms);
  EXPECT_EQ(tokens_, 2) << "with the next look";
  EXPECT_EQ(token(root), "Bearer t2");
  EXPECT_FALSE(host_.logged("a task waits"));
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

TEST_F(LongFormTest, RefusalSoonAfterAFetchIsDeferredOnce) {
  const auto root = start(R"({"sources": [{"name": "idp", "cluster": "idp", "path": "/token", "format": "oauth2",
    "refresh": {"retry": {"initial": "2s"}}, "oauth2": {"client_id": "id"}}]})");
  host_.advance(500ms);
  ASSERT_EQ(tokens_, 1);
  for (int i = 0; i < 3; ++i) {
    FakeStream& stream = worker_.open(root, {{":path", "/"}});
    worker_.respond(stream, {{":status", "401"}});
    worker_.close(stream);
  }
  EXPECT_EQ(metric("idp.invalidated"), 1);
  EXPECT_TRUE(host_.logged("an upstream did not accept its headers; they are fetched anew in "));
  host_.advance(1s);
  EXPECT_EQ(tokens_, 1) << "not within retry.initial of the last fetch";
  host_.advance(1s);
  EXPECT_EQ(tokens_, 2) << "but then";
  host_.advance(10s);
  EXPECT_EQ(tokens_, 2) << "and once";
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

}  // namespace
}  // namespace inlay::header_augmenting
