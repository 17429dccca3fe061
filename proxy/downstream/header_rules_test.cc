// SPDX-License-Identifier: Apache-2.0
#include "proxy/downstream/header_rules.h"

#include <gtest/gtest.h>

#include <functional>
#include <regex>
#include <set>
#include <string>

#include "proxy/downstream/local_reply.h"

namespace inlay::proxy::downstream {
namespace {

using http::HeaderMap;

std::string text_of(const HeaderMap& map) {
  std::string text;
  for (const auto& e : map) text += std::string(e.name) + "=" + std::string(e.value) + " ";
  return text;
}

HeaderMap request(std::initializer_list<std::pair<std::string_view, std::string_view>> fields) {
  HeaderMap map;
  map.add(":method", "GET");
  map.add(":path", "/");
  map.add(":authority", "h");
  for (const auto& [name, value] : fields) map.set(name, value);
  return map;
}

// Prepares a request under `change`d configuration; "refused <status>", or its fields without x-request-id.
std::string prepared(HeaderMap headers, const std::function<void(config::HttpConnectionManager&)>& change = {},
                     HttpVersion version = HttpVersion::k11) {
  config::Listener listener;
  listener.address.port = 8080;
  if (change) change(listener.http);
  HeaderRules rules(listener);
  if (auto refusal = rules.prepare_request(headers, {"192.0.2.7", 1234}, version)) {
    return "refused " + std::to_string(refusal->status) + " " + refusal->details;
  }
  headers.remove("x-request-id");
  return text_of(headers);
}

constexpr const char* kPlain = ":method=GET :path=/ :authority=h :scheme=http x-forwarded-proto=http ";

TEST(HeaderRules, AddsSchemeAndProto) {
  EXPECT_EQ(prepared(request({})), kPlain);
  EXPECT_EQ(prepared(request({{"x-forwarded-proto", "https"}})),
            ":method=GET :path=/ :authority=h :scheme=https x-forwarded-proto=https ");
}

TEST(HeaderRules, RemovesHopByHopFields) {
  EXPECT_EQ(prepared(request({{"connection", "close, X-Gone"},
                              {"x-gone", "1"},
                              {"keep-alive", "1"},
                              {"proxy-connection", "x"},
                              {"upgrade", "h2c"},
                              {"transfer-encoding", "chunked"},
                              {"te", "gzip"}})),
            kPlain);
  EXPECT_EQ(prepared(request({{"connection", "te"}, {"te", "gzip, trailers;q=1"}})),
            std::string(kPlain).insert(std::string(kPlain).find("x-forwarded-proto"), "te=trailers "));
}

TEST(HeaderRules, AnUpgradeKeepsWhatSaysSo) {
  EXPECT_EQ(prepared(request({{"connection", "Upgrade, x-gone"},
                              {"upgrade", "websocket"},
                              {"x-gone", "1"},
                              {"keep-alive", "1"},
                              {"proxy-connection", "x"}})),
            ":method=GET :path=/ :authority=h :scheme=http connection=Upgrade, x-gone upgrade=websocket x-gone=1 "
            "x-forwarded-proto=http ");
}

TEST(HeaderRules, AnAnswerKeepsWhatSaysSoIfAnUpgradeWasLetThrough) {
  const config::Listener listener;
  HeaderRules rules(listener);
  for (const bool upgraded : {false, true}) {
    http::HeaderMap response;
    for (const auto& [name, value] : {std::pair{":status", "101"}, {"connection", "Upgrade"}, {"upgrade", "x"}})
      response.add(name, value);
    rules.prepare_response(response, request({}), "today", HttpVersion::k11, upgraded);
    EXPECT_EQ(response.has(http::HeaderId::kUpgrade), upgraded);
    EXPECT_EQ(response.has(http::HeaderId::kConnection), upgraded);
  }
}

TEST(HeaderRules, ConnectionCannotTakeAwayWhatOthersVouchFor) {
  EXPECT_EQ(prepared(request({{"connection", "x-forwarded-for, content-length, :path, host"},
                              {"x-forwarded-for", "10.0.0.1"},
                              {"content-length", "3"}})),
            ":method=GET :path=/ :authority=h :scheme=http x-forwarded-for=10.0.0.1 content-length=3 "
            "x-forwarded-proto=http ");
}

TEST(HeaderRules, FieldsOfOneEntryAreJoined) {
  HeaderMap headers = request({{"authorization", ""}, {"accept", "a"}});
  headers.add("authorization", "Bearer one");
  headers.add("x-other", "1");
  headers.add("Authorization", "Bearer two");
  headers.add("accept", "b");
  headers.add("x-other", "2");
  headers.add("x-forwarded-proto", "http");
  headers.add("x-forwarded-proto", "https");
  EXPECT_EQ(prepared(headers),
            ":method=GET :path=/ :authority=h :scheme=http authorization=Bearer one,Bearer two accept=a x-other=1 "
            "accept=b x-other=2 x-forwarded-proto=http,https ");
}

TEST(HeaderRules, AClientCannotVouchForItsOwnCertificate) {
  EXPECT_EQ(prepared(request({{"x-forwarded-client-cert", "Hash=00;URI=spiffe://mesh/ns/admin"}})), kPlain);
}

TEST(HeaderRules, RemoteAddress) {
  const auto edge = [](auto& http) { http.use_remote_address = true; };
  EXPECT_EQ(prepared(request({{"x-forwarded-for", "1.1.1.1"},
                              {"x-envoy-internal", "true"},
                              {"x-envoy-max-retries", "9"},
                              {"x-forwarded-proto", "https"}}),
                     edge),
            ":method=GET :path=/ :authority=h :scheme=http x-forwarded-for=1.1.1.1,192.0.2.7 x-forwarded-proto=http "
            "x-envoy-external-address=192.0.2.7 ");
}

// What is left of a client's own x-envoy-* fields, without those that the proxy adds. All that Envoy 1.40 knows of, and
// some that it does not; `passed` was seen there.
std::string envoy_headers_left(std::string_view forwarded_for,
                               const std::function<void(config::HttpConnectionManager&)>& change) {
  HeaderMap headers = request({});
  for (std::string_view name : {"attempt-count",
                                "decorator-operation",
                                "downstream-service-cluster",
                                "downstream-service-node",
                                "expected-rq-timeout-ms",
                                "force-trace",
                                "hedge-on-per-try-timeout",
                                "internal",
                                "ip-tags",
                                "is-timeout-retry",
                                "max-retries",
                                "original-dst-host",
                                "original-host",
                                "original-path",
                                "original-url",
                                "peer-metadata",
                                "retriable-header-names",
                                "retriable-status-codes",
                                "retry-grpc-on",
                                "retry-on",
                                "upstream-alt-stat-name",
                                "upstream-rq-per-try-timeout-ms",
                                "upstream-rq-timeout-alt-response",
                                "upstream-rq-timeout-ms",
                                "upstream-stream-duration-ms",
                                "unknown"})
    headers.add("x-envoy-" + std::string(name), "1");
  if (!forwarded_for.empty()) headers.add("x-forwarded-for", forwarded_for);
  config::Listener listener;
  if (change) change(listener.http);
  HeaderRules rules(listener);
  EXPECT_FALSE(rules.prepare_request(headers, {"192.0.2.7", 1234}, HttpVersion::k11));
  std::string left;
  for (const auto& entry : headers)
    if (entry.name.starts_with("x-envoy-") && entry.value == "1") left += std::string(entry.name.substr(8)) + " ";
  return left;
}

void trust_10_and_192(config::HttpConnectionManager& http) {
  http.internal_addresses = {{false, {10}, 8}, {false, {192, 0, 2}, 29}, {true, {0xfd}, 8}};
}

constexpr const char* kAll =
    "attempt-count decorator-operation downstream-service-cluster downstream-service-node expected-rq-timeout-ms "
    "force-trace hedge-on-per-try-timeout ip-tags is-timeout-retry max-retries original-dst-host original-host "
    "original-path original-url peer-metadata retriable-header-names retriable-status-codes retry-grpc-on retry-on "
    "upstream-alt-stat-name upstream-rq-per-try-timeout-ms upstream-rq-timeout-alt-response upstream-rq-timeout-ms "
    "upstream-stream-duration-ms unknown ";
constexpr const char* kOfAStranger =
    "attempt-count decorator-operation downstream-service-cluster downstream-service-node is-timeout-retry "
    "original-dst-host original-host original-path peer-metadata unknown ";
constexpr const char* kAtTheEdge = "attempt-count is-timeout-retry original-dst-host peer-metadata unknown ";

TEST(HeaderRules, AStrangerDoesNotSpeakToTheRouter) {
  EXPECT_EQ(envoy_headers_left("", {}), kOfAStranger);
  EXPECT_EQ(envoy_headers_left("10.0.0.1", {}), kOfAStranger) << "no address is internal unless it is said so";
  EXPECT_EQ(envoy_headers_left("", [](auto& http) { http.use_remote_address = true; }), kAtTheEdge);
}

TEST(HeaderRules, AnInternalClientMaySpeakToTheRouter) {
  EXPECT_EQ(envoy_headers_left("10.0.0.1", trust_10_and_192), kAll);
  EXPECT_EQ(envoy_headers_left(" fd00::1 ", trust_10_and_192), kAll);
  for (std::string_view no_internal : {"", "11.0.0.1", "10.0.0.1, 10.0.0.2", "10.0.0.1,", "10.0.0.1:80",
                                       "::ffff:10.0.0.1", "[fd00::1]", "010.0.0.1", "junk"})
    EXPECT_EQ(envoy_headers_left(no_internal, trust_10_and_192), kOfAStranger) << no_internal;
  const auto edge = [](auto& http) {
    trust_10_and_192(http);
    http.use_remote_address = true;
  };
  EXPECT_EQ(envoy_headers_left("", edge), kAll);
  EXPECT_EQ(envoy_headers_left("10.0.0.1", edge), kAtTheEdge) << "it came through somebody";
  EXPECT_EQ(envoy_headers_left("10.0.0.1",
                               [](auto& http) {
                                 trust_10_and_192(http);
                                 http.xff_num_trusted_hops = 1;
                               }),
            kOfAStranger);
}

TEST(HeaderRules, TheClientBehindTrustedHops) {
  const auto external = [](std::string_view forwarded_for, uint32_t hops) {
    HeaderMap headers = request({});
    if (!forwarded_for.empty()) headers.add("x-forwarded-for", forwarded_for);
    config::Listener listener;
    listener.http.use_remote_address = true;
    listener.http.xff_num_trusted_hops = hops;
    HeaderRules rules(listener);
    EXPECT_FALSE(rules.prepare_request(headers, {"192.0.2.7", 1234}, HttpVersion::k11));
    return std::string(headers.value(http::HeaderId::kXEnvoyExternalAddress));
  };
  EXPECT_EQ(external("8.8.8.8", 0), "192.0.2.7");
  EXPECT_EQ(external("", 1), "192.0.2.7");
  EXPECT_EQ(external("8.8.8.8, FD01:0::1", 1), "fd01::1");
  EXPECT_EQ(external("8.8.8.8, 1.1.1.1", 2), "8.8.8.8");
  EXPECT_EQ(external("8.8.8.8, 1.1.1.1", 3), "192.0.2.7");
  EXPECT_EQ(external("8.8.8.8, junk", 1), "192.0.2.7");
}

// As Envoy 1.40.0.
TEST(HeaderRules, WhomForwardedForNamesAsTheClient) {
  const auto client = [](std::string_view forwarded_for, bool edge, uint32_t hops) {
    HeaderMap headers = request({});
    headers.add("x-forwarded-for", forwarded_for);
    config::Listener listener;
    listener.http.use_remote_address = edge;
    listener.http.xff_num_trusted_hops = hops;
    HeaderRules rules(listener);
    EXPECT_FALSE(rules.prepare_request(headers, {"192.0.2.7", 1234}, HttpVersion::k11));
    const std::string found(rules.forwarded_client());
    HeaderMap none = request({});
    EXPECT_FALSE(rules.prepare_request(none, {"192.0.2.7", 1234}, HttpVersion::k11));
    EXPECT_EQ(rules.forwarded_client(), "") << "and not the one before it";
    return found;
  };
  EXPECT_EQ(client("8.8.8.8", false, 0), "8.8.8.8");
  EXPECT_EQ(client("8.8.8.8, 2001:DB8::1", false, 0), "2001:db8::1");
  EXPECT_EQ(client("8.8.8.8, 1.1.1.1", false, 1), "8.8.8.8");
  EXPECT_EQ(client("8.8.8.8,", false, 1), "8.8.8.8");
  EXPECT_EQ(client("8.8.8.8", true, 0), "");
  EXPECT_EQ(client("8.8.8.8, 1.1.1.1", true, 1), "1.1.1.1");
  EXPECT_EQ(client("8.8.8.8, 1.1.1.1", true, 2), "8.8.8.8");
  for (const char* none : {"", "junk", "8.8.8.8:99", "[2001:db8::1]", "8.8.8.8,"})
    EXPECT_EQ(client(none, false, 0), "");
  EXPECT_EQ(client("8.8.8.8", false, 1), "");
}

TEST(HeaderRules, AnInternalRequestSaysSoAndKeepsItsId) {
  const auto edge = [](auto& http) {
    trust_10_and_192(http);
    http.use_remote_address = true;
  };
  EXPECT_EQ(prepared(request({{"x-envoy-internal", "false"}}), edge),
            ":method=GET :path=/ :authority=h :scheme=http x-forwarded-for=192.0.2.7 x-forwarded-proto=http "
            "x-envoy-internal=true ");
  EXPECT_EQ(prepared(request({{"x-forwarded-for", ""}}), edge),
            ":method=GET :path=/ :authority=h :scheme=http x-forwarded-for=192.0.2.7 x-forwarded-proto=http "
            "x-envoy-external-address=192.0.2.7 ");
}

// A pipe's client has no IP address to tell. As Envoy 1.40.0.
TEST(HeaderRules, AClientOfAPipe) {
  const auto at_the_edge = [](HeaderMap headers, bool internal, uint32_t hops = 0) {
    config::Listener listener;
    listener.address = Address::pipe("/run/a.sock");
    listener.http.use_remote_address = true;
    listener.http.internal_pipes = internal;
    listener.http.xff_num_trusted_hops = hops;
    listener.http.generate_request_id = false;
    HeaderRules rules(listener);
    EXPECT_FALSE(rules.prepare_request(headers, listener.address, HttpVersion::k11));
    return text_of(headers) + std::string(rules.forwarded_client());
  };
  const auto forwarded = [](const char* list) { return request({{"x-forwarded-for", list}}); };
  EXPECT_EQ(at_the_edge(request({}), false), ":method=GET :path=/ :authority=h :scheme=http x-forwarded-proto=http ");
  EXPECT_EQ(at_the_edge(request({}), true),
            ":method=GET :path=/ :authority=h :scheme=http x-forwarded-proto=http x-envoy-internal=true ");
  EXPECT_EQ(at_the_edge(forwarded("1.2.3.4"), true),
            ":method=GET :path=/ :authority=h :scheme=http x-forwarded-for=1.2.3.4 x-forwarded-proto=http ");
  EXPECT_EQ(at_the_edge(forwarded("1.2.3.4, 2.2.2.2"), false, 1),
            ":method=GET :path=/ :authority=h :scheme=http x-forwarded-for=1.2.3.4, 2.2.2.2 "
            "x-envoy-external-address=2.2.2.2 x-forwarded-proto=http 2.2.2.2");
}

TEST(HeaderRules, RequestIds) {
  config::Listener listener;
  HeaderRules rules(listener);
  const std::regex uuid("[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}");
  std::set<std::string> seen;
  for (int i = 0; i < 1000; ++i) {
    HeaderMap headers = request({});
    ASSERT_FALSE(rules.prepare_request(headers, {}, HttpVersion::k11));
    const std::string id(headers.value(http::HeaderId::kXRequestId));
    ASSERT_TRUE(std::regex_match(id, uuid)) << id;
    ASSERT_TRUE(seen.insert(id).second);
  }
  HeaderMap given = request({{"x-request-id", "mine"}});
  ASSERT_FALSE(rules.prepare_request(given, {}, HttpVersion::k11));
  EXPECT_EQ(given.value(http::HeaderId::kXRequestId), "mine");
  listener.http.use_remote_address = true;
  ASSERT_FALSE(rules.prepare_request(given, {}, HttpVersion::k11));
  EXPECT_NE(given.value(http::HeaderId::kXRequestId), "mine") << "an external client's id is not trusted";
  listener.http.generate_request_id = false;
  HeaderMap none = request({});
  ASSERT_FALSE(rules.prepare_request(none, {}, HttpVersion::k11));
  EXPECT_FALSE(none.has(http::HeaderId::kXRequestId));
}

TEST(HeaderRules, Http10) {
  EXPECT_EQ(prepared(request({}), {}, HttpVersion::k10), "refused 426 low_version");
  HeaderMap headers;
  headers.add(":method", "GET");
  headers.add(":path", "/");
  EXPECT_EQ(prepared(
                headers, [](auto& http) { http.accept_http_10 = true; }, HttpVersion::k10),
            "refused 400 missing_host_header");
  EXPECT_EQ(prepared(
                headers,
                [](auto& http) {
                  http.accept_http_10 = true;
                  http.default_host_for_http_10 = "h";
                },
                HttpVersion::k10),
            kPlain);
}

TEST(HeaderRules, Underscores) {
  using Action = config::HttpConnectionManager::UnderscoreAction;
  const auto with = [](Action action) { return [action](auto& http) { http.headers_with_underscores = action; }; };
  EXPECT_EQ(prepared(request({{"a_b", "1"}}), with(Action::kRejectRequest)), "refused 400 http1.unexpected_underscore");
  EXPECT_EQ(prepared(request({{"a_b", "1"}}), with(Action::kDropHeader)), kPlain);
  EXPECT_NE(prepared(request({{"a_b", "1"}})).find("a_b=1"), std::string::npos);
}

// What is done with a path under the action; the other path rules are on, as at an edge.
std::string path_under(config::HttpConnectionManager::EscapedSlashes action, std::string_view path,
                       std::string_view content_type = "") {
  HeaderMap headers = request({{":path", path}});
  if (!content_type.empty()) headers.set("content-type", content_type);
  config::Listener listener;
  listener.http.normalize_path = listener.http.merge_slashes = true;
  listener.http.escaped_slashes = action;
  HeaderRules rules(listener);
  const auto refusal = rules.prepare_request(headers, {"192.0.2.7", 1234}, HttpVersion::k11);
  if (!refusal) return std::string(headers.value(http::HeaderId::kPath));
  std::string text = std::to_string(refusal->status) + " " + refusal->details;
  for (const auto& [name, value] : refusal->headers) text += " " + name + "=" + value;
  return text;
}

TEST(HeaderRules, EscapedSlashes) {
  using Action = config::HttpConnectionManager::EscapedSlashes;
  EXPECT_EQ(path_under(Action::kKeepUnchanged, "/a%2fb"), "/a%2fb");
  EXPECT_EQ(path_under(Action::kReject, "/a%2fb"), "400 path_normalization_failed");
  EXPECT_EQ(path_under(Action::kForward, "/x/..%2fadmin?q=%2f"), "/admin?q=%2f");
  EXPECT_EQ(path_under(Action::kRedirect, "/x/..%2fadmin?q=%2f"),
            "307 path_normalization_failed location=/admin?q=%2f");
  EXPECT_EQ(path_under(Action::kRedirect, "/%2fadmin"), "307 path_normalization_failed location=/admin");
  EXPECT_EQ(path_under(Action::kRedirect, "/a%00%2fb"), "400 path_normalization_failed");
  EXPECT_EQ(path_under(Action::kRedirect, "//a/./b"), "/a/b") << "what needs no escape is forwarded";
  for (const char* grpc : {"application/grpc", "application/grpc+proto"})
    EXPECT_EQ(path_under(Action::kRedirect, "/a%2fb", grpc), "400 path_normalization_failed") << grpc;
  EXPECT_EQ(path_under(Action::kRedirect, "/a%2fb", "application/grpc-web"),
            "307 path_normalization_failed location=/a/b");
}

TEST(HeaderRules, HostPort) {
  const auto any = [](auto& http) { http.strip_any_host_port = true; };
  const auto matching = [](auto& http) { http.strip_matching_host_port = true; };
  const auto host = [](const std::string& text) {
    const size_t at = text.find(":authority=") + 11;
    return text.substr(at, text.find(' ', at) - at);
  };
  EXPECT_EQ(host(prepared(request({{":authority", "h:81"}}), any)), "h");
  EXPECT_EQ(host(prepared(request({{":authority", "[::1]:81"}}), any)), "[::1]");
  EXPECT_EQ(host(prepared(request({{":authority", "[::1]"}}), any)), "[::1]");
  EXPECT_EQ(host(prepared(request({{":authority", "h:81"}}), matching)), "h:81");
  EXPECT_EQ(host(prepared(request({{":authority", "h:8080"}}), matching)), "h");
  // What is no port stays, so that no host is found for it; seen in Envoy 1.40.
  for (const char* odd : {"h:", "h:x", "h:80:", "h:-1", "h:99999999999"})
    EXPECT_EQ(host(prepared(request({{":authority", odd}}), any)), odd);
  EXPECT_EQ(host(prepared(request({{":authority", "h:1:2"}}), any)), "h:1");
}

TEST(HeaderRules, TrailingDotOfTheHost) {
  const auto host = [](const char* authority, bool strip_port) {
    HeaderMap headers = request({{":authority", authority}});
    config::Listener listener;
    listener.http.strip_trailing_host_dot = true;
    listener.http.strip_any_host_port = strip_port;
    HeaderRules rules(listener);
    EXPECT_FALSE(rules.prepare_request(headers, {"192.0.2.7", 1234}, HttpVersion::k11));
    return std::string(headers.value(http::HeaderId::kAuthority));
  };
  EXPECT_EQ(host("h.test.", false), "h.test");
  EXPECT_EQ(host("h.test.:80", false), "h.test:80");
  EXPECT_EQ(host("h.test.:80", true), "h.test");
  EXPECT_EQ(host("h.test", false), "h.test");
  EXPECT_EQ(host("h", false), "h");
}

TEST(HeaderRules, Responses) {
  config::Listener listener;
  listener.http.via = "1.1 p";
  listener.http.always_set_request_id_in_response = true;
  HeaderRules rules(listener);
  HeaderMap response;
  response.add(":status", "200");
  response.add("server", "origin");
  response.add("connection", "keep-alive, x-a");
  response.add("x-a", "1");
  response.add("keep-alive", "timeout=5");
  rules.prepare_response(response, request({{"x-request-id", "id"}}), "today", HttpVersion::k11);
  EXPECT_EQ(text_of(response), ":status=200 server=envoy date=today x-request-id=id via=1.1 p ");
  using ServerHeader = config::HttpConnectionManager::ServerHeader;
  const struct {
    ServerHeader rule;
    const char* without;
    const char* with;
  } table[] = {{ServerHeader::kOverwrite, "envoy", "envoy"},
               {ServerHeader::kAppendIfAbsent, "envoy", "origin"},
               {ServerHeader::kPassThrough, "", "origin"}};
  for (const auto& row : table) {
    listener.http.server_header = row.rule;
    for (bool has : {false, true}) {
      HeaderMap map;
      if (has) map.add("server", "origin");
      rules.prepare_response(map, request({}), "today", HttpVersion::k11);
      EXPECT_EQ(map.value(http::HeaderId::kServer), has ? row.with : row.without);
    }
  }
}

TEST(LocalReply, Rules) {
  const auto make = [](HeaderMap asked, host::LocalReply reply) {
    HeaderMap response;
    begin_local_reply(reply, response);
    const std::string body = finish_local_reply(kind_of(asked), std::move(reply), response);
    return text_of(response) + "[" + body + "]";
  };
  host::LocalReply reply;
  reply.status = 403;
  reply.body = "no";
  reply.headers = {{"X-A", "1"}};
  EXPECT_EQ(make(request({}), reply), ":status=403 x-a=1 content-length=2 content-type=text/plain [no]");
  EXPECT_EQ(make(request({{":method", "HEAD"}}), reply),
            ":status=403 x-a=1 content-length=2 content-type=text/plain []");
  EXPECT_EQ(make(request({{"content-type", "application/grpc+proto"}}), reply),
            ":status=200 x-a=1 content-type=application/grpc grpc-status=7 grpc-message=no []");
  reply.headers = {{"Content-Type", "a"}, {"content-type", "b"}, {"x-a", "1"}, {"x-a", "2"}};
  EXPECT_EQ(make(request({}), reply), ":status=403 content-type=a,b x-a=1 x-a=2 content-length=2 [no]");
  reply.headers = {{"content-type", "text/html"}, {"bad name", "x"}, {"bad", "x\r\ny: z"}, {":status", "200"}};
  EXPECT_EQ(make(request({}), reply), ":status=403 content-type=text/html content-length=2 [no]");
  reply.body.clear();
  EXPECT_EQ(make(request({}), reply), ":status=403 []");
  reply.status = 7;
  EXPECT_EQ(make(request({}), reply), ":status=500 []");
  reply = {};
  reply.body = "50% \n";
  reply.grpc_status = 5;
  EXPECT_EQ(make(request({{"content-type", "application/grpc"}}), reply),
            ":status=200 content-type=application/grpc grpc-status=5 grpc-message=50%25 %0A []");
}

// scheme_header_transformation: x-forwarded-proto with it, as in Envoy 1.40.0, whatever a client says.
TEST(HeaderRules, OverwritesTheScheme) {
  const auto https = [](config::HttpConnectionManager& http) { http.scheme_to_overwrite = "https"; };
  EXPECT_EQ(prepared(request({}), https), ":method=GET :path=/ :authority=h :scheme=https x-forwarded-proto=https ");
  EXPECT_NE(prepared(request({{":scheme", "http"}}), https).find(":scheme=https"), std::string::npos);
}

TEST(HeaderRules, TakesInternalHeadersFromStrangers) {
  const auto rules = [](bool edge) {
    return [edge](config::HttpConnectionManager& http) {
      http.use_remote_address = edge;
      http.internal_addresses = {{false, {10}, 8}};
      http.route_config.internal_only_headers = {"x-token", "x-internal"};
    };
  };
  const auto passes = [](const std::string& fields) { return fields.find("x-token") != std::string::npos; };
  EXPECT_FALSE(passes(prepared(request({{"x-token", "1"}, {"x-internal", "1"}}), rules(true))));
  EXPECT_FALSE(passes(prepared(request({{"x-token", "1"}}), rules(false))));
  EXPECT_TRUE(passes(prepared(request({{"x-token", "1"}, {"x-forwarded-for", "10.0.0.1"}}), rules(false))));
}

}  // namespace
}  // namespace inlay::proxy::downstream
