// SPDX-License-Identifier: Apache-2.0
// When the next try comes after a failed one: errors that stay, requests that are turned away, and what has changed.
#include <string>

#include "filters/header_augmenting/long_form_fixture.h"

namespace inlay::header_augmenting {
namespace {

class BackOffTest : public LongFormTest {
 protected:
  static FakeReply error(const std::string& code, uint32_t status = 401) {
    return {.status = status, .body = R"({"error":")" + code + "\"}"};
  }
  size_t warnings() const {
    size_t count = 0;
    for (const auto& log : host_.logs) {
      count += log.level == sdk::LogLevel::kWarn && log.text.find("fetch failed") != std::string::npos ? 1 : 0;
    }
    return count;
  }
  // calls_in: how many calls come in the time.
  size_t calls_in(sdk::Duration time) {
    const size_t before = host_.calls.size();
    host_.advance(time);
    return host_.calls.size() - before;
  }
};

TEST_F(BackOffTest, ErrorsThatStayAreAskedAboutSeldomAndSaidOnce) {
  for (const FakeReply& reply : {error("invalid_client"), error("unauthorized_client", 400),
                                 error("invalid_scope", 400), error("unsupported_grant_type", 400),
                                 FakeReply{.status = 404}, FakeReply{.status = 405}, error("invalid_client", 200)}) {
    reply_ = reply;
    host_.logs.clear();
    const size_t before = host_.calls.size();
    const auto root = start(kToken);
    host_.advance(7900ms);
    EXPECT_EQ(host_.calls.size(), before + 1) << reply.status << reply.body;
    host_.advance(2200ms);
    EXPECT_EQ(host_.calls.size(), before + 2) << "after 8 to 10 s";
    host_.advance(20s);
    EXPECT_EQ(host_.calls.size(), before + 3) << "after 16 to 20 s";
    host_.advance(600s);
    EXPECT_LE(host_.calls.size(), before + 3 + 6);
    const size_t later = calls_in(1200s);
    EXPECT_GE(later, 3u);
    EXPECT_LE(later, 6u) << "every five minutes, or a fifth sooner";
    EXPECT_EQ(warnings(), 1u);
    worker_.stop(root);
    host_.shared_data.clear();
  }
}

TEST_F(BackOffTest, OtherErrorsFollowTheRetrySchedule) {
  for (const FakeReply& reply : {error("invalid_grant", 400), error("server_error", 400), FakeReply{.status = 401},
                                 FakeReply{.status = 410}, FakeReply{.status = 500}}) {
    reply_ = reply;
    const auto root = start(kToken);
    EXPECT_GE(calls_in(8s), 4u) << reply.status << reply.body;
    worker_.stop(root);
    host_.shared_data.clear();
  }
}

TEST_F(BackOffTest, EachChangeIsSaid) {
  reply_ = error("invalid_client");
  start(kToken);
  host_.advance(60s);
  EXPECT_EQ(warnings(), 1u);
  reply_ = error("invalid_scope", 400);
  host_.advance(300s);
  EXPECT_EQ(warnings(), 2u);
  reply_ = {};
  host_.advance(300s);
  ASSERT_GT(tokens_, 0);
  reply_ = error("invalid_scope", 400);
  host_.advance(300s);
  EXPECT_EQ(warnings(), 3u) << "it was good in between";
}

TEST_F(BackOffTest, KindsOfFailuresAreCountedOnTheirOwn) {
  const auto until_asked = [&] {
    const size_t before = host_.calls.size();
    while (host_.calls.size() == before) host_.advance(10ms);
  };
  reply_ = {.status = 500};
  start(kToken);
  host_.advance(300s);
  reply_ = error("invalid_client");
  until_asked();
  EXPECT_EQ(calls_in(7900ms), 0u);
  EXPECT_EQ(calls_in(2200ms), 1u) << "ten seconds, not five minutes";
  reply_ = {.status = 500};
  until_asked();
  EXPECT_GE(calls_in(2s), 2u) << "a quarter of a second, and half of one";
}

TEST_F(BackOffTest, RequestsThatAreTurnedAwayHaveItAskedOnceASecond) {
  reply_ = {.status = 500};
  FakeWorker& second = host_.add_worker();
  const auto root = start(kToken);
  const auto other = start(second, kToken);
  host_.advance(300s);
  EXPECT_LE(calls_in(60s), 8u) << "without requests: every 15 s on average";
  const size_t before = host_.calls.size();
  const size_t said = warnings();
  for (int i = 0; i < 600; ++i) {
    EXPECT_EQ(get(root).reply_status, 503u);
    EXPECT_EQ(second.request(other, {{":path", "/"}}).reply_status, 503u);
    host_.advance(100ms);
  }
  EXPECT_GE(host_.calls.size() - before, 45u) << "every 0.75 to 1.25 s, and up to 50 ms";
  EXPECT_LE(host_.calls.size() - before, 90u) << "for all workers; some come by the schedule";
  EXPECT_LE(warnings() - said, 10u) << "those that were due anyway";
  host_.advance(3s);
  EXPECT_LE(calls_in(60s), 8u);
  get(root);
  reply_ = {};
  host_.advance(1400ms);
  EXPECT_EQ(token(root), "Bearer t1");
}

TEST_F(BackOffTest, OneRequestIsEnough) {
  reply_ = {.status = 500};
  const auto root = start(R"({"sources": [{"name": "idp", "cluster": "idp", "path": "/token", "format": "oauth2",
    "oauth2": {"client_id": "id"}}], "when_missing": {"action": "hold", "hold_for": "2s"}})");
  host_.advance(600s);
  reply_ = {};
  FakeStream& held = worker_.open(root, {{":path", "/"}});
  host_.advance(1400ms);
  EXPECT_EQ(held.header("authorization"), "Bearer t1");
  EXPECT_EQ(metric("rejected"), 0);
}

