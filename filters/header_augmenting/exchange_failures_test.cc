// SPDX-License-Identifier: Apache-2.0
// Exchanges that fail: what the client is told, what is remembered, how often the service is asked, outages.
#include <string>
#include <tuple>
#include <vector>

#include "filters/header_augmenting/exchange_fixture.h"

namespace inlay::header_augmenting {
namespace {

using ExchangeFailuresTest = ExchangeTest;

TEST_F(ExchangeFailuresTest, ErrorsAreTakenForWhatTheyMean) {
  const auto error = [](const char* code) { return R"({"error":")" + std::string(code) + R"("})"; };
  for (const auto& [status, body, answer] : std::vector<std::tuple<uint32_t, std::string, uint32_t>>{
           {400, error("invalid_grant"), 401},
           {400, error("invalid_request"), 401},
           {400, error("jti_known"), 401},
           {400, error("invalid_target"), 403},
           {400, error("invalid_scope"), 403},
           {403, error("access_denied"), 403},
           {400, error("invalid_client"), 502},
           {401, error("invalid_client"), 502},
           {401, error("invalid_grant"), 502},
           {401, "", 502},
           {400, error("unauthorized_client"), 502},
           {400, error("unsupported_grant_type"), 502},
           {400, error("something_else"), 502},
           {400, "<html>", 502},
           {403, "", 502},
           {404, "", 502},
           {302, "", 502},
           {429, "", 503},
           {500, error("server_error"), 503},
           {503, "", 503},
           {200, "<html>", 502},
           {200, "{}", 502},
           {200, R"({"access_token":"t","token_type":"DPoP"})", 502},
           {200, R"({"access_token":"t","token_type":"N_A"})", 502},
           {200, R"({"access_token":"t","token_type":"bEARER"})", 0},
           {200, R"({"access_token":"t"})", 0},
           {200, R"({"access_token":"t\u000a","token_type":"Bearer"})", 502},
       }) {
    reply_ = {.status = status, .body = body.empty() ? " " : body};
    const auto root = start(exchange_config());
    host_.shared_data.clear();
    const FakeStream stream = get(root, "alice");
    EXPECT_EQ(stream.reply_status, answer) << status << " " << body;
    EXPECT_EQ(reply_header(stream, "www-authenticate").empty(), answer != 401 && answer != 403) << status << body;
    EXPECT_EQ(reply_header(stream, "retry-after").empty(), answer != 503) << status << body;
    worker_.stop(root);
  }
  reply_ = {.reset = true};
  EXPECT_EQ(get(start(exchange_config()), "bob").reply_status, 503u);
  reply_ = {.refuse = true};
  EXPECT_EQ(get(start(exchange_config()), "carol").reply_status, 503u);
}

TEST_F(ExchangeFailuresTest, StatusesCanBeChosen) {
  const auto root = start(exchange_config(
      R"(, "on_error": {"no_subject": 400, "subject_refused": 407, "denied": 404, "provider_refused": 500,
                        "unavailable": 504})"));
  EXPECT_EQ(worker_.request(root, {{":path", "/"}}).reply_status, 400u);
  reply_ = {.status = 400, .body = R"({"error":"invalid_grant"})"};
  EXPECT_EQ(get(root, "a").reply_status, 407u);
  reply_ = {.status = 400, .body = R"({"error":"invalid_target"})"};
  EXPECT_EQ(get(root, "b").reply_status, 404u);
  reply_ = {.status = 401, .body = "-"};
  EXPECT_EQ(get(root, "c").reply_status, 500u);
  reply_ = {.status = 500, .body = "-"};
  EXPECT_EQ(get(root, "d").reply_status, 504u);
}

TEST_F(ExchangeFailuresTest, RefusalIsRememberedForAWhile) {
  reply_ = {.status = 400, .body = R"({"error":"invalid_grant"})"};
  const auto root = start(exchange_config(R"(, "cache": {"refused_life": "30s"})"));
  FakeWorker& other = host_.add_worker();
  const auto other_root = start(other, exchange_config(R"(, "cache": {"refused_life": "30s"})"));
  for (int i = 0; i < 29; ++i) {
    EXPECT_EQ(get(root, "alice").reply_status, 401u);
    EXPECT_EQ(get(other, other_root, "alice").reply_status, 401u);
    host_.advance(1s);
  }
  EXPECT_EQ(host_.calls.size(), 1u);
  reply_ = {};
  EXPECT_EQ(get(root, "bob").reply_status, 0u);
  host_.advance(2s);
  EXPECT_EQ(get(root, "alice").reply_status, 0u);
  EXPECT_EQ(count("refused"), 58);
}

TEST_F(ExchangeFailuresTest, TenMinutesWithoutTheService) {
  expires_in_ = "1200";
  const auto root = start(exchange_config());
  EXPECT_EQ(token(root, "alice"), "Bearer alice:1");
  EXPECT_EQ(token(root, "late"), "Bearer late:1");
  host_.advance(1000s);  // beyond the time of renewal
  reply_ = {.delay_ms = 5, .reset = true};
  host_.calls.clear();
  uint64_t served_ms = 0;
  const uint64_t begin_ms = host_.now_ms();
  for (int i = 0; host_.now_ms() < begin_ms + 600'000; ++i) {
    host_.advance(500ms);
    const FakeStream old = get(root, "alice");
    if (old.reply_status == 0) {
      EXPECT_EQ(old.header("authorization"), "Bearer alice:1");
      served_ms = host_.now_ms();
    } else {
      EXPECT_EQ(old.reply_status, 503u);
      EXPECT_NE(reply_header(old, "retry-after"), "");
    }
    EXPECT_EQ(get(root, "new-" + std::to_string(i)).reply_status, 503u);
  }
  EXPECT_GE(served_ms, made_ms_["alice:1"] + 1'190'000) << "to its end";
  EXPECT_LT(served_ms, made_ms_["alice:1"] + 1'200'000) << "and not beyond";
  EXPECT_LE(host_.calls.size(), 850u) << "one a second or so, not one a request";
  EXPECT_GE(host_.calls.size(), 300u);
  size_t lines = 0;
  for (const auto& log : host_.logs)
    lines += log.level == sdk::LogLevel::kWarn && log.text.find("exchange failed") != std::string::npos ? 1 : 0;
  EXPECT_LE(lines, 12u);
  reply_ = {};
  host_.advance(1100ms);
  EXPECT_EQ(get(root, "alice").reply_status, 0u) << "a second after it is back";
  EXPECT_EQ(get(root, "new-1").reply_status, 0u);
}

TEST_F(ExchangeFailuresTest, ServiceThatFailsOverOneSubjectIsAskedForOthers) {
  on_call_ = [&](const FakeCall& call) {
    reply_ = subject_of(call).starts_with("odd") ? FakeReply{.status = 500, .body = "oops"} : FakeReply{};
  };
  const auto root = start(exchange_config());
  for (int i = 0; i < 20; ++i) {
    FakeStream& odd = ask(root, "odd-" + std::to_string(i));
    host_.advance(1ms);
    EXPECT_EQ(odd.reply_status, 503u);
    FakeStream& good = ask(root, "good-" + std::to_string(i));
    host_.advance(1ms);
    EXPECT_EQ(good.reply_status, 0u) << i;
  }
}

TEST_F(ExchangeFailuresTest, ClientThatIsNotAcceptedAsksSeldom) {
  reply_ = {.status = 401, .body = R"({"error":"invalid_client"})"};
  const auto root = start(exchange_config());
  for (int i = 0; i < 600; ++i) {
    EXPECT_EQ(get(root, "subject-" + std::to_string(i)).reply_status, 502u);
    host_.advance(500ms);
  }
  EXPECT_LE(host_.calls.size(), 12u) << "in ten minutes or more";
}

TEST_F(ExchangeFailuresTest, OneRulesAudienceThatDoesNotExistLeavesTheOthersAlone) {
  on_call_ = [&](const FakeCall& call) {
    // As Keycloak says it.
    reply_ = form(call, "audience") == "none" ? FakeReply{.status = 400, .body = R"({"error":"invalid_client"})"}
                                              : FakeReply{};
  };
  const auto root = start(R"({"sources": [)" + exchange_source() + R"(], "rules": [
      {"match": {"path_prefix": "/none"}, "with": {"audience": "none"}}, {"with": {"audience": "some"}}]})");
  for (int i = 0; i < 5; ++i) {
    FakeStream& wrong = worker_.open(root, {{":path", "/none"}, {"authorization", "Bearer a" + std::to_string(i)}});
    host_.advance(1s);
    EXPECT_EQ(wrong.reply_status, 502u);
    EXPECT_EQ(get(root, "a" + std::to_string(i)).reply_status, 0u);
  }
}

