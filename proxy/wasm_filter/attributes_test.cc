// SPDX-License-Identifier: Apache-2.0
#include "proxy/wasm_filter/attributes.h"

#include <gtest/gtest.h>

#include <cstring>

#include "proxy/router/route_table.h"
#include "proxy/wasm_filter/proto_encoding.h"

namespace inlay::proxy::wasm_filter {
namespace {

using abi::Status;

// A stream that has what the attributes read.
class FakeCallbacks final : public http::FilterCallbacks {
 public:
  net::EventLoop& loop() override { return loop_; }
  http::StreamInfo& info() override { return info_; }
  const config::Listener& listener() override { return listener_; }
  host::HeaderMap* request_headers() override { return &request; }
  host::HeaderMap* request_trailers() override { return nullptr; }
  host::HeaderMap* response_headers() override { return &response; }
  host::HeaderMap* response_trailers() override { return nullptr; }
  host::HeaderMap* add_request_trailers() override { return nullptr; }
  host::HeaderMap* add_response_trailers() override { return nullptr; }
  host::Buffer* buffered_request_body() override { return nullptr; }
  host::Buffer* buffered_response_body() override { return nullptr; }
  void continue_decoding() override {}
  void continue_encoding() override {}
  void send_local_reply(host::LocalReply) override {}
  void reset_stream(std::string_view) override {}
  host::HeaderMap& response_storage() override { return response; }
  host::HeaderMap& response_trailers_storage() override { return response; }
  void encode_headers(bool) override {}
  void encode_data(host::Buffer&, bool) override {}
  void encode_trailers() override {}
  void encode_100_continue() override {}
  void pause_request() override {}
  void resume_request() override {}
  uint32_t buffer_limit() override { return 0; }

  net::EventLoop loop_;
  http::StreamInfo info_;
  config::Listener listener_;
  host::HeaderMap request, response;
};

class AttributesTest : public testing::Test {
 protected:
  AttributesTest() : clusters_(1) {
    node_.id = "n1";
    node_.cluster = "edge";
    node_.metadata = {{"NAME", "\"pod-1\""}, {"PORTS", "[80, true]"}, {"LABELS", R"({"app": "web"})"}};
    clusters_[0].name = "app";
    clusters_[0].metadata = {{"istio", R"({"services": {"name": "s"}})"}};
    clusters_[0].endpoints.resize(1);
    clusters_[0].endpoints[0].address = {"10.1.1.1", 80};
    callbacks_.listener_.traffic_direction = config::Listener::Direction::kInbound;
    options_ = {&node_, &callbacks_.listener_, &clusters_, false};
    callbacks_.request.add(":method", "GET");
    callbacks_.request.add(":path", "/a?b=c");
    callbacks_.request.add(":authority", "h");
    callbacks_.request.add("x-a", "1");
    callbacks_.response.add(":status", "200");
    auto& info = callbacks_.info_;
    info.connection_id = 7;
    info.response_code = 200;
    info.downstream_remote = &remote_;
    info.upstream_cluster = "app";
    info.upstream_host = {"10.1.1.1", 80};
    info.filter_state.push_back({"wasm.mine", "kept"});
  }
  std::string get(Path path, Status expected = Status::kOk) {
    std::string value;
    EXPECT_EQ(stream_attribute(options_, callbacks_, path, value), expected);
    return value;
  }
  static int64_t number(const std::string& bytes) {
    int64_t n = -1;
    EXPECT_EQ(bytes.size(), sizeof n);
    if (bytes.size() == sizeof n) std::memcpy(&n, bytes.data(), sizeof n);
    return n;
  }

