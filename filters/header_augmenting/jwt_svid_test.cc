// SPDX-License-Identifier: Apache-2.0
// Sources of format `jwt_svid`: the frames of a Workload API, and what becomes of what it says.
#include "filters/header_augmenting/jwt_svid.h"

#include <cstdint>
#include <string>

#include "filters/header_augmenting/encoding.h"
#include "filters/header_augmenting/long_form_fixture.h"

namespace inlay::header_augmenting {
namespace {

using namespace std::string_literals;  // NOLINT: tests only

// field: a field with a length, below 128 bytes.
std::string field(int number, const std::string& text) {
  return std::string(1, static_cast<char>(number << 3 | 2)) + static_cast<char>(text.size()) + text;
}

std::string frame(const std::string& message) {
  return "\0\0\0"s + static_cast<char>(message.size() >> 8) + static_cast<char>(message.size()) + message;
}

// svid: a message JWTSVID with a field 2 of any length.
std::string svid(const std::string& jwt) {
  const std::string size = {static_cast<char>(jwt.size() | 0x80), static_cast<char>(jwt.size() >> 7)};
  return field(1, "spiffe://example.org/orders") + "\x12" + size + jwt + field(3, "internal");
}

std::string answer(const std::string& jwt) {
  const std::string message = svid(jwt);
  const std::string size = {static_cast<char>(message.size() | 0x80), static_cast<char>(message.size() >> 7)};
  return frame("\x0a" + size + message + field(1, svid("a second")));
}

TEST(JwtSvid, RequestIsAFrameWithAudiencesAndAnIdentity) {
  Arena arena;
  std::string_view audiences[] = {"sts.example", "b"};
  EXPECT_EQ(svid_request({{audiences, 1}, {}}, arena), "\0\0\0\0\15\12\13sts.example"s);
  EXPECT_EQ(svid_request({audiences, "spiffe://a/b"}, arena), "\0\0\0\0\36\12\13sts.example\12\1b\22\14spiffe://a/b"s);
  const std::string longer(300, 'x');
  std::string_view one = longer;
  EXPECT_EQ(svid_request({{&one, 1}, {}}, arena), "\0\0\0\1\57\12\254\2"s + longer);
}

TEST(JwtSvid, FirstOfAnAnswerIsRead) {
  const std::string jwt(200, 'j');
  EXPECT_EQ(read_svid(answer(jwt)), jwt);
  const std::string unknown = "\x20\x96\x01\x29" + std::string(8, 'x') + "\x35" + std::string(4, 'x');
  EXPECT_EQ(read_svid(frame(unknown + field(1, field(4, "later") + field(2, "jwt")))), "jwt");
}

TEST(JwtSvid, WhatIsNoAnswerIsNone) {
  const std::string whole = answer(std::string(200, 'j'));
  for (size_t size = 0; size < whole.size(); ++size) EXPECT_EQ(read_svid(whole.substr(0, size)), "") << size;
  EXPECT_EQ(read_svid(whole + "x"), "");
  std::string compressed = whole;
  compressed[0] = 1;
  EXPECT_EQ(read_svid(compressed), "");
  for (const std::string& message :
       {""s, field(2, "no list"), field(1, field(1, "no token")), "\x0a\x7f"s, "\x0b"s, "\x0a"s, "\x09xx"s,
        std::string(11, '\xff'), "\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"s}) {
    EXPECT_EQ(read_svid(frame(message)), "") << testing::PrintToString(message);
  }
}

class JwtSvidSourceTest : public LongFormTest {
 protected:
  JwtSvidSourceTest() {
    host_.services["agent"] = [this](const FakeCall&) {
      ++asked_;
      FakeReply reply = agent_;
      if (reply.status == 200 && reply.body.empty() && reply.headers.empty()) {
        reply.body = answer(current_ = jwt(life_s_));
        reply.trailers = {{"grpc-status", "0"}};
      }
      return reply;
    };
  }

