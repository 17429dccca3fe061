// SPDX-License-Identifier: Apache-2.0
#include "proxy/wasm_filter/attributes.h"

#include <gtest/gtest.h>

#include <cstring>

#include "abi/pairs.h"
#include "proxy/router/route_table.h"
#include "proxy/wasm_filter/attribute.h"

namespace inlay::proxy::wasm_filter {
namespace {

using abi::Status;
using Parts = std::vector<std::string_view>;

class AttributesTest : public testing::Test {
 protected:
  AttributesTest() : clusters_config_(make_clusters()), clusters_(clusters_config_, store_, [](std::string_view) {}) {
    node_.id = "n1";
    node_.cluster = "edge";
    node_.locality.zone = "z1";
    node_.metadata = {{"NAME", "\"pod-1\""}, {"PORTS", "[80, true]"}, {"LABELS", R"({"app": "web"})"}};
    listener_.traffic_direction = config::Listener::Direction::kInbound;
    listener_.filter_chain_name = "chain";
    listener_.metadata = {{"l", R"({"k": "v"})"}};
    auto& host = routes_config_.virtual_hosts.emplace_back();
    host.name = "vh";
    host.domains = {"*"};
    host.metadata = {{"v", R"({"k": "vh value"})"}};
    auto& route = host.routes.emplace_back();
    route.name = "first";
    route.match.value = "/a";
    route.metadata = {{"r", R"({"weight": 1.5, "list": ["x", {"y": "z"}], "none": null, "on": true})"}};
    std::get<config::RouteAction>(route.action).cluster = "app";
    auto& dynamic = host.routes.emplace_back();
    dynamic.name = "second";
    dynamic.match.value = "/";
    std::get<config::RouteAction>(dynamic.action).cluster_header = "x-cluster";
    routes_ = *router::RouteTable::compile(routes_config_, [&](std::string_view name) { return clusters_.find(name); });

    options_ = {&node_, &listener_, &clusters_, false};
    request_.add(":method", "GET");
    request_.add(":path", "/a?b=c#d");
    request_.add(":authority", "h");
    request_.add("x-a", "1");
    request_.add("x-a", "2");
    request_.add("x-forwarded-proto", "http");
    response_.add(":status", "200");
    info_.connection_id = 7;
    info_.response_code = 200;
    info_.downstream_remote = &remote_;
    info_.downstream_local = &local_;
    info_.filter_state.push_back({"wasm.mine", "kept"});
    info_.filter_state.push_back({"envoy.x", "object"});
  }

  static std::vector<config::Cluster> make_clusters() {
    std::vector<config::Cluster> clusters(1);
    clusters[0].name = "app";
    clusters[0].metadata = {{"istio", R"({"services": [{"name": "s"}]})"}};
    clusters[0].endpoints.resize(2);
    clusters[0].endpoints[0].address = {"10.1.1.1", 80};
    clusters[0].endpoints[0].metadata = {{"e", R"({"k": "endpoint value"})"}};
    clusters[0].endpoints[0].locality = {"eu", "eu-1", ""};
    clusters[0].endpoints[0].locality_metadata = {{"lo", R"({"k": "locality value"})"}};
    clusters[0].endpoints[1].address = {"10.1.1.2", 80};
    return clusters;
  }

  StreamAttributes stream() const {
    StreamAttributes s{info_};
    s.now = 5'000;
    s.complete = complete_;
    s.request_headers = &request_;
    s.response_headers = &response_;
    s.response_trailers = trailers_;
    s.routes = routes_.get();
    s.routed_headers = &request_;
    return s;
  }
  std::string get(Parts path, Status expected = Status::kOk) const {
    std::string value;
    EXPECT_EQ(stream_attribute(options_, stream(), path, value), expected);
    return expected == Status::kOk ? value : "";
  }
  int64_t number(Parts path) const {
    const std::string bytes = get(path);
    int64_t n = -1;
    EXPECT_EQ(bytes.size(), sizeof n);
    if (bytes.size() == sizeof n) std::memcpy(&n, bytes.data(), sizeof n);
    return n;
  }
  // A value in the pairs form as "key=value,..."
  std::string map(Parts path) const {
    const std::string bytes = get(path);
    auto reader = abi::PairsReader::open(bytes);
    EXPECT_TRUE(reader && !bytes.empty());
    std::string text;
    for (abi::Pair p; reader && reader->next(p);)
      text += (text.empty() ? "" : ",") + std::string(p.key) + "=" + std::string(p.value);
    return text;
  }
  void send_upstream() {
    info_.upstream_cluster = "app";
    info_.upstream_host = {"10.1.1.1", 80};
    info_.upstream_local = {"10.0.0.1", 5000};
    info_.upstream_request_attempts = 1;
    info_.upstream_asked_monotonic = 100;
    info_.upstream_connected_monotonic = 150;
  }

