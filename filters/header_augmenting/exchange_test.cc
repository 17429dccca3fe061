// SPDX-License-Identifier: Apache-2.0
// Tokens of requests, exchanged for others: what is asked for, what requests get, how long it lasts.
#include <string>
#include <vector>

#include "filters/header_augmenting/exchange_fixture.h"

namespace inlay::header_augmenting {
namespace {

TEST_F(ExchangeTest, CallersTokenIsExchangedOnce) {
  const auto root = start(exchange_config("", R"(, "audience": "orders", "scopes": ["read", "write"])"));
  FakeStream& first = ask(root, "alice");
  EXPECT_EQ(first.status, HeadersStatus::kStopAllIterationAndWatermark);
  host_.advance(19ms);
  EXPECT_TRUE(first.request_held);
  host_.advance(2ms);
  EXPECT_FALSE(first.request_held);
  EXPECT_EQ(first.header("authorization"), "Bearer alice:1");
  ASSERT_EQ(host_.calls.size(), 1u);
  const FakeCall& call = host_.calls[0];
  EXPECT_EQ(call.body,
            "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Atoken-exchange&subject_token=alice&"
            "subject_token_type=urn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3Aaccess_token&scope=read+write&"
            "audience=orders");
  EXPECT_EQ(call.header(":authority"), "sts.local");
  EXPECT_EQ(call.header("content-type"), "application/x-www-form-urlencoded");
  EXPECT_TRUE(call.header("authorization").starts_with("Basic "));
  const FakeStream& second = ask(root, "alice");
  EXPECT_EQ(second.status, HeadersStatus::kContinue);
  EXPECT_EQ(second.header("authorization"), "Bearer alice:1");
  EXPECT_EQ(second.host_calls, 4u) << "the method, the token, the time, and the token again";
  EXPECT_EQ(token(root, "bob"), "Bearer bob:1");
  EXPECT_EQ(host_.calls.size(), 2u);
  EXPECT_EQ(count("hit"), 1);
  EXPECT_EQ(count("miss"), 2);
  EXPECT_EQ(count("waited"), 2);
  EXPECT_EQ(count("entries"), 2);
  EXPECT_EQ(metric("fetch_ok"), 2);
  EXPECT_TRUE(host_.misuses.empty());
}

TEST_F(ExchangeTest, SchemeIsComparedWithoutRegardToCase) {
  const auto root = start(exchange_config());
  EXPECT_EQ(token(root, "alice"), "Bearer alice:1");
  FakeStream& lower = worker_.open(root, {{":path", "/"}, {"authorization", "bearer  alice"}});
  EXPECT_EQ(lower.header("authorization"), "Bearer alice:1");
}

TEST_F(ExchangeTest, RequestWithoutATokenIsAnsweredOrPasses) {
  for (const char* value : {"", "Bearer", "Bearer ", "Basic YTpi", "Bearerx y"}) {
    const auto root = start(exchange_config());
    Headers headers{{":path", "/"}};
    if (*value != '\0') headers.emplace_back("authorization", value);
    const FakeStream stream = worker_.request(root, headers);
    EXPECT_EQ(stream.reply_status, 401u) << value;
    EXPECT_EQ(reply_header(stream, "www-authenticate"), "Bearer");
    const auto other = start(exchange_config(R"(, "on_error": {"no_subject": "pass"})"));
    const FakeStream passed = worker_.request(other, headers);
    EXPECT_EQ(passed.reply_status, 0u);
    EXPECT_EQ(passed.header("authorization"), "") << "nobody takes it for one of the filter's";
    worker_.stop(root);
    worker_.stop(other);
  }
  EXPECT_TRUE(host_.calls.empty());
  EXPECT_EQ(count("refused"), 5);
}

TEST_F(ExchangeTest, SeveralTokensAreNone) {
  const auto root = start(exchange_config());
  for (const char* value : {"alice,bob", "alice, bob", "alice,Bearer bob", "alice,", ",alice"}) {
    const FakeStream stream = get(root, value);
    EXPECT_EQ(stream.reply_status, 401u) << value;
    EXPECT_EQ(reply_header(stream, "www-authenticate"), "Bearer error=\"invalid_token\"");
  }
  EXPECT_TRUE(host_.calls.empty()) << "the service is not asked";
}

TEST_F(ExchangeTest, SubjectMayComeInAHeaderOfItsOwnAndStay) {
  const std::string keeps =
      R"(, "subject": {"header": "X-User-Token", "remove": false, "type": "jwt"}, "requested_token_type": "jwt")";
  const auto root = start(exchange_config(R"(, "headers": {"x-internal": "{/access_token}"})", keeps));
  FakeStream& stream = worker_.open(root, {{":path", "/"}, {"x-user-token", "alice"}, {"x_internal", "forged"}});
  host_.advance(1s);
  EXPECT_EQ(stream.reply_status, 502u) << "the service says that it issued an access token";
  reply_.body = R"({"access_token":"a1","token_type":"N_A","expires_in":300})";
  FakeStream& other = worker_.open(root, {{":path", "/"}, {"x-user-token", "bob"}, {"x_internal", "forged"}});
  host_.advance(1s);
  EXPECT_EQ(other.header("x-internal"), "a1");
  EXPECT_EQ(other.header("x_internal"), "");
  EXPECT_EQ(other.header("x-user-token"), "bob");
  EXPECT_EQ(form(host_.calls.back(), "subject_token_type"), "urn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3Ajwt");
  EXPECT_EQ(form(host_.calls.back(), "requested_token_type"), "urn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3Ajwt");
  const auto removes = start(exchange_config(R"(, "headers": {"x-internal": "{/access_token}"})",
                                             R"(, "subject": {"header": "x-user-token"})"));
  reply_.body = "";
  FakeStream& without = worker_.open(removes, {{":path", "/"}, {"x-user-token", "carol"}});
  host_.advance(1s);
  EXPECT_EQ(without.header("x-internal"), "carol:1");
  EXPECT_EQ(without.header("x-user-token"), "");
}

TEST_F(ExchangeTest, ActorIsTheWorkloadsOrTheRequests) {
  host_.services["files"] = [](const FakeCall&) { return FakeReply{.body = "workload\n"}; };
  const std::string file = R"(, {"name": "sa", "cluster": "files", "format": "text"})";
  const auto root = start(R"({"sources": [)" +
                          exchange_source("", R"(, "actor": {"token": "${source:sa}", "type": "jwt"})") + file + "]}");
  host_.advance(500ms);
  EXPECT_EQ(token(root, "alice"), "Bearer alice:1");
  EXPECT_EQ(form(host_.calls.back(), "actor_token"), "workload");
  EXPECT_EQ(form(host_.calls.back(), "actor_token_type"), "urn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3Ajwt");
  const auto other = start(exchange_config("", R"(, "actor": {"header": "x-actor"})"));
  EXPECT_EQ(get(other, "alice").reply_status, 401u) << "it has no actor";
  EXPECT_EQ(get(other, "alice", {{"x-actor", "bot"}}).header("authorization"), "Bearer alice:2");
  EXPECT_EQ(form(host_.calls.back(), "actor_token"), "bot");
  const FakeStream again = get(other, "alice", {{"x-actor", "bot"}});
  EXPECT_EQ(again.header("authorization"), "Bearer alice:2");
  EXPECT_EQ(again.header("x-actor"), "");
  EXPECT_EQ(get(other, "alice", {{"x-actor", "tob"}}).header("authorization"), "Bearer alice:3");
}

TEST_F(ExchangeTest, SubjectMayBeTheWorkloadsOwn) {
  host_.services["files"] = [](const FakeCall&) { return FakeReply{.body = "workload\n"}; };
  const auto root =
      start(R"({"sources": [)" + exchange_source("", R"(, "subject": {"token": "${source:sa}", "type": "jwt"})") +
            R"(, {"name": "sa", "cluster": "files", "format": "text"}]})");
  host_.advance(1s);
  const FakeStream stream = worker_.request(root, {{":path", "/"}, {"authorization", "Bearer alice"}});
  EXPECT_EQ(stream.header("authorization"), "Bearer workload:1") << "a token for all requests";
}

TEST_F(ExchangeTest, RulesAskForTheirOwnAudience) {
  const auto root = start(R"({"sources": [)" + exchange_source("", R"(, "audience": "all", "scopes": ["read"])") +
                          R"(], "rules": [
      {"match": {"path_prefix": "/a"}, "use": ["obo"], "with": {"audience": "orders"}},
      {"match": {"path_prefix": "/b"}, "use": ["obo"], "with": {"resource": ["https://b"], "scopes": []}},
      {"use": ["obo"]}]})");
  const auto get_path = [&](const std::string& path) {
    FakeStream& stream = worker_.open(root, {{":path", path}, {"authorization", "Bearer alice"}});
    host_.advance(1s);
    return stream.header("authorization");
  };
  EXPECT_EQ(get_path("/a"), "Bearer alice:1");
  EXPECT_EQ(form(host_.calls.back(), "audience"), "orders");
  EXPECT_EQ(form(host_.calls.back(), "scope"), "read");
  EXPECT_EQ(get_path("/b"), "Bearer alice:2");
  EXPECT_EQ(form(host_.calls.back(), "audience"), "all");
  EXPECT_EQ(form(host_.calls.back(), "resource"), "https%3A%2F%2Fb");
  EXPECT_EQ(form(host_.calls.back(), "scope"), "");
  EXPECT_EQ(get_path("/c"), "Bearer alice:3");
  EXPECT_EQ(get_path("/a/2"), "Bearer alice:1");
  EXPECT_EQ(get_path("/c/2"), "Bearer alice:3");
  EXPECT_EQ(host_.calls.size(), 3u);
}

