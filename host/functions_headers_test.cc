// SPDX-License-Identifier: Apache-2.0
// Header functions and header callbacks, on guests in text form.

#include "http/header_fault.h"
#include "testkit/guest_fixture.h"

namespace inlay::host {
using namespace testkit;  // NOLINT: tests only
namespace {

using abi::HeadersStatus;

class HostHeaders : public GuestTest {};
INLAY_BOTH_ENGINES(HostHeaders);

const HeaderList kRequest = {{":method", "GET"}, {":path", "/"}, {":authority", "a"}};

std::string on_request_headers(const std::string& body) {
  return "(func (export \"proxy_on_request_headers\") (param i32 i32 i32) (result i32)" + body + ")";
}
std::string on_response_headers(const std::string& body) {
  return "(func (export \"proxy_on_response_headers\") (param i32 i32 i32) (result i32)" + body + ")";
}

TEST_P(HostHeaders, AddReplaceRemoveEditTheMapInPlace) {
  TestProxy proxy(options());
  auto& plugin =
      load(proxy, guest(import_proxy("add_header_map_value", 5) + import_proxy("replace_header_map_value", 5) +
                            import_proxy("remove_header_map_value", 3),
                        R"((data (i32.const 0) "X-Onevaluex-gone"))" + on_request_headers(R"(
      (drop (call $add_header_map_value (i32.const 0) (i32.const 0) (i32.const 5) (i32.const 5) (i32.const 5)))
      (drop (call $replace_header_map_value (i32.const 0) (i32.const 0) (i32.const 5) (i32.const 6) (i32.const 3)))
      (drop (call $remove_header_map_value (i32.const 0) (i32.const 10) (i32.const 6)))
      (i32.const 0))")));
  HeaderList headers = kRequest;
  headers.emplace_back("x-gone", "1");
  auto stream = proxy.stream(plugin, headers);
  EXPECT_EQ(stream->request_headers(), HeadersStatus::kContinue);
  EXPECT_EQ(stream->request.get("x-one"), "alu");
  EXPECT_EQ(stream->request.count("x-one"), 1u);
  EXPECT_FALSE(stream->request.get("x-gone"));
}

// Reads ":path" of a map and logs status and value.
const std::string kGetPath = R"(
  (data (i32.const 0) ":path")
  (func $get_path (param $map i32)
    (call $log_number (call $get_header_map_value (local.get $map) (i32.const 0) (i32.const 5) (i32.const 16) (i32.const 20)))
    (drop (call $log (i32.const 2) (i32.load (i32.const 16)) (i32.load (i32.const 20))))))";

TEST_P(HostHeaders, GetSaysWhatIsMissing) {
  TestProxy proxy(options());
  auto& plugin = load(
      proxy,
      guest(import_proxy("log", 3) + import_proxy("get_header_map_value", 5),
            kLogNumber + kGetPath +
                on_request_headers("(call $get_path (i32.const 0)) (call $get_path (i32.const 2)) "
                                   "(call $get_path (i32.const 6)) (call $get_path (i32.const 99)) (i32.const 0)")));
  {
    auto stream = proxy.stream(plugin, kRequest);
    stream->request_headers();
  }
  // Found; then: no response yet, no call-out's answer, no such map.
  EXPECT_EQ(proxy.log().text(),
            "wasm log test: 0\nwasm log test: /\nwasm log test: 2\nwasm log test: /\nwasm log test: 2\n"
            "wasm log test: /\nwasm log test: 2\nwasm log test: /\n");
  proxy.log().clear();
  auto stream = proxy.stream(plugin, {{":method", "GET"}});
  stream->request_headers();
  EXPECT_EQ(proxy.log().lines().at(0).text, "wasm log test: 1");  // NotFound
}

TEST_P(HostHeaders, Abi010SaysOkAndEmptyForAMissingHeader) {
  TestProxy proxy(options());
  // Its header callbacks have two parameters.
  auto& plugin =
      load(proxy, guest(import_proxy("log", 3) + import_proxy("get_header_map_value", 5), kLogNumber + kGetPath + R"(
    (func (export "proxy_on_request_headers") (param i32 i32) (result i32)
      (i32.store (i32.const 16) (i32.const 77)) (i32.store (i32.const 20) (i32.const 5))
      (call $log_number (local.get 1))
      (call $get_path (i32.const 0)) (call $log_number (i32.load (i32.const 16))) (i32.const 0)))",
                        {.version = "0_1_0"}));
  auto stream = proxy.stream(plugin, {{":method", "GET"}, {"a", "b"}});
  EXPECT_EQ(stream->request_headers(), HeadersStatus::kContinue);
  EXPECT_EQ(proxy.log().text(), "wasm log test: 2\nwasm log test: 0\nwasm log test: \nwasm log test: 0\n");
}

TEST_P(HostHeaders, PairsGoBothWays) {
  TestProxy proxy(options());
  // Sets the response's headers to the request's, byte for byte.
  auto& plugin = load(proxy, guest(import_proxy("log", 3) + import_proxy("get_header_map_pairs", 3) +
                                       import_proxy("set_header_map_pairs", 3) + import_proxy("get_header_map_size", 2),
                                   kLogNumber + on_response_headers(R"(
      (call $log_number (call $get_header_map_pairs (i32.const 0) (i32.const 16) (i32.const 20)))
      (call $log_number (call $set_header_map_pairs (i32.const 2) (i32.load (i32.const 16)) (i32.load (i32.const 20))))
      (call $log_number (call $set_header_map_pairs (i32.const 2) (i32.const 0) (i32.const 3)))
      (call $log_number (call $get_header_map_pairs (i32.const 7) (i32.const 16) (i32.const 20)))
      (call $log_number (i32.load (i32.const 20)))
      (drop (call $get_header_map_size (i32.const 2) (i32.const 16)))
      (call $log_number (i32.load (i32.const 16)))
      (i32.const 0))")));
  auto stream = proxy.stream(plugin, kRequest);
  stream->request_headers();
  stream->response_headers({{":status", "200"}, {"x", "y"}});
  EXPECT_EQ(stream->response.size(), 3u);
  EXPECT_EQ(stream->response.get(":path"), "/");
  EXPECT_FALSE(stream->response.spoiled());
  EXPECT_EQ(proxy.log().text(),
            "wasm log test: 0\nwasm log test: 0\nwasm log test: 2\nwasm log test: 0\nwasm log test: 0\n"
            "wasm log test: 27\n");
}

// SDKs end their VM at a status that they do not expect: what must not be sent is kept, and noted for who sends.
TEST_P(HostHeaders, WhatCannotBeSentIsTakenAndNoted) {
  TestProxy proxy(options());
  auto& plugin = load(proxy, guest(import_proxy("log", 3) + import_proxy("add_header_map_value", 5),
                                   kLogNumber + R"((data (i32.const 0) "x\0d\0a evil"))" + on_request_headers(R"(
      (call $log_number (call $add_header_map_value (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 1) (i32.const 3)))
      (call $log_number (call $add_header_map_value (i32.const 0) (i32.const 0) (i32.const 2) (i32.const 4) (i32.const 1)))
      (call $log_number (call $add_header_map_value (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 4) (i32.const 1)))
      (i32.const 0))")));
  auto stream = proxy.stream(plugin, kRequest);
  stream->request_headers();
  EXPECT_EQ(proxy.log().count(": 0"), 3u);
  EXPECT_EQ(proxy.log().count("plugin test has set the header x, whose name or value has a line break"), 1u);
  EXPECT_EQ(stream->request.get("x"), "\r\n ");
  EXPECT_EQ(stream->request.size(), 5u);  // a field without a name is not kept
  EXPECT_TRUE(stream->request.spoiled());
  EXPECT_EQ(http::header_fault(stream->request), "invalid header value for: x");
}

TEST_P(HostHeaders, AMethodThatIsNoneIsNoted) {
  TestProxy proxy(options());
  auto& plugin = load(proxy, guest(import_proxy("replace_header_map_value", 5),
                                   R"((data (i32.const 0) ":methodGET / HTTP/1.1"))" + on_request_headers(R"(
      (drop (call $replace_header_map_value (i32.const 0) (i32.const 0) (i32.const 7) (i32.const 7) (i32.const 14)))
      (i32.const 0))")));
  auto stream = proxy.stream(plugin, kRequest);
  stream->request_headers();
  EXPECT_TRUE(stream->request.spoiled());
  EXPECT_EQ(http::header_fault(stream->request), "invalid header value for: :method");
}

TEST_P(HostHeaders, AGuestCannotFillTheHostsMemory) {
  TestProxy proxy(options());
  auto& plugin = load(proxy, guest(import_proxy("log", 3) + import_proxy("add_header_map_value", 5) +
                                       import_proxy("replace_header_map_value", 5),
                                   kLogNumber + R"((data (i32.const 0) "xy"))" + on_request_headers(R"((local $i i32)
      (memory.fill (i32.const 1024) (i32.const 97) (i32.const 32000))
      (loop $again  ;; of growing size, so that no value fits where the last one was
        (drop (call $replace_header_map_value (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 1024)
          (i32.mul (local.get $i) (i32.const 10))))
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br_if $again (i32.lt_u (local.get $i) (i32.const 3000))))
      (loop $more
        (br_if $more (i32.eqz (call $add_header_map_value (i32.const 0) (i32.const 1) (i32.const 1) (i32.const 1024) (i32.const 100)))))
      (i32.const 0))")));
  auto stream = proxy.stream(plugin, kRequest);
  EXPECT_EQ(stream->request_headers(), HeadersStatus::kContinue);
  EXPECT_EQ(stream->request.get("x")->size(), 29990u);
  EXPECT_LE(stream->request.size(), 2048u);
  EXPECT_LE(stream->request.arena_size(), 1u << 20);
}

TEST_P(HostHeaders, ReturnValuesAreMappedAsInEnvoy) {
  const std::string text = guest("", on_request_headers("(i32.sub (local.get 1) (i32.const 1))"));
  const HeadersStatus expected[] = {HeadersStatus::kContinue,
                                    HeadersStatus::kStopAllIterationAndWatermark,
                                    HeadersStatus::kContinue,
                                    HeadersStatus::kStopAllIterationAndBuffer,
                                    HeadersStatus::kStopAllIterationAndWatermark,
                                    HeadersStatus::kStopAllIterationAndWatermark};
  TestProxy proxy(options());
  auto& plugin = load(proxy, text);
  HeaderList headers;
  for (const HeadersStatus status : expected) {
    headers.emplace_back("n", "v");  // n headers: the guest returns n - 1
    EXPECT_EQ(proxy.stream(plugin, headers)->request_headers(), status) << headers.size() - 1;
  }
  auto& permissive = load(proxy, text, {.name = "permissive", .allow_on_headers_stop_iteration = true});
  EXPECT_EQ(proxy.stream(permissive, {{"a", "b"}, {"c", "d"}})->request_headers(), HeadersStatus::kStopIteration);
}

TEST_P(HostHeaders, InTheLogPhaseAMissingMapIsNotFound) {
  TestProxy proxy(options());
  auto& plugin = load(proxy, guest(import_proxy("log", 3) + import_proxy("get_header_map_value", 5),
                                   kLogNumber + kGetPath +
                                       "(func (export \"proxy_on_log\") (param i32) (call $get_path (i32.const 3)) "
                                       "(call $get_path (i32.const 0)))"));
  proxy.stream(plugin, kRequest)->finish();
  const auto lines = proxy.log().lines();
  EXPECT_EQ(lines.at(0).text, "wasm log test: 1");
  EXPECT_EQ(lines.at(2).text, "wasm log test: 0");
}

}  // namespace
}  // namespace inlay::host