TEST_F(ExchangeFailuresTest, RetryAfterIsHonoured) {
  reply_ = {.status = 429, .body = "-", .headers = {{"retry-after", "20"}}};
  const auto root = start(exchange_config());
  EXPECT_EQ(get(root, "alice").reply_status, 503u);
  const FakeStream told = get(root, "bob");
  EXPECT_EQ(told.reply_status, 503u);
  EXPECT_EQ(reply_header(told, "retry-after"), "20");
  host_.advance(15s);
  EXPECT_EQ(get(root, "bob").reply_status, 503u);
  EXPECT_EQ(host_.calls.size(), 1u);
  reply_ = {};
  host_.advance(5s);
  EXPECT_EQ(get(root, "bob").reply_status, 0u);
}

TEST_F(ExchangeFailuresTest, SecretThatIsReplacedCostsNoError) {
  std::string secret = "one";
  std::string accepted = "one";
  host_.services["files"] = [&](const FakeCall&) { return FakeReply{.body = secret}; };
  on_call_ = [&](const FakeCall& call) {
    const bool good = form(call, "client_secret") == accepted;
    reply_ = good ? FakeReply{.delay_ms = 5}
                  : FakeReply{.status = 401, .body = R"({"error":"invalid_client"})", .delay_ms = 5};
  };
  const auto root = start(R"({"sources": [{"name": "obo", "cluster": "sts", "path": "/t", "format": "oauth2", "oauth2":
      {"grant_type": "token_exchange", "client_id": "gw", "client_secret": "${source:secret}",
       "auth_method": "client_secret_post"}}, {"name": "secret", "cluster": "files", "format": "text"}]})");
  host_.advance(1s);
  EXPECT_EQ(get(root, "alice").reply_status, 0u);
  secret = accepted = "two";
  EXPECT_EQ(get(root, "bob").reply_status, 0u);
  EXPECT_EQ(host_.calls.back().body.find("client_secret=one"), std::string::npos);
  accepted = "three";  // which no file has yet
  FakeStream& early = ask(root, "carol");
  host_.advance(3s);
  EXPECT_EQ(early.reply_status, 502u);
  secret = "three";
  host_.advance(11s);  // `every` of the file
  EXPECT_EQ(get(root, "dora").reply_status, 0u) << "at once, though nobody asks soon who is not accepted";
}