TEST_F(ExchangeTest, OtherSourcesOfTheRuleAreSetAsWell) {
  host_.services["keys"] = [](const FakeCall&) { return FakeReply{.body = R"({"x-key":"k"})"}; };
  const auto root = start(R"({"sources": [)" + exchange_source() +
                          R"(, {"name": "keys", "cluster": "keys"}], "when_missing": {"action": "hold"}})");
  FakeStream& held = ask(root, "alice");
  EXPECT_TRUE(held.request_held) << "for the key, then for the token";
  host_.advance(1s);
  EXPECT_FALSE(held.request_held);
  EXPECT_EQ(held.header("x-key"), "k");
  EXPECT_EQ(held.header("authorization"), "Bearer alice:1");
  const FakeStream stream = get(root, "alice");
  EXPECT_EQ(stream.header("x-key"), "k");
  EXPECT_EQ(stream.header("authorization"), "Bearer alice:1");
}

TEST_F(ExchangeTest, SubjectThatIsOverIsRefusedWithoutACall) {
  const auto root = start(exchange_config());
  const uint64_t now_s = host_.now_ms() / 1000;
  const FakeStream stream = get(root, jwt(now_s));
  EXPECT_EQ(stream.reply_status, 401u);
  EXPECT_EQ(reply_header(stream, "www-authenticate"), "Bearer error=\"invalid_token\"");
  EXPECT_TRUE(host_.calls.empty());
}