TEST_F(BackOffTest, RequestsDoNotHurryWhatStaysOrWhatTheServiceWantsToWaitFor) {
  for (const FakeReply& reply :
       {error("invalid_client"), FakeReply{.status = 503, .headers = {{"retry-after", "25"}}}}) {
    reply_ = reply;
    const auto root = start(kToken);
    const size_t before = host_.calls.size();
    for (int i = 0; i < 240; ++i) {
      get(root);
      host_.advance(100ms);
    }
    EXPECT_LE(host_.calls.size() - before, 2u) << reply.status;
    worker_.stop(root);
    host_.shared_data.clear();
  }
}

TEST_F(BackOffTest, ChangedInputIsTriedAtOnceWhateverTheErrorWas) {
  std::string file = "one";
  host_.services["files"] = [&](const FakeCall&) { return FakeReply{.body = file}; };
  host_.services["idp"] = [this](const FakeCall& call) {
    if (call.body.find("client_assertion=two") == std::string::npos) return error("invalid_client");
    return FakeReply{.body = R"({"access_token":"t","expires_in":100})"};
  };
  const auto root =
      start(R"({"sources": [{"name": "idp", "cluster": "idp", "authority": "a", "path": "/t", "format": "oauth2",
      "oauth2": {"client_id": "", "auth_method": "client_assertion", "client_assertion": "${source:sa}"}},
      {"name": "sa", "cluster": "files", "path": "/sa", "format": "text"}]})");
  host_.advance(1000s);
  EXPECT_EQ(warnings(), 1u);
  file = "two";
  host_.advance(11s);
  EXPECT_EQ(token(root), "Bearer t") << "with the next look at the file, not after five minutes";
}

TEST_F(BackOffTest, RequestsHurryWhatTheirSourceWaitsFor) {
  bool up = false;
  host_.services["files"] = [&](const FakeCall&) { return up ? FakeReply{.body = "one"} : FakeReply{.status = 500}; };
  const auto root =
      start(R"({"sources": [{"name": "idp", "cluster": "idp", "authority": "a", "path": "/t", "format": "oauth2",
      "oauth2": {"client_id": "", "auth_method": "client_assertion", "client_assertion": "${source:sa}"}},
      {"name": "sa", "cluster": "files", "path": "/sa", "format": "text"}]})");
  host_.advance(300s);
  up = true;
  get(root);
  host_.advance(1500ms);
  EXPECT_EQ(token(root), "Bearer t1");
}

}  // namespace
}  // namespace inlay::header_augmenting
