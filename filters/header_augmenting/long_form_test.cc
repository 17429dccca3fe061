// SPDX-License-Identifier: Apache-2.0
// The long form at work: several sources, rules, what is counted and logged.
#include <string>
#include <vector>

#include "filters/header_augmenting/long_form_fixture.h"

namespace inlay::header_augmenting {
namespace {

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

// A host header is what the client says; the token goes where the route leads.
TEST_F(LongFormTest, RuleByClusterFollowsTheRouteAndNotTheHostHeader) {
  const std::string payments = "outbound|8081||payments.shop.svc.cluster.local";
  size_t asked = 0;
  host_.stream_property = [&](const FakeStream& stream, std::string_view path) -> std::optional<std::string> {
    if (path != std::string_view("xds\0cluster_name", 16)) return std::nullopt;
    ++asked;
    const std::string authority = stream.header(":authority");  // these are the routes
    if (authority == "none") return std::nullopt;
    return authority == "payments" ? payments : "outbound|8081||payments.shop.svc.cluster.local.evil";
  };
  host_.services["a"] = [](const FakeCall&) { return FakeReply{.body = R"({"x-a":"1"})"}; };
  const auto root = start(R"({"sources": [{"name": "a", "cluster": "a"}], "rules": [
    {"match": {"path": "/other", "cluster": "other"}},
    {"match": {"cluster": "other"}},
    {"match": {"cluster": ")" +
                          payments + R"("}}, {"match": {"path": "/open"}}]})");
  host_.advance(1s);
  const FakeStream there = get(root, {{":authority", "payments"}});
  EXPECT_EQ(there.header("x-a"), "1");
  EXPECT_EQ(asked, 1u) << "once a request, however many rules ask, and not by a rule that does not match anyway";
  EXPECT_EQ(get(root, {{":authority", "payments:1"}}).header("x-a"), "");
  EXPECT_EQ(get(root, {{":authority", "none"}}).header("x-a"), "") << "no route, no match";
  asked = 0;
  EXPECT_EQ(worker_.request(root, {{":path", "/open"}, {":authority", "none"}}).header("x-a"), "1");
  EXPECT_EQ(asked, 1u) << "that there is none is not asked twice either";
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
  EXPECT_EQ(added.host_calls, 2u + 3u + 1u + 2u)
      << ":path and x-want; cookie, the request for x-gone and its aliases, x-gone; the method; two set";

  const FakeStream other = worker_.request(root, {{":path", "/z"}, {":method", "DELETE"}, {"x-a", "mine"}});
  EXPECT_EQ(other.header("x-a"), "mine");
  EXPECT_EQ(other.host_calls, 2u);
}

TEST_F(LongFormTest, HeadersOfTheCallMayBeReplaced) {
  start(R"({"sources": [{"name": "idp", "cluster": "idp", "path": "/token", "format": "oauth2",
    "request_headers": {"Authorization": "Custom x", "accept": "*/*"}, "oauth2": {"client_id": "id"}}]})");
  host_.advance(1s);
  ASSERT_EQ(host_.calls.size(), 1u);
  EXPECT_EQ(host_.calls[0].headers.size(), 7u);
  EXPECT_EQ(host_.calls[0].header("authorization"), "Custom x");
  EXPECT_EQ(host_.calls[0].header("accept"), "*/*");
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
            "held idp.age_s idp.expires_in_s idp.fetch_failed.bad_json idp.fetch_failed.empty idp.fetch_failed.expired "
            "idp.fetch_failed.no_answer "
            "idp.fetch_failed.no_headers idp.fetch_failed.no_value idp.fetch_failed.not_sent "
            "idp.fetch_failed.not_signed idp.fetch_failed.other_token idp.fetch_failed.status "
            "idp.fetch_failed.too_large idp.fetch_failed.unreachable idp.fetch_ok idp.invalidated injected "
            "passed_without refused_header rejected stale_used ");
}

}  // namespace
}  // namespace inlay::header_augmenting