TEST_F(ExchangeTest, TokenEndsWithItsSubject) {
  const auto root = start(exchange_config());
  const std::string subject = jwt(host_.now_ms() / 1000 + 60);
  EXPECT_EQ(token(root, subject), "Bearer " + subject + ":1");
  host_.advance(58s);
  EXPECT_EQ(token(root, subject), "Bearer " + subject + ":1") << "asking again brings none that is good for longer";
  host_.advance(2s);
  EXPECT_EQ(get(root, subject).reply_status, 401u);
  EXPECT_EQ(host_.calls.size(), 1u);
}

TEST_F(ExchangeTest, SubjectWithOddCharactersIsRefused) {
  const auto root = start(exchange_config());
  EXPECT_EQ(get(root, "a b").reply_status, 401u);
  EXPECT_EQ(get(root, "a\x80").reply_status, 401u);
  EXPECT_TRUE(host_.calls.empty());
}

TEST_F(ExchangeTest, LongSubjectIsRefused) {
  const auto root = start(exchange_config(R"(, "cache": {"max_token": 100})"));
  EXPECT_EQ(get(root, std::string(101, 'a')).reply_status, 431u);
  EXPECT_EQ(get(root, std::string(100, 'a')).reply_status, 0u);
}

TEST_F(ExchangeTest, TokenInUseIsRenewedAheadOfItsEnd) {
  const auto root = start(exchange_config());
  EXPECT_EQ(token(root, "alice"), "Bearer alice:1");
  EXPECT_EQ(token(root, "bob"), "Bearer bob:1");
  host_.advance(200s);
  EXPECT_EQ(token(root, "alice"), "Bearer alice:1");
  EXPECT_EQ(issued_["alice"], 1);
  host_.advance(65s);
  FakeStream& stream = ask(root, "alice");
  EXPECT_FALSE(stream.request_held) << "it has a token that is good";
  EXPECT_EQ(stream.header("authorization"), "Bearer alice:1");
  host_.advance(100ms);
  EXPECT_EQ(issued_["alice"], 2);
  EXPECT_EQ(token(root, "alice"), "Bearer alice:2");
  EXPECT_EQ(issued_["bob"], 1) << "nobody uses it";
}

TEST_F(ExchangeTest, NoTokenIsSentThatIsOver) {
  expires_in_ = "30";
  const auto root = start(exchange_config());
  for (int i = 0; i < 1200; ++i) {
    host_.advance(500ms);
    const FakeStream stream = get(root, i % 7 == 0 ? "bob" : "alice");
    ASSERT_EQ(stream.reply_status, 0u) << i;
    const std::string sent = stream.header("authorization").substr(7);
    ASSERT_LT(host_.now_ms(), made_ms_[sent] + 30'000 - 4'000) << i;
  }
  EXPECT_LE(issued_["alice"], 40);
}