  std::string jwt(uint64_t seconds) const {
    TextBuilder text;
    text.add("eyJhbGciOiJFUzI1NiJ9.");
    add_base64url(text, R"({"n":)" + std::to_string(asked_) + R"(,"exp":)" +
                            std::to_string(host_.time_ns / 1'000'000'000 + seconds) + "}");
    text.add(".c2lnbmF0dXJl");
    return std::string(text.view());
  }

  int asked_ = 0;
  uint64_t life_s_ = 100;
  std::string current_;
  FakeReply agent_;
};

constexpr const char* kSvid =
    R"({"sources": [{"name": "svid", "cluster": "agent", "format": "jwt_svid", "jwt_svid": {"audience": "sts.example"},
    "headers": {"authorization": "Bearer {text}"}}]})";

TEST_F(JwtSvidSourceTest, IsFetchedOverTheWorkloadApi) {
  const auto root = start(kSvid);
  host_.advance(1s);
  EXPECT_EQ(token(root), "Bearer " + current_);
  ASSERT_EQ(host_.calls.size(), 1u);
  const FakeCall& call = host_.calls[0];
  EXPECT_EQ(call.header(":method"), "POST");
  EXPECT_EQ(call.header(":path"), "/SpiffeWorkloadAPI/FetchJWTSVID");
  EXPECT_EQ(call.header(":authority"), "agent");
  EXPECT_EQ(call.header("content-type"), "application/grpc");
  EXPECT_EQ(call.header("te"), "trailers");
  EXPECT_EQ(call.header("workload.spiffe.io"), "true");
  EXPECT_EQ(call.body, "\0\0\0\0\15\12\13sts.example"s);
}

TEST_F(JwtSvidSourceTest, IsFetchedAgainAtHalfOfWhatIsLeftAndNotUsedPastItsEnd) {
  const auto root = start(kSvid);
  host_.advance(49s);
  EXPECT_EQ(asked_, 1);
  host_.advance(12s);
  EXPECT_EQ(asked_, 2) << "at half, or up to a tenth later";
  agent_ = {.headers = {{"grpc-status", "14"}}};
  host_.advance(88s);
  EXPECT_EQ(token(root), "Bearer " + current_);
  host_.advance(13s);
  EXPECT_EQ(get(root).reply_status, 503u);
  agent_ = {};
  host_.advance(2s);
  EXPECT_EQ(token(root), "Bearer " + current_);
}

TEST_F(JwtSvidSourceTest, RefusalIsToldInWords) {
  agent_ = {.headers = {
                {"grpc-status", "7"}, {"grpc-message", "no identity issued"}, {"x-envoy-upstream-service-time", "1"}}};
  const auto root = start(kSvid);
  host_.advance(1s);
  EXPECT_TRUE(
      host_.logged("source svid: fetch failed: the answer's status is not 200 but gRPC's 7 (permission denied: no "
                   "identity for this proxy); there are no usable headers"));
  EXPECT_GE(metric("svid.fetch_failed.status"), 1);
  agent_ = {};
  host_.advance(31s);
  EXPECT_EQ(token(root), "Bearer " + current_);
}

TEST_F(JwtSvidSourceTest, StatusesAreCountedByWhoseTheyAre) {
  struct {
    FakeReply reply;
    const char* metric;
    const char* words;
  } const cases[] = {
      {{.headers = {{"grpc-status", "14"}}}, "unreachable", "got no answer from the service: gRPC's 14 (unavailable"},
      {{.headers = {{"grpc-status", "4"}}}, "unreachable", "gRPC's 4 (deadline exceeded)"},
      {{.headers = {{"grpc-status", "12"}}}, "status", "gRPC's 12 (unimplemented: no Workload API there)"},
      {{.headers = {{"grpc-status", "99\n99"}}}, "status", "not 200 but gRPC's 99;"},
      {{.body = "x", .trailers = {{"grpc-status", "3"}}}, "status", "gRPC's 3 (invalid argument)"},
      {{.body = "{}"}, "status", "not 200 but gRPC's none: does the cluster speak HTTP/2?"},
      {{.body = "x", .trailers = {{"grpc-status", "0"}}}, "no_value", "lacks a value"},
      {{.status = 415}, "status", "not 200 but 415"},
  };
  for (const auto& c : cases) {
    FakeHost host;
    host.services["agent"] = [&c](const FakeCall&) { return c.reply; };
    FakeWorker& worker = host.add_worker();
    ASSERT_NE(worker.start("root", kSvid), 0u);
    host.advance(1s);
    EXPECT_TRUE(host.logged(c.words)) << c.words;
    EXPECT_GE(host.metric("header_augmenting.svid.fetch_failed."s + c.metric), 1) << c.words;
  }
}

