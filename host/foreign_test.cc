// SPDX-License-Identifier: Apache-2.0
// Foreign functions, through a guest that calls whatever a request asks for.

#include <string>

#include "base/ascii.h"
#include "base/proto_wire.h"
#include "host/foreign.h"
#include "host/foreign_fixture.h"
#include "host/guest_limits.h"

namespace inlay::host {
namespace {

using abi::Status;

class HostForeign : public ForeignTest {};
INLAY_BOTH_ENGINES(HostForeign);

TEST_P(HostForeign, CompressedBytesComeBack) {
  TestProxy proxy(options());
  auto& plugin = load(proxy, caller());
  const std::string text = "to be or not to be, to be or not to be, that is the question";
  const Answer small = call(proxy, plugin, "compress", text);
  EXPECT_EQ(small.status, Status::kOk);
  EXPECT_LT(small.result.size(), text.size());
  EXPECT_EQ(small.result.substr(0, 1), "\x78") << "a zlib stream, not gzip and not bare deflate";
  const Answer back = call(proxy, plugin, "uncompress", small.result + "what follows is ignored");
  EXPECT_EQ(back.status, Status::kOk);
  EXPECT_EQ(back.result, text);
  const Answer nothing = call(proxy, plugin, "compress", "");
  EXPECT_EQ(nothing.status, Status::kOk);
  const Answer empty = call(proxy, plugin, "uncompress", nothing.result);
  EXPECT_EQ(empty.status, Status::kOk);
  EXPECT_EQ(empty.result, "");
}

TEST_P(HostForeign, WhatIsNoZlibStreamIsASerializationFailure) {
  TestProxy proxy(options());
  auto& plugin = load(proxy, caller());
  const Answer good = call(proxy, plugin, "compress", std::string(1000, 'x'));
  EXPECT_EQ(call(proxy, plugin, "uncompress", "").status, Status::kSerializationFailure);
  EXPECT_EQ(call(proxy, plugin, "uncompress", "no stream").status, Status::kSerializationFailure);
  EXPECT_EQ(call(proxy, plugin, "uncompress", good.result.substr(0, good.result.size() - 1)).status,
            Status::kSerializationFailure);
}

// 16 MiB come out of 16 KiB; a byte more is refused, and nothing of it is kept.
TEST_P(HostForeign, ABombDoesNotGoOff) {
  TestProxy proxy(options());
  auto& plugin = load(proxy, caller());
  const Answer fits = call(proxy, plugin, "compress", std::string(limits::kCompressionBytes, '\0'));
  ASSERT_EQ(fits.status, Status::kOk);
  EXPECT_LT(fits.result.size(), 64u * 1024);
  const Answer back = call(proxy, plugin, "uncompress", fits.result);
  EXPECT_EQ(back.status, Status::kOk);
  EXPECT_EQ(back.result.size(), limits::kCompressionBytes);
  EXPECT_EQ(call(proxy, plugin, "compress", std::string(limits::kCompressionBytes + 1, '\0')).status,
            Status::kInternalFailure);
  EXPECT_EQ(proxy.log().count("compression of more than 16 MiB"), 1u) << "it is said once";
}

TEST_P(HostForeign, UnknownAndLeftOutFunctionsAreNotFound) {
  TestProxy proxy(options());
  auto& plugin = load(proxy, caller());
  EXPECT_EQ(call(proxy, plugin, "no_such_function", "").status, Status::kNotFound);
  EXPECT_EQ(call(proxy, plugin, "", "").status, Status::kNotFound);
  EXPECT_EQ(call(proxy, plugin, "expr_create", "request.path").status, Status::kNotFound);
  EXPECT_EQ(proxy.log().count("the foreign function expr_create is not there: no CEL"), 1u);
}

TEST_P(HostForeign, ProxyStateIsWhatTheProxySaysItIs) {
  TestProxy proxy(options());
  auto& plugin = load(proxy, caller());
  std::string argument;
  put_string(argument, 1, "envoy.some.object");
  put_string(argument, 2, "value");
  EXPECT_EQ(call(proxy, plugin, "set_envoy_filter_state", argument).status, Status::kNotFound);
  EXPECT_EQ(proxy.log().count("no object 'envoy.some.object' that this proxy acts on"), 1u);
  EXPECT_EQ(call(proxy, plugin, "set_envoy_filter_state", "\x0a").status, Status::kBadArgument);
  auto stream = proxy.stream(plugin, {{":path", "/"}, {"x-call", "set_envoy_filter_state"}});
  stream->proxy_state["envoy.some.object"] = "";
  stream->request_body(argument, true);
  EXPECT_EQ(stream->proxy_state["envoy.some.object"], "value");
}

// --- declare_property ---

std::string declaration(const std::string& name, bool read_only, uint64_t span) {
  std::string out;
  put_string(out, 1, name);
  put_bool(out, 2, read_only);
  put_tag(out, 3, ProtoWire::kVarint);
  put_varint(out, 1);  // String
  put_tag(out, 5, ProtoWire::kVarint);
  put_varint(out, span);
  return out;
}

std::string wat_bytes(std::string_view bytes) {
  std::string text;
  for (const char c : bytes) {
    append_hex(text += '\\', c);
  }
  return text;
}

TEST_P(HostForeign, ADeclaredPropertyIsReadOnlyAndOfTheConnection) {
  TestProxy proxy(options());
  const std::string argument = declaration("mine", true, 2);
  auto& plugin = load(
      proxy, guest(import_proxy("log", 3) + import_proxy("call_foreign_function", 6) + import_proxy("set_property", 4),
                   kLogNumber + "(data (i32.const 0) \"declare_property\")(data (i32.const 32) \"" +
                       wat_bytes(argument) + "\")(data (i32.const 96) \"mine\" \"free\")" + R"(
    (func $declare (result i32)
      (call $call_foreign_function (i32.const 0) (i32.const 16) (i32.const 32) (i32.const )" +
                       std::to_string(argument.size()) + R"() (i32.const 0) (i32.const 0)))
    (func (export "proxy_on_configure") (param i32 i32) (result i32)
      (call $log_number (call $declare)) (call $log_number (call $declare)) (i32.const 1)))" +
                       on_request_headers(R"(
      (call $log_number (call $declare)) (call $log_number (call $declare))
      (call $log_number (call $set_property (i32.const 96) (i32.const 4) (i32.const 0) (i32.const 1)))
      (call $log_number (call $set_property (i32.const 96) (i32.const 4) (i32.const 0) (i32.const 2)))
      (call $log_number (call $set_property (i32.const 100) (i32.const 4) (i32.const 0) (i32.const 1)))
      (call $log_number (call $set_property (i32.const 100) (i32.const 4) (i32.const 0) (i32.const 2))))")));
  EXPECT_EQ(story(proxy), "0 2 0 2") << "canary and worker: the second time it is declared already";
  auto stream = proxy.stream(plugin, kRequest);
  stream->request_headers();
  EXPECT_EQ(story(proxy), "0 0 0 2 0 0") << "a stream's own declaration changes nothing";
  EXPECT_EQ(stream->filter_state["wasm.mine"], "d");
  EXPECT_TRUE(stream->traits["wasm.mine"].of_connection);
  EXPECT_EQ(stream->filter_state["wasm.free"], "de");
  EXPECT_FALSE(stream->traits["wasm.free"].of_connection);
}

TEST_P(HostForeign, ADeclarationThatIsNoMessageIsABadArgument) {
  TestProxy proxy(options());
  auto& plugin = load(proxy, caller());
  EXPECT_EQ(call(proxy, plugin, "declare_property", "\x0a\xff").status, Status::kBadArgument);
}

// --- the function itself ---

TEST_P(HostForeign, AGuestNeedNotTakeTheResult) {
  TestProxy proxy(options());
  auto& plugin = load(
      proxy, guest(import_proxy("log", 3) + import_proxy("call_foreign_function", 6) + import_proxy("grpc_cancel", 1),
                   kLogNumber + R"(
    (data (i32.const 0) "clear_route_cachecompress"))" +
                       on_request_headers(R"(
      (call $log_number (call $call_foreign_function (i32.const 0) (i32.const 17) (i32.const 0) (i32.const 0) (i32.const 64) (i32.const 68)))
      (call $log_number (call $call_foreign_function (i32.const 17) (i32.const 8) (i32.const 0) (i32.const 5) (i32.const 0) (i32.const 0)))
      (call $log_number (i32.load8_u (i32.const 0)))
      (call $log_number (call $call_foreign_function (i32.const 17) (i32.const 8) (i32.const 0) (i32.const 5) (i32.const 0) (i32.const 68)))
      (call $log_number (i32.load (i32.const 68)))
      (call $log_number (call $call_foreign_function (i32.const 0) (i32.const -1) (i32.const 0) (i32.const 0) (i32.const 64) (i32.const 68)))
      (call $log_number (call $call_foreign_function (i32.const 0) (i32.const 17) (i32.const -4) (i32.const 5) (i32.const 64) (i32.const 68)))
      (call $log_number (call $call_foreign_function (i32.const 17) (i32.const 8) (i32.const 0) (i32.const 5) (i32.const -1) (i32.const 68)))
      (call $log_number (call $grpc_cancel (i32.const 1)))
      (call $log_number (call $grpc_cancel (i32.const 3))))")));
  auto stream = proxy.stream(plugin, kRequest);
  stream->request_headers();
  EXPECT_EQ(stream->route_cache_clears, 1u);
  EXPECT_EQ(story(proxy), "0 0 99 0 13 6 6 6 1 2") << "99: 'c', address 0 was not written to";
}

TEST(ForeignFunctions, EachIsDescribed) {
  for (const auto& function : foreign_functions()) EXPECT_FALSE(function.note.empty()) << function.name;
  EXPECT_EQ(find_foreign_function("nope"), nullptr);
}

}  // namespace
}  // namespace inlay::host
