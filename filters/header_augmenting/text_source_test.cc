// SPDX-License-Identifier: Apache-2.0
// Sources of format `text`, and sources that are asked with their values: files, and tokens that are fetched with them.
#include <string>
#include <vector>

#include "filters/header_augmenting/encoding.h"
#include "filters/header_augmenting/long_form_fixture.h"
#include "sdk/clock.h"

namespace inlay::header_augmenting {
namespace {

class TextSourceTest : public LongFormTest {
 protected:
  TextSourceTest() {
    host_.services["files"] = [this](const FakeCall&) {
      ++reads_;
      FakeReply reply = file_reply_;
      if (reply.status == 200) reply.body = file_;
      return reply;
    };
  }

  // jwt: one that lasts for `seconds` from now, by the wall clock.
  std::string jwt(int64_t seconds) const {
    const int64_t now = static_cast<int64_t>(host_.time_ns) + host_.wall_step_ns;
    TextBuilder claims;
    add_base64(claims, R"({"n":)" + std::to_string(reads_) + R"(,"exp":)" +
                           std::to_string(now / 1'000'000'000 + seconds) + "}");
    std::string text(claims.view());
    text.resize(std::min(text.size(), text.find('=')));
    return "e30." + text + ".c2ln";
  }
  // asked_with: the last client_assertion that the provider got.
  std::string asked_with() const {
    for (auto call = host_.calls.rbegin(); call != host_.calls.rend(); ++call) {
      if (call->cluster != "idp") continue;
      const size_t at = call->body.find("client_assertion=");
      return at == std::string::npos ? "" : call->body.substr(at + 17);
    }
    return "";
  }
  size_t asked() const {
    size_t count = 0;
    for (const FakeCall& call : host_.calls) count += call.cluster == "idp" ? 1 : 0;
    return count;
  }

  int reads_ = 0;
  std::string file_ = "one";
  FakeReply file_reply_;
};

constexpr const char* kFile = R"({"name": "sa", "cluster": "files", "path": "/sa", "format": "text")";
const std::string kHeader =
    R"({"sources": [)" + std::string(kFile) + R"(, "headers": {"authorization": "Bearer {text}"}}]})";
const std::string kAssertion =
    R"({"sources": [{"name": "idp", "cluster": "idp", "authority": "login.local", "path": "/token",
    "format": "oauth2", "oauth2": {"client_id": "orders", "auth_method": "client_assertion",
    "client_assertion": "${source:sa}"}}, )" +
    std::string(kFile) + "}]}";

TEST_F(TextSourceTest, IsAHeadersValue) {
  file_ = " \t\r\n one two \n";
  const auto root = start(kHeader);
  host_.advance(1s);
  EXPECT_EQ(token(root), "Bearer one two") << "white space at both ends is cut";
  EXPECT_EQ(host_.calls[0].header("accept"), "*/*");
  file_ = "{/x} {text}";
  host_.advance(10s);
  EXPECT_EQ(token(root), "Bearer {/x} {text}") << "it is no template itself";
}

TEST_F(TextSourceTest, IsReadEveryTenSeconds) {
  start(kHeader);
  host_.advance(100s);
  EXPECT_GE(reads_, 10);
  EXPECT_LE(reads_, 12);
}

TEST_F(TextSourceTest, EmptyTextIsAFailedFetchAndTheLastOneStays) {
  const auto root = start(kHeader);
  host_.advance(1s);
  file_ = "\n";
  host_.advance(20s);
  EXPECT_EQ(token(root), "Bearer one");
  EXPECT_GE(metric("sa.fetch_failed.empty"), 1);
  EXPECT_TRUE(host_.logged("source sa: fetch failed: the answer is empty"));
}

TEST_F(TextSourceTest, JwtIsReadAgainAheadOfItsEndAndNotUsedPastIt) {
  file_ = jwt(100);
  const auto root = start(kHeader);
  host_.advance(79s);
  EXPECT_EQ(reads_, 1);
  host_.advance(11s);
  EXPECT_GE(reads_, 2) << "20 % before the end, or up to 10 % later";
  host_.advance(9500ms);
  EXPECT_EQ(token(root), "Bearer " + file_);
  host_.advance(1s);
  EXPECT_EQ(get(root).reply_status, 503u);
  EXPECT_GE(metric("sa.fetch_failed.expired"), 1);
  EXPECT_TRUE(host_.logged("the answer is a JWT whose end has passed"));
  file_ = jwt(100);
  host_.advance(31s);
  EXPECT_EQ(token(root), "Bearer " + file_);
}

TEST_F(TextSourceTest, JwtIsUsedPastItsEndIfMaxStaleSaysSo) {
  file_ = jwt(10);
  const auto root = start(R"({"sources": [)" + std::string(kFile) +
                          R"(, "max_stale": "1m", "headers": {"authorization": "Bearer {text}"}}]})");
  host_.advance(40s);
  EXPECT_EQ(token(root), "Bearer " + file_);
}

TEST_F(TextSourceTest, ReadingAJwtNearItsEndIsNoFlood) {
  file_ = jwt(2);
  start(kHeader);
  host_.advance(60s);
  EXPECT_LE(reads_, 40);
}

TEST_F(TextSourceTest, SchemeWithoutCredentialsIsNoValue) {
  host_.services["keys"] = [](const FakeCall&) { return FakeReply{.body = R"({"authorization":"Bearer "})"}; };
  const auto root = start(R"({"sources": [{"name": "keys", "cluster": "keys"}]})");
  host_.advance(1s);
  EXPECT_EQ(get(root).reply_status, 503u);
  EXPECT_TRUE(host_.logged("header authorization is left out: its value is a scheme without credentials"));
}

TEST_F(TextSourceTest, AssertionIsTheNewestText) {
  const auto root = start(kAssertion);
  host_.advance(1s);
  EXPECT_EQ(token(root), "Bearer t1");
  const FakeCall& call = host_.calls.back();
  EXPECT_EQ(call.header("authorization"), "");
  EXPECT_EQ(call.body,
            "grant_type=client_credentials&client_id=orders&client_assertion_type="
            "urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer&client_assertion=one");
  EXPECT_EQ(get(root).header("x-sa"), "") << "what is only referred to is on no request";
  file_ = "two";
  host_.advance(95s);
  EXPECT_EQ(token(root), "Bearer t2");
  EXPECT_EQ(asked_with(), "two");
  EXPECT_EQ(get(root).host_calls, 2u) << "the method, and the token, as ever";
}

TEST_F(TextSourceTest, AssertionsOfOtherTypes) {
  for (const auto& [type, sent] :
       {std::pair("jwt-spiffe", "urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-spiffe"),
        std::pair("urn:example:a", "urn%3Aexample%3Aa")}) {
    std::string config = kAssertion;
    config.replace(config.find("\"client_id\": \"orders\""), 21,
                   R"("client_id": "", "client_assertion_type": ")" + std::string(type) + "\"");
    start(config);
    host_.advance(1s);
    EXPECT_EQ(host_.calls.back().body,
              "grant_type=client_credentials&client_assertion_type=" + std::string(sent) + "&client_assertion=one");
  }
}

TEST_F(TextSourceTest, MissingValueIsWaitedForAndSaidOnce) {
  file_reply_ = {.status = 500};
  FakeWorker& second = host_.add_worker();
  const auto root = start(kAssertion);
  start(second, kAssertion);
  host_.advance(60s);
  EXPECT_EQ(asked(), 0u);
  for (const auto& [name, value] : host_.metrics) {
    if (name.find("idp.fetch_failed") != std::string::npos) {
      EXPECT_EQ(value, 0) << name;
    }
  }
  size_t said = 0;
  for (const auto& log : host_.logs)
    said += log.text == "source idp: waits for source sa, which has no value yet" ? 1 : 0;
  EXPECT_EQ(said, 1u) << "for all workers";
  EXPECT_EQ(get(root).reply_status, 503u);
  file_reply_ = {};
  host_.advance(31s);
  EXPECT_EQ(token(root), "Bearer t1");
  EXPECT_EQ(asked_with(), "one");
}

// A secret that has been replaced on both sides costs no request: the old one is refused, the file read at once.
TEST_F(TextSourceTest, RefusalHasTheFileReadAndIfItHasChangedOneMoreTry) {
  host_.services["idp"] = [this](const FakeCall& call) {
    if (call.body.find("client_assertion=" + file_) == std::string::npos) return FakeReply{.status = 401};
    return FakeReply{.body = R"({"access_token":"t)" + std::to_string(++tokens_) + R"(","expires_in":100})"};
  };
  std::string config = kAssertion;
  config.replace(config.rfind("}]}"), 3, R"(, "refresh": {"every": "1h"}}]})");
  const auto root = start(config);
  host_.advance(1s);
  ASSERT_EQ(token(root), "Bearer t1");
  file_ = "two";
  const int reads = reads_;
  host_.advance(98s);
  EXPECT_EQ(token(root), "Bearer t2") << "before the first has ended";
  EXPECT_EQ(asked(), 3u) << "once with the old, once with the new";
  EXPECT_EQ(reads_, reads + 1);
  EXPECT_EQ(asked_with(), "two");
  EXPECT_EQ(metric("idp.fetch_failed.status"), 1);
}

TEST_F(TextSourceTest, RefusalOfAFileThatHasNotChangedFollowsTheRetrySchedule) {
  reply_ = {.status = 403};
  std::string config = kAssertion;
  config.replace(config.rfind("}]}"), 3, R"(, "refresh": {"every": "1h"}}]})");
  FakeWorker& second = host_.add_worker();
  start(config);
  start(second, config);
  host_.advance(120s);
  EXPECT_GE(asked(), 4u);
  EXPECT_LE(asked(), 40u);
  EXPECT_LE(reads_, 41);
}

TEST_F(TextSourceTest, ValueThatNoHeaderMayHaveIsNotSent) {
  file_ = "line\nbreak";
  start(
      R"({"sources": [{"name": "b", "cluster": "idp", "path": "/", "request_headers": {"x-token": "${source:sa}"}}, )" +
      std::string(kFile) + "}]}");
  host_.advance(1s);
  EXPECT_EQ(asked(), 0u);
  EXPECT_GE(metric("b.fetch_failed.not_sent"), 1);
  EXPECT_TRUE(
      host_.logged("source b: fetch failed: the call could not be sent: the value of another source has a character "
                   "that no header may have"));
  EXPECT_FALSE(host_.logged("break"));
}

// A login with the file, a secret with the login's token: a value may be made of another.
TEST_F(TextSourceTest, ReferencesLeadFromOneSourceToTheNext) {
  host_.services["vault"] = [](const FakeCall& call) {
    if (call.header(":path") == "/login")
      return FakeReply{.body = R"({"auth":{"client_token":"v-)" + call.body + "\"}}"};
    return FakeReply{.body = R"({"key":"k of )" + call.header("x-vault-token") + "\"}"};
  };
  const auto root = start(R"({"sources": [
      {"name": "secret", "cluster": "vault", "path": "/secret", "format": "template", "headers": {"x-key": "{/key}"},
       "request_headers": {"x-vault-token": "${source:login}"}},
      {"name": "login", "cluster": "vault", "path": "/login", "method": "POST", "body": "${source:sa}",
       "format": "template", "headers": {"x-vault-token": "{/auth/client_token}"}}, )" +
                          std::string(kFile) + "}]}");
  host_.advance(1s);
  const FakeStream stream = get(root, {{"x-vault-token", "the client's"}});
  EXPECT_EQ(stream.header("x-key"), "k of v-one");
  EXPECT_EQ(stream.header("x-vault-token"), "the client's");
}