  config::Node node_;
  config::Address remote_{"10.0.0.7", 4711};
  std::vector<config::Cluster> clusters_;
  FakeCallbacks callbacks_;
  AttributeOptions options_;
};

TEST_F(AttributesTest, Strings) {
  EXPECT_EQ(get({"request", "path"}), "/a?b=c");
  EXPECT_EQ(get({"request", "url_path"}), "/a");
  EXPECT_EQ(get({"request", "query"}), "b=c");
  EXPECT_EQ(get({"request", "method"}), "GET");
  EXPECT_EQ(get({"request", "headers", "x-a"}), "1");
  EXPECT_EQ(get({"request", "protocol"}), "HTTP/1.1");
  EXPECT_EQ(get({"source", "address"}), "10.0.0.7:4711");
  EXPECT_EQ(get({"upstream", "address"}), "10.1.1.1:80");
  EXPECT_EQ(get({"xds", "cluster_name"}), "app");
  EXPECT_EQ(get({"xds", "node", "id"}), "n1");
  EXPECT_EQ(get({"xds", "node", "metadata", "NAME"}), "pod-1");
  EXPECT_EQ(get({"xds", "cluster_metadata", "filter_metadata", "istio", "services", "name"}), "s");
  EXPECT_EQ(get({"request", "method", ""}), "GET") << "some guests send a trailing NUL";
}

TEST_F(AttributesTest, NumbersAreLittleEndian) {
  EXPECT_EQ(number(get({"response", "code"})), 200);
  EXPECT_EQ(number(get({"source", "port"})), 4711);
  EXPECT_EQ(number(get({"connection_id"})), 7);
  EXPECT_EQ(number(get({"xds", "listener_direction"})), 1);
  EXPECT_EQ(get({"connection", "mtls"}), std::string(1, '\0'));
}

TEST_F(AttributesTest, MapsAreInThePairsForm) {
  const std::string bytes = get({"response", "headers"});
  EXPECT_EQ(bytes, std::string("\1\0\0\0\7\0\0\0\3\0\0\0:status\0"
                               "200\0",
                               24));
}

TEST_F(AttributesTest, WhatIsNotThere) {
  get({"request"}, Status::kSerializationFailure);
  get({"xds"}, Status::kSerializationFailure);
  get({"request", "nope"}, Status::kNotFound);
  get({"request", "headers", "nope"}, Status::kNotFound);
  get({"request", "useragent"}, Status::kNotFound);
  get({"nope"}, Status::kNotFound);
  get({}, Status::kNotFound);
  get({"metadata", "filter_metadata"}, Status::kNotFound);
  get({"xds", "route_name"}, Status::kNotFound);
}

TEST_F(AttributesTest, FilterState) {
  EXPECT_EQ(get({"mine"}), "kept");
  EXPECT_EQ(get({"filter_state", "wasm.mine"}), "kept");
  get({"filter_state", "mine"}, Status::kNotFound);
  get({"mine", "x"}, Status::kNotFound);
}

TEST_F(AttributesTest, LegacyNamesOnlyWhenAsked) {
  get({"node", "id"}, Status::kNotFound);
  options_.legacy = true;
  EXPECT_EQ(get({"node", "id"}), "n1");
  EXPECT_EQ(get({"cluster_name"}), "app");
}

TEST_F(AttributesTest, ARootContextSeesXdsOnly) {
  std::string value;
  EXPECT_EQ(root_attribute(options_, {"xds", "node", "cluster"}, value), Status::kOk);
  EXPECT_EQ(value, "edge");
  EXPECT_EQ(root_attribute(options_, {"request", "path"}, value), Status::kNotFound);
  EXPECT_EQ(root_attribute(options_, {"xds", "cluster_name"}, value), Status::kNotFound);
}

TEST(ProtoEncoding, StructsAreProtobuf) {
  // fields {key: "a" value {string_value: "b"}}
  EXPECT_EQ(struct_bytes(R"({"a": "b"})"), std::string("\x0a\x08\x0a\x01\x61\x12\x03\x1a\x01\x62", 10));
  EXPECT_EQ(struct_bytes("[1]"), "");
  EXPECT_EQ(struct_bytes("{"), "");
}

TEST(ProtoEncoding, ANodeHasItsFields) {
  config::Node node;
  node.id = "i";
  node.zone = "z";
  EXPECT_EQ(node_bytes(node), std::string("\x0a\x01i\x22\x03\x12\x01z", 8));
}

TEST(ProtoEncoding, ValuesInJson) {
  const auto get = [](std::string_view json, std::vector<std::string_view> path) {
    std::string value;
    return json_attribute(json, path, value) == Status::kOk ? value : "none";
  };
  EXPECT_EQ(get(R"({"a": {"b": "c"}})", {"a", "b"}), "c");
  EXPECT_EQ(get(R"({"a": true})", {"a"}), "\1");
  EXPECT_EQ(get(R"({"a": null})", {"a"}), "none");
  EXPECT_EQ(get(R"({"a": 1})", {"a", "b"}), "none");
  EXPECT_EQ(get(R"(not json)", {}), "none");
}

}  // namespace
}  // namespace inlay::proxy::wasm_filter