TEST_F(JwtSvidSourceTest, AnotherSourceIsAskedWithIt) {
  const auto root = start(R"({"sources": [
      {"name": "idp", "cluster": "idp", "authority": "login.local", "path": "/token", "format": "oauth2",
       "oauth2": {"client_id": "", "auth_method": "client_assertion", "client_assertion_type": "jwt-spiffe",
                  "client_assertion": "${source:svid}"}},
      {"name": "svid", "cluster": "agent", "format": "jwt_svid",
       "jwt_svid": {"audience": ["a", "b"], "spiffe_id": "spiffe://a/b"}}]})");
  host_.advance(1s);
  EXPECT_EQ(token(root), "Bearer t1");
  EXPECT_NE(host_.calls.back().body.find("client-assertion-type%3Ajwt-spiffe&client_assertion=" + current_),
            std::string::npos);
}

TEST_F(JwtSvidSourceTest, ConfigurationIsChecked) {
  const struct {
    const char* source;
    const char* error;
  } cases[] = {
      {R"("format": "jwt_svid", "headers": {"a": "{text}"})",
       R"(sources[0].jwt_svid: found nothing, expected an object with "audience", just if "format" is "jwt_svid")"},
      {R"("jwt_svid": {"spiffe_id": "spiffe://a"})", "sources[0].jwt_svid: found an object"},
      {R"("format": "text", "headers": {"a": "{text}"}, "jwt_svid": {"audience": "a"})",
       "sources[0].jwt_svid: found an object"},
      {R"("format": "jwt_svid", "jwt_svid": {"audience": "a"})", "sources[0].headers: found nothing"},
      {R"("format": "jwt_svid", "jwt_svid": {"audience": "a"}, "headers": {"a": "{/text}"})",
       "{text}, which stands for all"},
      {R"("format": "jwt_svid", "jwt_svid": {"audience": "a"}, "headers": {"a": "{text}"}, "path": "/x")",
       R"(sources[0].format: found "jwt_svid" with "path", "method" or "body", expected none of these)"},
      {R"("format": "jwt_svid", "jwt_svid": {"audiences": "a"}, "headers": {"a": "{text}"})",
       R"(expected "audience"?)"},
  };
  for (const auto& c : cases) {
    FakeHost host;
    EXPECT_EQ(host.add_worker().start("root", R"({"sources": [{)"s + c.source + "}]}"), 0u) << c.source;
    EXPECT_TRUE(host.logged(c.error)) << c.source;
  }
}

TEST_F(JwtSvidSourceTest, NoTokenIsLogged) {
  const auto root = start(kSvid);
  for (const FakeReply& reply :
       {FakeReply{}, FakeReply{.headers = {{"grpc-status", "hunter2"}, {"grpc-message", "hunter2"}}},
        FakeReply{.body = answer("hunter2-hunter2"), .trailers = {{"grpc-status", "2"}}}}) {
    agent_ = reply;
    host_.advance(120s);
    get(root);
  }
  EXPECT_FALSE(host_.logged("hunter2"));
  EXPECT_FALSE(host_.logged(current_.substr(30, 20)));
}

}  // namespace
}  // namespace inlay::header_augmenting
