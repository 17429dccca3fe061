// SPDX-License-Identifier: Apache-2.0
#include "proxy/router/route_table.h"

#include <gtest/gtest.h>

#include "proxy/router/redirect.h"

namespace inlay::proxy::router {
namespace {

using Kind = config::RouteMatch::Kind;

config::Route route(std::string name, Kind kind, std::string value) {
  config::Route r;
  r.name = std::move(name);
  r.match.kind = kind;
  r.match.value = std::move(value);
  config::RouteAction action;
  action.cluster = "c";
  r.action = action;
  return r;
}

config::RedirectAction redirect(void (*set)(config::RedirectAction&)) {
  config::RedirectAction action;
  set(action);
  return action;
}

config::VirtualHost host(std::string name, std::vector<std::string> domains) {
  config::VirtualHost v;
  v.name = name;
  v.domains = std::move(domains);
  v.routes.push_back(route(name, Kind::kPrefix, "/"));
  return v;
}

http::HeaderMap request(std::string_view authority, std::string_view path) {
  http::HeaderMap h;
  h.add(":method", "GET");
  h.add(":path", path);
  h.add(":authority", authority);
  h.add(":scheme", "http");
  h.add("x-forwarded-proto", "http");
  return h;
}

class RouteTableTest : public testing::Test {
 protected:
  std::string match(std::string_view authority, std::string_view path) {
    auto table = RouteTable::compile(config_, [](std::string_view) { return std::optional<size_t>(0); });
    if (!table) return table.error().to_string();
    const RouteEntry* entry = (*table)->match(request(authority, path));
    return entry == nullptr ? "none" : entry->config->name;
  }
  config::RouteConfiguration config_;
};

// Seen in Envoy 1.40: nothing is too long to be matched.
TEST_F(RouteTableTest, LongHosts) {
  config_.virtual_hosts = {host("any", {"*"}), host("suffix", {"*.search.local"}), host("prefix", {"www.*"}),
                           host("exact", {std::string(300, 'b') + ".local"})};
  for (size_t length : {240u, 241u, 242u, 243u, 244u, 300u, 60'000u}) {
    const std::string label(length, 'A');
    EXPECT_EQ(match(label + ".SEARCH.local", "/"), "suffix") << length;
    EXPECT_EQ(match("WWW." + label, "/"), "prefix") << length;
    EXPECT_EQ(match(label, "/"), "any") << length;
  }
  EXPECT_EQ(match(std::string(300, 'B') + ".local", "/"), "exact");
}

TEST_F(RouteTableTest, WithoutXForwardedProtoThereIsNoRoute) {
  config_.virtual_hosts = {host("any", {"*"})};
  const auto table = RouteTable::compile(config_, [](std::string_view) { return std::optional<size_t>(0); });
  ASSERT_TRUE(table);
  http::HeaderMap headers = request("a", "/");
  EXPECT_NE((*table)->match(headers), nullptr);
  headers.set("x-forwarded-proto", "");  // as a client may send it
  EXPECT_EQ((*table)->match(headers), nullptr);
  headers.remove("x-forwarded-proto");
  EXPECT_EQ((*table)->match(headers), nullptr);
}

// Seen in Envoy 1.40.
TEST_F(RouteTableTest, PortsOfHosts) {
  config_.virtual_hosts = {host("any", {"*"}), host("billing", {"billing.local"}),
                           host("ported", {"ported.local:8080"}), host("v6", {"[::1]"})};
  for (const char* other : {"billing.local:1", "billing.local:", "billing.local:80", "billing.local.", "[::1]:8"})
    EXPECT_EQ(match(other, "/"), "any") << other;
  EXPECT_EQ(match("ported.local:8080", "/"), "ported");
  config_.ignore_port_in_host_matching = true;
  for (const char* same : {"billing.local", "billing.local:1", "billing.local:", "BILLING.local:80", "billing.local:x"})
    EXPECT_EQ(match(same, "/"), "billing") << same;
  EXPECT_EQ(match("[::1]:8", "/"), "v6");
  EXPECT_EQ(match("[::1]", "/"), "v6");
  for (const char* other : {"billing.local.", "billing.local:1:2", "ported.local:8080", "::1"})
    EXPECT_EQ(match(other, "/"), "any") << other;
}

TEST_F(RouteTableTest, TheMostSpecificFilterSwitchCounts) {
  config_.virtual_hosts = {host("v", {"*"})};
  config::Route& route = config_.virtual_hosts[0].routes[0];
  const auto switched = [&](const char* filter) {
    auto table = RouteTable::compile(config_, [](std::string_view) { return std::optional<size_t>(0); });
    EXPECT_EQ((*table)->switches_filters(), true);
    return (*table)->match(request("h", "/"))->filter_switch(filter);
  };
  config_.filter_switches = {{"a", true}, {"b", true}, {"c", true}};
  config_.virtual_hosts[0].filter_switches = {{"a", false}, {"b", false}};
  route.filter_switches = {{"a", true}};
  EXPECT_EQ(switched("a"), true);
  EXPECT_EQ(switched("b"), false);
  EXPECT_EQ(switched("c"), true);
  EXPECT_EQ(switched("d"), std::nullopt);
}

TEST_F(RouteTableTest, VirtualHostsByTheirDomains) {
  config_.virtual_hosts = {host("any", {"*"}), host("suffix", {"*.example.com"}),
                           host("longer suffix", {"*.api.example.com"}), host("prefix", {"api.*"}),
                           host("exact", {"api.example.com", "[::1]:80"})};
  EXPECT_EQ(match("api.example.com", "/"), "exact");
  EXPECT_EQ(match("API.Example.COM", "/"), "exact");
  EXPECT_EQ(match("[::1]:80", "/"), "exact");
  EXPECT_EQ(match("www.example.com", "/"), "suffix");
  EXPECT_EQ(match("v1.api.example.com", "/"), "longer suffix");
  EXPECT_EQ(match("api.test", "/"), "prefix");
  EXPECT_EQ(match(".example.com", "/"), "any") << "a wildcard stands for at least one character";
  EXPECT_EQ(match("api.example.com:8080", "/"), "prefix") << "the port belongs to the name";
  EXPECT_EQ(match(std::string(1000, 'a'), "/"), "any");
}

TEST_F(RouteTableTest, PortsAreIgnoredWhenAsked) {
  config_.virtual_hosts = {host("exact", {"example.com"}), host("v6", {"[::1]"})};
  EXPECT_EQ(match("example.com:8080", "/"), "none");
  config_.ignore_port_in_host_matching = true;
  EXPECT_EQ(match("example.com:8080", "/"), "exact");
  EXPECT_EQ(match("[::1]:8080", "/"), "v6");
  EXPECT_EQ(match("[::1]", "/"), "v6");
}

TEST_F(RouteTableTest, TheFirstRouteThatMatchesWins) {
  auto v = host("v", {"*"});
  v.routes = {route("path", Kind::kPath, "/exact"), route("separated", Kind::kPathSeparatedPrefix, "/api"),
              route("regex", Kind::kSafeRegex, "/r/[0-9]+"), route("prefix", Kind::kPrefix, "/p"),
              route("late", Kind::kPrefix, "/p/q")};
  config_.virtual_hosts = {v};
  EXPECT_EQ(match("h", "/exact?q=1"), "path");
  EXPECT_EQ(match("h", "/exact/more"), "none");
  EXPECT_EQ(match("h", "/api"), "separated");
  EXPECT_EQ(match("h", "/api/x"), "separated");
  EXPECT_EQ(match("h", "/apix"), "none");
  EXPECT_EQ(match("h", "/r/12?x=/"), "regex");
  EXPECT_EQ(match("h", "/r/12a"), "none");
  EXPECT_EQ(match("h", "/p/q"), "prefix");
  EXPECT_EQ(match("h", "/EXACT"), "none");
}

TEST_F(RouteTableTest, CaseHeadersAndQuery) {
  auto v = host("v", {"*"});
  v.routes = {route("insensitive", Kind::kPrefix, "/Abc"), route("query", Kind::kPrefix, "/"),
              route("header", Kind::kPrefix, "/")};
  v.routes[0].match.case_sensitive = false;
  v.routes[1].match.query_parameters = {{"q", std::nullopt}};
  config::HeaderMatcher method;
  method.name = ":method";
  method.kind = config::HeaderMatcher::Kind::kString;
  method.string.value = "GET";
  v.routes[2].match.headers.push_back(method);
  config_.virtual_hosts = {v};
  EXPECT_EQ(match("h", "/aBC/d"), "insensitive");
  EXPECT_EQ(match("h", "/?q=1"), "query");
  EXPECT_EQ(match("h", "/?r=1"), "header");
}

TEST_F(RouteTableTest, MistakesNameTheirPlace) {
  auto v = host("edge", {"*"});
  v.routes[0].request_headers.add.push_back({"x-a", "%NOPE%"});
  config_.virtual_hosts = {v};
  EXPECT_EQ(match("h", "/"),
            "virtual host 'edge', route 'edge', header 'x-a': in '%NOPE%': there is no operator `%NOPE%`");
}

TEST_F(RouteTableTest, RewritesPaths) {
  struct Case {
    Kind kind;
    const char* value;
    const char* prefix;
    const char* regex;
    const char* path;
    const char* expected;
  };
  const Case cases[] = {
      {Kind::kPrefix, "/api/", "/", nullptr, "/api/v1?x=1", "/v1?x=1"},
      {Kind::kPrefix, "/api", "/new", nullptr, "/api", "/new"},
      {Kind::kPath, "/old", "/new", nullptr, "/old?a", "/new?a"},
      {Kind::kPathSeparatedPrefix, "/a", "/b", nullptr, "/a/c", "/b/c"},
      {Kind::kPrefix, "/", "", "/([a-z]+)/([0-9]+)", "/u/7?x=/a/1", "/7/u?x=/a/1"},
      {Kind::kPrefix, "/", "", nullptr, "/same", nullptr},
  };
  for (const Case& c : cases) {
    auto v = host("v", {"*"});
    v.routes = {route("r", c.kind, c.value)};
    auto& action = std::get<config::RouteAction>(v.routes[0].action);
    action.prefix_rewrite = c.prefix;
    if (c.regex != nullptr) action.regex_rewrite = {c.regex, "/\\2/\\1"};
    config_.virtual_hosts = {v};
    const auto table = RouteTable::compile(config_, [](std::string_view) { return std::optional<size_t>(0); });
    ASSERT_TRUE(table);
    const RouteEntry* entry = (*table)->match(request("h", c.path));
    ASSERT_NE(entry, nullptr) << c.path;
    std::string out;
    ASSERT_EQ(entry->rewrite_path(c.path, out), c.expected != nullptr) << c.path;
    if (c.expected != nullptr) {
      EXPECT_EQ(out, c.expected);
    }
  }
}

TEST_F(RouteTableTest, RedirectLocations) {
  struct Case {
    config::RedirectAction action;
    const char* authority;
    const char* path;
    const char* expected;
  };
  const Case cases[] = {
      {redirect([](auto& a) { a.https_redirect = true; }), "a.com", "/x?y", "https://a.com/x?y"},
      {redirect([](auto& a) { a.https_redirect = true; }), "a.com:80", "/", "https://a.com/"},
      {redirect([](auto& a) { a.https_redirect = true; }), "a.com:8080", "/", "https://a.com:8080/"},
      {redirect([](auto& a) { a.https_redirect = true, a.port_redirect = 8443; }), "a.com:8080", "/",
       "https://a.com:8443/"},
      {redirect([](auto& a) { a.scheme_redirect = "ftp"; }), "a.com", "/", "ftp://a.com/"},
      {redirect([](auto& a) { a.host_redirect = "b.org"; }), "a.com:99", "/p", "http://b.org:99/p"},
      {redirect([](auto& a) { a.path_redirect = "/new"; }), "a.com", "/old?q=1", "http://a.com/new?q=1"},
      {redirect([](auto& a) { a.path_redirect = "/new?z=2"; }), "a.com", "/old?q=1", "http://a.com/new?z=2"},
      {redirect([](auto& a) { a.path_redirect = "/new", a.strip_query = true; }), "a.com", "/old?q=1",
       "http://a.com/new"},
      {redirect([](auto& a) { a.prefix_rewrite = "/b/"; }), "[::1]:80", "/a?q", "http://[::1]:80/b/a?q"},
  };
  for (const Case& c : cases) {
    auto v = host("v", {"*"});
    v.routes[0].action = c.action;
    config_.virtual_hosts = {v};
    const auto table = RouteTable::compile(config_, [](std::string_view) { return std::optional<size_t>(); });
    ASSERT_TRUE(table);
    const auto headers = request(c.authority, c.path);
    const RouteEntry* entry = (*table)->match(headers);
    ASSERT_NE(entry, nullptr);
    EXPECT_EQ(redirect_location(*entry, headers), c.expected);
  }
}

class HeaderEditsTest : public testing::Test {
 protected:
  std::string apply(const config::HeaderEdits& level, const config::HeaderEdits* second = nullptr) {
    std::vector<const config::HeaderEdits*> levels = {&level};
    if (second != nullptr) levels.push_back(second);
    const auto edits = HeaderEdits::compile(levels);
    http::HeaderMap headers;
    headers.add("a", "1");
    downstream::StreamInfo info;
    std::string scratch;
    edits->apply(headers, {&headers, nullptr, &info, 0}, scratch);
    std::string out;
    for (const auto& e : headers) out += std::string(e.name) + "=" + std::string(e.value) + " ";
    return out;
  }
};

TEST_F(HeaderEditsTest, Actions) {
  using Action = config::HeaderToAdd::Action;
  EXPECT_EQ(apply({{{"A", "2"}}, {}}), "a=1 a=2 ");
  EXPECT_EQ(apply({{{"a", "2", Action::kAddIfAbsent}, {"b", "3", Action::kAddIfAbsent}}, {}}), "a=1 b=3 ");
  EXPECT_EQ(apply({{{"a", "2", Action::kOverwriteIfExistsOrAdd}}, {}}), "a=2 ");
  EXPECT_EQ(apply({{{"b", "2", Action::kOverwriteIfExists}}, {}}), "a=1 ");
  EXPECT_EQ(apply({{{"b", "%REQ(A)%!"}}, {}}), "a=1 b=1! ");
  EXPECT_EQ(apply({{{"b", "%REQ(NONE)%"}}, {}}), "a=1 ") << "an empty value is left out";
  EXPECT_EQ(apply({{{"b", "", Action::kAppendIfExistsOrAdd, true}}, {}}), "a=1 b= ");
}

TEST_F(HeaderEditsTest, EachLevelRemovesBeforeItAdds) {
  EXPECT_EQ(apply({{{"a", "2"}}, {"A"}}), "a=2 ");
  const config::HeaderEdits second{{}, {"a"}};
  EXPECT_EQ(apply({{{"a", "2"}}, {}}, &second), "");
}

}  // namespace
}  // namespace inlay::proxy::router