TEST_F(TextSourceTest, OneReadAndOneFetchForAllWorkers) {
  std::vector<std::pair<FakeWorker*, ContextId>> workers;
  for (int i = 0; i < 8; ++i) {
    FakeWorker& worker = host_.add_worker();
    workers.emplace_back(&worker, start(worker, kAssertion));
  }
  host_.advance(5s);
  EXPECT_EQ(reads_, 1);
  EXPECT_EQ(tokens_, 1);
  for (auto [worker, root] : workers)
    EXPECT_EQ(worker->request(root, {{":path", "/"}}).header("authorization"), "Bearer t1");
}

TEST_F(TextSourceTest, NoValueIsLoggedOrNamed) {
  file_ = "hunter2-of-the-file";
  const auto root = start(kAssertion);
  for (const FakeReply& reply :
       {FakeReply{.status = 401, .body = R"({"error":"invalid_client","error_description":"no hunter2-of-the-file"})"},
        FakeReply{.status = 400, .body = R"({"error":"hunter"})"}, FakeReply{.status = 500, .body = file_},
        FakeReply{.body = R"({"access_token": "hunter2"})"}, FakeReply{.reset = true}}) {
    reply_ = reply;
    host_.advance(40s);
    get(root);
  }
  EXPECT_FALSE(host_.logged("hunter2"));
  for (const auto& [name, value] : host_.metrics) EXPECT_EQ(name.find("hunter2"), std::string::npos);
  for (const auto& [key, value] : host_.shared_data)
    EXPECT_EQ(key.find("hunter2") + key.find("sa"), 2 * std::string::npos);
}

}  // namespace
}  // namespace inlay::header_augmenting