  stats::MetricStore store_;
  config::Node node_;
  Address remote_{"10.0.0.7", 4711};
  Address local_{"10.0.0.1", 80};
  config::Listener listener_;
  std::vector<config::Cluster> clusters_config_;
  upstream::ClusterRegistry clusters_;
  config::RouteConfiguration routes_config_;
  std::shared_ptr<const router::RouteTable> routes_;
  downstream::StreamInfo info_;
  http::HeaderMap request_, response_;
  const http::HeaderMap* trailers_ = nullptr;
  bool complete_ = false;
  AttributeOptions options_;
};

TEST_F(AttributesTest, OfTheRequest) {
  request_.add("referer", "r");
  request_.add("user-agent", "u");
  request_.add("x-request-id", "i");
  request_.add(":scheme", "http");
  EXPECT_EQ(get({"request", "path"}), "/a?b=c#d");
  EXPECT_EQ(get({"request", "url_path"}), "/a");
  EXPECT_EQ(get({"request", "query"}), "b=c");
  EXPECT_EQ(get({"request", "host"}), "h");
  EXPECT_EQ(get({"request", "scheme"}), "http");
  EXPECT_EQ(get({"request", "method"}), "GET");
  EXPECT_EQ(get({"request", "referer"}), "r");
  EXPECT_EQ(get({"request", "useragent"}), "u");
  EXPECT_EQ(get({"request", "id"}), "i");
  EXPECT_EQ(get({"request", "protocol"}), "HTTP/1.1");
  info_.start_system = 1'700'000'000'000'000'001;
  EXPECT_EQ(number({"request", "time"}), 1'700'000'000'000'000'001) << "nanoseconds";
  EXPECT_EQ(number({"request", "headers_bytes"}), static_cast<int64_t>(request_.byte_size()));
  request_.remove("user-agent");
  get({"request", "useragent"}, Status::kNotFound);
  request_.set(":path", "/plain");
  EXPECT_EQ(get({"request", "query"}), "") << "there, and empty";
}

TEST_F(AttributesTest, SizesCountBytesUnlessTheLengthIsSaid) {
  info_.bytes_received = 10;
  info_.bytes_sent = 20;
  EXPECT_EQ(number({"request", "size"}), 10);
  EXPECT_EQ(number({"request", "total_size"}), 10 + static_cast<int64_t>(request_.byte_size()));
  request_.add("content-length", "99");
  EXPECT_EQ(number({"request", "size"}), 99);
  request_.set("content-length", "many");
  get({"request", "size"}, Status::kNotFound);
  http::HeaderMap trailers;
  trailers.add("t", "v");
  trailers_ = &trailers;
  EXPECT_EQ(number({"response", "size"}), 20);
  EXPECT_EQ(number({"response", "headers_bytes"}), 10);
  EXPECT_EQ(number({"response", "total_size"}), 20 + 10 + 2);
}

TEST_F(AttributesTest, ADurationExistsWhenTheRequestIsOver) {
  info_.start_monotonic = 2'000;
  get({"request", "duration"}, Status::kNotFound);
  complete_ = true;
  EXPECT_EQ(number({"request", "duration"}), 3'000);
}

TEST_F(AttributesTest, HeadersAreAMapOfListedValues) {
  EXPECT_EQ(get({"request", "headers", "x-a"}), "1,2");
  EXPECT_EQ(map({"request", "headers"}), ":method=GET,:path=/a?b=c#d,:authority=h,x-a=1,2,x-forwarded-proto=http");
  EXPECT_EQ(get({"response", "headers"}), std::string("\1\0\0\0\7\0\0\0\3\0\0\0:status\0"
                                                      "200\0",
                                                      24));
  EXPECT_EQ(get({"response", "trailers"}), std::string(4, '\0')) << "an empty map, not nothing";
  EXPECT_EQ(get({"request", "headers", "X-A"}), "1,2");
  EXPECT_EQ(get({"request", "headers", "Host"}), "h");
  get({"request", "headers", "nope"}, Status::kNotFound);
  get({"request", "headers", "x-a", "deeper"}, Status::kNotFound);
  get({"response", "trailers", "x-a"}, Status::kNotFound);
}

TEST_F(AttributesTest, OfTheResponse) {
  EXPECT_EQ(number({"response", "code"}), 200);
  info_.response_code_details = "via_upstream";
  EXPECT_EQ(get({"response", "code_details"}), "via_upstream");
  info_.response_flags = downstream::kUpstreamRequestTimeout | downstream::kNoRouteFound;
  EXPECT_EQ(number({"response", "flags"}), 0x4 | 0x100) << "Envoy's bits";
  get({"response", "backend_latency"}, Status::kNotFound);
  send_upstream();
  info_.upstream_last_byte_monotonic = 1'150;
  EXPECT_EQ(number({"response", "backend_latency"}), 1'000);
  info_.response_code = 0;
  get({"response", "code"}, Status::kNotFound);
}

TEST_F(AttributesTest, AGrpcStatusComesFromTrailersHeadersOrTheHttpStatus) {
  EXPECT_EQ(number({"response", "grpc_status"}), 2) << "of 200 without one";
  info_.response_code = 503;
  EXPECT_EQ(number({"response", "grpc_status"}), 14);
  response_.add("grpc-status", "5");
  EXPECT_EQ(number({"response", "grpc_status"}), 5);
  http::HeaderMap trailers;
  trailers.add("grpc-status", "17");
  trailers_ = &trailers;
  EXPECT_EQ(number({"response", "grpc_status"}), -1) << "no status of gRPC's";
  info_.response_code = 0;
  trailers_ = nullptr;
  response_.remove("grpc-status");
  get({"response", "grpc_status"}, Status::kNotFound);
}

TEST_F(AttributesTest, OfConnections) {
  EXPECT_EQ(get({"source", "address"}), "10.0.0.7:4711");
  EXPECT_EQ(number({"source", "port"}), 4711);
  EXPECT_EQ(get({"destination", "address"}), "10.0.0.1:80");
  EXPECT_EQ(number({"destination", "port"}), 80);
  EXPECT_EQ(number({"connection", "id"}), 7);
  EXPECT_EQ(number({"connection_id"}), 7);
  EXPECT_EQ(get({"connection", "mtls"}), std::string(1, '\0'));
  EXPECT_EQ(get({"connection", "requested_server_name"}), "");
  get({"connection", "tls_version"}, Status::kNotFound);
  get({"connection", "termination_details"}, Status::kNotFound);
}

TEST_F(AttributesTest, OfATlsHandshake) {
  net::TlsInfo tls;
  tls.version = "TLSv1.3";
  tls.server_name = "a.example";
  tls.local.subject = "CN=server";
  tls.local.dns_name = "a.example";
  info_.downstream_tls = &tls;
  EXPECT_EQ(get({"connection", "mtls"}), std::string(1, '\0'));
  EXPECT_EQ(get({"connection", "tls_version"}), "TLSv1.3");
  EXPECT_EQ(get({"connection", "requested_server_name"}), "a.example");
  EXPECT_EQ(get({"connection", "subject_local_certificate"}), "CN=server");
  EXPECT_EQ(get({"connection", "dns_san_local_certificate"}), "a.example");
  EXPECT_EQ(get({"connection", "subject_peer_certificate"}), "") << "there, and empty";
  get({"connection", "uri_san_local_certificate"}, Status::kNotFound);
  get({"connection", "sha256_peer_certificate_digest"}, Status::kNotFound);
  tls.peer.subject = "CN=client";
  tls.peer.dns_name = "c.example";
  tls.peer.uri_name = "spiffe://c";
  tls.peer_digest = "0a1b";
  EXPECT_EQ(get({"connection", "mtls"}), "\1");
  EXPECT_EQ(get({"connection", "subject_peer_certificate"}), "CN=client");
  EXPECT_EQ(get({"connection", "dns_san_peer_certificate"}), "c.example");
  EXPECT_EQ(get({"connection", "uri_san_peer_certificate"}), "spiffe://c");
  EXPECT_EQ(get({"connection", "sha256_peer_certificate_digest"}), "0a1b");
}

TEST_F(AttributesTest, OfAHandshakeThatFailed) {
  get({"connection", "transport_failure_reason"}, Status::kNotFound);
  info_.downstream_transport_failure = "TLS error: no";
  EXPECT_EQ(get({"connection", "transport_failure_reason"}), "TLS error: no");
  info_.reset();
  get({"connection", "transport_failure_reason"}, Status::kNotFound);
}

TEST_F(AttributesTest, OfTheUpstreamOnceTheRequestIsSent) {
  for (const auto* name : {"address", "port", "local_address", "transport_failure_reason", "cx_pool_ready_duration"})
    get({"upstream", name}, Status::kNotFound);
  EXPECT_EQ(number({"upstream", "request_attempt_count"}), 0);
  EXPECT_EQ(number({"upstream", "num_endpoints"}), 2) << "of the cluster that the route leads to";
  send_upstream();
  EXPECT_EQ(get({"upstream", "address"}), "10.1.1.1:80");
  EXPECT_EQ(number({"upstream", "port"}), 80);
  EXPECT_EQ(get({"upstream", "local_address"}), "10.0.0.1:5000");
  EXPECT_EQ(get({"upstream", "transport_failure_reason"}), "");
  EXPECT_EQ(number({"upstream", "request_attempt_count"}), 1);
  EXPECT_EQ(number({"upstream", "cx_pool_ready_duration"}), 50);
  info_.upstream_transport_failure = "TLS error: no";
  EXPECT_EQ(get({"upstream", "transport_failure_reason"}), "TLS error: no");
}

TEST_F(AttributesTest, OfTheUpstreamsLocality) {
  get({"upstream", "locality"}, Status::kNotFound);
  get({"xds", "upstream_host_locality_metadata"}, Status::kNotFound);
  send_upstream();
  EXPECT_EQ(get({"upstream", "locality"}),
            "\x0a\x02"
            "eu"
            "\x12\x04"
            "eu-1");
  EXPECT_EQ(get({"upstream", "locality", "region"}), "eu");
  EXPECT_EQ(get({"upstream", "locality", "zone"}), "eu-1");
  EXPECT_EQ(get({"upstream", "locality", "sub_zone"}), "");
  get({"upstream", "locality", "nope"}, Status::kNotFound);
  get({"upstream", "locality", "zone", "deeper"}, Status::kNotFound);
  EXPECT_EQ(get({"xds", "upstream_host_locality_metadata", "filter_metadata", "lo", "k"}), "locality value");
  info_.upstream_host = {"10.1.1.2", 80};
  EXPECT_EQ(get({"upstream", "locality"}), "") << "there, and empty";
  info_.upstream_host = {"10.9.9.9", 80};
  get({"upstream", "locality"}, Status::kNotFound);
}

TEST_F(AttributesTest, OfTheHandshakeWithTheUpstream) {
  send_upstream();
  const auto names = {"tls_version",
                      "subject_local_certificate",
                      "subject_peer_certificate",
                      "dns_san_local_certificate",
                      "dns_san_peer_certificate",
                      "uri_san_local_certificate",
                      "uri_san_peer_certificate",
                      "sha256_peer_certificate_digest"};
  for (const auto* name : names) get({"upstream", name}, Status::kNotFound);
  net::TlsInfo tls;
  tls.version = "TLSv1.3";
  tls.local = {"CN=me", "me.example", "spiffe://me"};
  tls.peer = {"CN=app", "app.example", "spiffe://app"};
  tls.peer_digest = "0a1b";
  info_.upstream_tls = std::make_shared<const net::TlsInfo>(tls);
  std::string all;
  for (const auto* name : names) all += get({"upstream", name}) + " ";
  EXPECT_EQ(all, "TLSv1.3 CN=me CN=app me.example app.example spiffe://me spiffe://app 0a1b ");
  get({"connection", "tls_version"}, Status::kNotFound);
  info_.reset();
  EXPECT_EQ(info_.upstream_tls, nullptr);
}

TEST_F(AttributesTest, OfTheUpstreamsFilterState) {
  get({"upstream_filter_state"}, Status::kNotFound);
  send_upstream();
  get({"upstream_filter_state"}, Status::kSerializationFailure);
  get({"upstream_filter_state", "wasm.mine"}, Status::kNotFound);
}

// The route is chosen after the filters, and is what the request would take now when a filter asks.
TEST_F(AttributesTest, TheRouteIsKnownBeforeTheRouterHasChosen) {
  EXPECT_EQ(get({"xds", "route_name"}), "first");
  EXPECT_EQ(get({"xds", "virtual_host_name"}), "vh");
  EXPECT_EQ(get({"xds", "cluster_name"}), "app");
  request_.set(":path", "/other");
  EXPECT_EQ(get({"xds", "route_name"}), "second");
  get({"xds", "cluster_name"}, Status::kNotFound);
  request_.add("x-cluster", "app");
  EXPECT_EQ(get({"xds", "cluster_name"}), "app");
  request_.set(":path", "*");
  get({"xds", "route_name"}, Status::kNotFound);
  info_.upstream_cluster = "app";
  EXPECT_EQ(get({"xds", "cluster_name"}), "app") << "the router has chosen";
}

TEST_F(AttributesTest, MetadataIsAMessageOfMaps) {
  // filter_metadata {key: "v" value {fields {key: "k" value {string_value: "vh value"}}}}
  EXPECT_EQ(get({"xds", "virtual_host_metadata"}),
            "\x0a\x16\x0a\x01v\x12\x11\x0a\x0f\x0a\x01k\x12\x0a\x1a\x08vh value");
  EXPECT_EQ(get({"xds", "virtual_host_metadata", "filter_metadata", "v", "k"}), "vh value");
  EXPECT_EQ(map({"xds", "virtual_host_metadata", "filter_metadata", "v"}), "k=vh value");
  EXPECT_EQ(get({"xds", "listener_metadata", "filter_metadata", "l", "k"}), "v");
  EXPECT_EQ(get({"xds", "cluster_metadata", "filter_metadata", "istio", "services", "0", "name"}), "s");
  EXPECT_EQ(map({"xds", "cluster_metadata", "typed_filter_metadata"}), "");
  get({"xds", "cluster_metadata", "istio"}, Status::kNotFound);
  get({"xds", "upstream_host_metadata"}, Status::kNotFound);
  send_upstream();
  EXPECT_EQ(get({"xds", "upstream_host_metadata", "filter_metadata", "e", "k"}), "endpoint value");
  info_.upstream_host = {"10.1.1.2", 80};  // without any
  get({"xds", "upstream_host_metadata"}, Status::kSerializationFailure);
  get({"xds", "upstream_host_metadata", "filter_metadata"}, Status::kNotFound);
}

TEST_F(AttributesTest, ValuesOfStructsAreEncodedByTheirKind) {
  const auto at = [&](std::vector<std::string_view> rest, Status expected = Status::kOk) {
    Parts path = {"xds", "route_metadata", "filter_metadata", "r"};
    path.insert(path.end(), rest.begin(), rest.end());
    return get(path, expected);
  };
  double weight = 0;
  ASSERT_EQ(at({"weight"}).size(), sizeof weight);
  std::memcpy(&weight, at({"weight"}).data(), sizeof weight);
  EXPECT_EQ(weight, 1.5);
  EXPECT_EQ(at({"on"}), "\1");
  EXPECT_EQ(at({"list", "0"}), "x");
  EXPECT_EQ(at({"list", "1", "y"}), "z");
  EXPECT_EQ(map({"xds", "route_metadata", "filter_metadata", "r", "list", "1"}), "y=z");
  at({"list", "2"}, Status::kNotFound);
  at({"list", "-1"}, Status::kNotFound);
  at({"list", "x"}, Status::kNotFound);
  at({"weight", "deeper"}, Status::kNotFound);
  at({"none"}, Status::kSerializationFailure);
  at({}, Status::kSerializationFailure);  // there is a null in it
}

TEST_F(AttributesTest, OfTheNode) {
  EXPECT_EQ(get({"xds", "node", "id"}), "n1");
  EXPECT_EQ(get({"xds", "node", "cluster"}), "edge");
  EXPECT_EQ(get({"xds", "node", "metadata", "NAME"}), "pod-1");
  EXPECT_EQ(get({"xds", "node", "metadata", "LABELS", "app"}), "web");
  EXPECT_EQ(map({"xds", "node", "metadata", "LABELS"}), "app=web");
  EXPECT_EQ(get({"xds", "node", "locality", "zone"}), "z1");
  EXPECT_EQ(get({"xds", "node", "locality"}), "\x12\x02z1");
  EXPECT_EQ(get({"xds", "node", "user_agent_name"}), "");
  get({"xds", "node", "nope"}, Status::kNotFound);
  get({"xds", "node", "id", "deeper"}, Status::kNotFound);
  get({"xds", "node", "metadata", "nope"}, Status::kNotFound);
}

TEST_F(AttributesTest, OfTheListener) {
  EXPECT_EQ(number({"xds", "listener_direction"}), 1);
  EXPECT_EQ(get({"xds", "filter_chain_name"}), "chain");
}

TEST_F(AttributesTest, WhatIsNotThere) {
  for (const auto* root :
       {"request", "response", "connection", "upstream", "source", "destination", "xds", "filter_state"})
    get({root}, Status::kSerializationFailure);
  get({}, Status::kSerializationFailure);
  get({"request", "nope"}, Status::kNotFound);
  get({"nope"}, Status::kNotFound);
  get({"nope", "x"}, Status::kNotFound);
  get({"connection_id", "x"}, Status::kNotFound);
  for (const auto& root : attribute_roots()) {
    for (const Attribute& attribute : root.attributes()) {
      if (attribute.kind == AttributeKind::kMap || attribute.kind == AttributeKind::kMessage) continue;
      get({root.name, attribute.name, "x"}, Status::kNotFound);
    }
  }
  get({"upstream_filter_state"}, Status::kNotFound);
  get({"upstream_filter_state", "wasm.mine"}, Status::kNotFound);
  EXPECT_EQ(get({"metadata"}), "") << "dynamic metadata: a message that is there and empty";
  EXPECT_EQ(map({"metadata", "filter_metadata"}), "");
  get({"metadata", "filter_metadata", "x"}, Status::kNotFound);
}

TEST_F(AttributesTest, FilterState) {
  EXPECT_EQ(get({"mine"}), "kept");
  EXPECT_EQ(get({"filter_state", "wasm.mine"}), "kept");
  EXPECT_EQ(get({"filter_state", "envoy.x"}), "object");
  get({"filter_state", "mine"}, Status::kNotFound);
  get({"envoy.x"}, Status::kNotFound);
  get({"mine", "x"}, Status::kNotFound);
}

TEST_F(AttributesTest, LegacyNamesOnlyWhenAsked) {
  get({"node", "id"}, Status::kNotFound);
  options_.legacy = true;
  EXPECT_EQ(get({"node", "id"}), "n1");
  EXPECT_EQ(get({"cluster_name"}), "app");
  EXPECT_EQ(get({"route_name"}), "first");
  EXPECT_EQ(number({"listener_direction"}), 1);
}

TEST_F(AttributesTest, ARootContextSeesTheNodeOnly) {
  const auto root = [&](Parts path) {
    std::string value;
    const Status status = root_attribute(options_, path, value);
    return status == Status::kOk ? value : "status " + std::to_string(static_cast<uint32_t>(status));
  };
  EXPECT_EQ(root({"xds", "node", "cluster"}), "edge");
  EXPECT_EQ(root({"xds"}), "status 3");
  for (const auto* name : {"cluster_name", "cluster_metadata", "route_name", "route_metadata", "virtual_host_name",
                           "upstream_host_metadata", "listener_direction", "listener_metadata", "filter_chain_name"})
    EXPECT_EQ(root({"xds", name}), "status 1") << name;
  EXPECT_EQ(root({"request", "path"}), "status 1");
  EXPECT_EQ(root({"filter_state", "wasm.mine"}), "status 1");
}

TEST_F(AttributesTest, HeadersThatAreOutOfSight) {
  StreamAttributes s = stream();
  s.request_headers = s.response_headers = nullptr;
  std::string value;
  EXPECT_EQ(stream_attribute(options_, s, Parts{"request", "path"}, value), Status::kNotFound);
  EXPECT_EQ(stream_attribute(options_, s, Parts{"request", "headers", "x-a"}, value), Status::kNotFound);
  EXPECT_EQ(stream_attribute(options_, s, Parts{"request", "headers"}, value), Status::kOk);
  EXPECT_EQ(value, std::string(4, '\0'));
  EXPECT_EQ(stream_attribute(options_, s, Parts{"xds", "route_name"}, value), Status::kOk) << "does not need them";
}

}  // namespace
}  // namespace inlay::proxy::wasm_filter