TEST_F(ExchangeFailuresTest, RequestsWaitForAnotherSource) {
  bool there = false;
  host_.services["files"] = [&](const FakeCall&) {
    return there ? FakeReply{.body = "s"} : FakeReply{.status = 503, .body = "no"};
  };
  const auto root = start(R"({"sources": [{"name": "obo", "cluster": "sts", "path": "/t", "format": "oauth2", "oauth2":
      {"grant_type": "token_exchange", "client_id": "gw", "client_secret": "${source:secret}"}},
      {"name": "secret", "cluster": "files", "format": "text"}]})");
  FakeStream& early = ask(root, "alice");
  EXPECT_TRUE(early.request_held);
  there = true;
  host_.advance(3s);
  EXPECT_EQ(early.header("authorization"), "Bearer alice:1");
  EXPECT_EQ(issued_["alice"], 1);
}

TEST_F(ExchangeFailuresTest, WaitingRequestsAndCallsAreBounded) {
  reply_.delay_ms = 100;
  const auto root = start(exchange_config(R"(, "cache": {"max_waiting": 6, "max_calls": 2})"));
  std::vector<FakeStream*> streams;
  for (int i = 0; i < 8; ++i) streams.push_back(&ask(root, "subject-" + std::to_string(i)));
  EXPECT_EQ(host_.calls.size(), 2u) << "at once";
  EXPECT_EQ(streams[6]->reply_status, 503u);
  EXPECT_EQ(streams[7]->reply_status, 503u);
  host_.advance(100ms);
  EXPECT_EQ(host_.calls.size(), 4u);
  host_.advance(300ms);
  for (int i = 0; i < 6; ++i)
    EXPECT_EQ(streams[static_cast<size_t>(i)]->header("authorization"), "Bearer subject-" + std::to_string(i) + ":1");
  for (int i = 0; i < 6; ++i) (void)ask(root, "one");
  EXPECT_EQ(ask(root, "one").reply_status, 503u) << "as many requests as that wait for one token";
}

TEST_F(ExchangeFailuresTest, ServiceThatNeverAnswersIsGivenUp) {
  reply_ = {.silent = true};
  const auto root = start(exchange_config(R"(, "timeout": "2s")"));
  FakeStream& stream = ask(root, "alice");
  host_.advance(2900ms);
  EXPECT_TRUE(stream.request_held);
  host_.advance(200ms);
  EXPECT_EQ(stream.reply_status, 503u);
  reply_ = {};
  host_.advance(2s);
  EXPECT_EQ(get(root, "alice").reply_status, 0u);
}

TEST_F(ExchangeFailuresTest, SubjectThatIsRefusedAtItsRenewalLosesItsToken) {
  const auto root = start(exchange_config());
  EXPECT_EQ(token(root, "alice"), "Bearer alice:1");
  host_.advance(265s);
  reply_ = {.status = 400, .body = R"({"error":"invalid_grant"})"};
  EXPECT_EQ(get(root, "alice").reply_status, 0u) << "it asks, and does not wait";
  host_.advance(10ms);
  EXPECT_EQ(get(root, "alice").reply_status, 401u);
}

// A capability restriction takes proxy_set_effective_context away: calls are made by the root context's own tick.
TEST_F(ExchangeFailuresTest, ExchangesWhereContextsCannotBeChosen) {
  const auto root = start(exchange_config());
  host_.advance(1s);
  host_.may_set_effective = false;
  FakeStream& stream = ask(root, "alice");
  host_.advance(1s);
  EXPECT_EQ(host_.calls.size(), 1u);
  EXPECT_TRUE(stream.request_held) << "no task of a stream runs there, held ones of other sources neither";
  FakeStream& next = ask(root, "alice");
  EXPECT_EQ(next.header("authorization"), "Bearer alice:1");
}

}  // namespace
}  // namespace inlay::header_augmenting