TEST_F(ExchangeTest, ShortAndMissingLifetimesNeitherFloodNorStick) {
  for (const char* odd : {"0", "null", "\"soon\"", "-5"}) {
    expires_in_ = odd;
    const auto root = start(exchange_config(R"(, "cache": {"default_life": "60s"})"));
    host_.shared_data.clear();
    const int before = issued_["alice"];
    for (int i = 0; i < 30; ++i) (void)get(root, "alice"), host_.advance(1s);
    EXPECT_EQ(issued_["alice"], before + 1) << odd;
    worker_.stop(root);
  }
  expires_in_ = "1";
  host_.shared_data.clear();
  const auto root = start(exchange_config());
  const int before = issued_["alice"];
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(get(root, "alice").reply_status, 0u);
    host_.advance(100ms);
  }
  EXPECT_LE(issued_["alice"] - before, 60);
}

TEST_F(ExchangeTest, UpstreamsRefusalDropsOneTokenOnceASecond) {
  const auto root = start(exchange_config());
  EXPECT_EQ(token(root, "bob"), "Bearer bob:1");
  (void)get(root, "alice");
  std::vector<FakeStream*> streams;
  for (int i = 0; i < 5; ++i) streams.push_back(&ask(root, "alice"));
  worker_.respond(*streams[0], {{":status", "401"}});
  EXPECT_EQ(token(root, "alice"), "Bearer alice:1") << "it is as new as can be";
  host_.advance(1s);
  for (FakeStream* stream : streams) worker_.respond(*stream, {{":status", "401"}});
  EXPECT_EQ(token(root, "alice"), "Bearer alice:2");
  EXPECT_EQ(token(root, "bob"), "Bearer bob:1");
  for (int i = 0; i < 100; ++i) {
    FakeStream& stream = ask(root, "alice");
    host_.advance(50ms);
    worker_.respond(stream, {{":status", "401"}});
    worker_.close(stream);
  }
  EXPECT_GE(issued_["alice"], 5);
  EXPECT_LE(issued_["alice"], 8) << "five seconds";
  EXPECT_EQ(issued_["bob"], 1);
  EXPECT_EQ(metric("invalidated"), issued_["alice"] - 1);
}

TEST_F(ExchangeTest, ClientThatGoesAwayLeavesTheTokenToTheNext) {
  const auto root = start(exchange_config());
  FakeStream& stream = ask(root, "alice");
  worker_.close(stream);
  host_.advance(100ms);
  FakeStream& next = ask(root, "alice");
  EXPECT_FALSE(next.request_held);
  EXPECT_EQ(next.header("authorization"), "Bearer alice:1");
  EXPECT_EQ(host_.calls.size(), 1u);
}

TEST_F(ExchangeTest, TraceGetsNone) {
  const auto root = start(exchange_config());
  const FakeStream stream = worker_.request(root, bearing("alice", {{":method", "TRACE"}}));
  EXPECT_EQ(stream.reply_status, 0u);
  EXPECT_EQ(stream.header("authorization"), "");
  EXPECT_TRUE(host_.calls.empty());
}

TEST_F(ExchangeTest, NoTokenIsLoggedOrNamedOrToldOrPutIntoAKey) {
  const auto root = start(exchange_config());
  reply_.body = R"({"error":"invalid_request","error_description":"the token secret-subject is bad"})";
  reply_.status = 400;
  const FakeStream refused = get(root, "secret-subject");
  EXPECT_EQ(refused.reply_status, 401u);
  reply_ = {};
  EXPECT_EQ(token(root, "secret-other"), "Bearer secret-other:1");
  for (const auto& log : host_.logs) EXPECT_EQ(log.text.find("secret-"), std::string::npos) << log.text;
  EXPECT_TRUE(host_.logged("source obo: exchange failed: the answer's status is not 200 but 400 (invalid_request)"));
  for (const auto& [name, value] : host_.metrics) EXPECT_EQ(name.find("secret-"), std::string::npos);
  for (const auto& [key, value] : host_.shared_data) {
    EXPECT_EQ(key.find("secret-"), std::string::npos);
    EXPECT_EQ(value.first.find("secret-subject"), std::string::npos) << "of what was brought, a digest";
  }
  EXPECT_EQ(refused.reply_body, "the token is not accepted");
}

}  // namespace
}  // namespace inlay::header_augmenting
