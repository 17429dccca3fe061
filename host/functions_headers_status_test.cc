// SPDX-License-Identifier: Apache-2.0
// What the header functions return when a map, a value or memory is not there, and Envoy's ways with names.

#include "host/functions_fixture.h"

namespace inlay::host {
using namespace testkit;  // NOLINT: tests only
namespace {

class HostHeaderStatus : public GuestTest {};
INLAY_BOTH_ENGINES(HostHeaderStatus);

const std::string kImports = import_proxy("log", 3) + import_proxy("get_header_map_size", 2) +
                             import_proxy("get_header_map_pairs", 3) + import_proxy("set_header_map_pairs", 3) +
                             import_proxy("get_header_map_value", 5) + import_proxy("add_header_map_value", 5) +
                             import_proxy("replace_header_map_value", 5) + import_proxy("remove_header_map_value", 3);

// Each function on a map, with the field at 0.
const std::string kAll = kLogNumber + R"(
  (data (i32.const 0) "x-field")
  (func $all (param $map i32)
    (call $log_number (call $get_header_map_size (local.get $map) (i32.const 32)))
    (call $log_number (call $get_header_map_pairs (local.get $map) (i32.const 32) (i32.const 36)))
    (call $log_number (call $get_header_map_value (local.get $map) (i32.const 0) (i32.const 7) (i32.const 32) (i32.const 36)))
    (call $log_number (call $add_header_map_value (local.get $map) (i32.const 0) (i32.const 7) (i32.const 0) (i32.const 1)))
    (call $log_number (call $replace_header_map_value (local.get $map) (i32.const 0) (i32.const 7) (i32.const 0) (i32.const 1)))
    (call $log_number (call $remove_header_map_value (local.get $map) (i32.const 0) (i32.const 7)))
    (call $log_number (call $set_header_map_pairs (local.get $map) (i32.const 0) (i32.const 0)))))";

TEST_P(HostHeaderStatus, OfAMapThatIsNotThere) {
  TestProxy proxy(options());
  auto& plugin = load(proxy, guest(kImports, kAll + on_request_headers(R"(
      (call $all (i32.const 2)) (call $all (i32.const 8)) (call $all (i32.const 6)) (call $all (i32.const 4)))")));
  proxy.stream(plugin, kRequest)->request_headers();
  // The response's, one that does not exist, a call-out's, a gRPC call's.
  EXPECT_EQ(story(proxy), "2 0 2 2 2 2 2 2 2 2 2 2 2 2 2 0 2 2 2 2 2 2 0 2 2 2 2 2");
}

// Every map may be missing when a stream is logged: a value in it is then as good as absent.
TEST_P(HostHeaderStatus, OfAMapThatIsNotThereWhenTheStreamIsLogged) {
  for (const auto* version : {"0_2_1", "0_1_0"}) {
    TestProxy proxy(options());
    GuestText text;
    text.version = version;
    auto& plugin = load(proxy, guest(kImports, kAll + R"(
      (func (export "proxy_on_log") (param i32) (call $all (i32.const 2)) (call $all (i32.const 8))))",
                                     text));
    proxy.stream(plugin, kRequest)->finish();
    EXPECT_EQ(story(proxy),
              version == std::string("0_1_0") ? "2 0 0 2 2 2 2 2 2 2 2 2 2 2" : "2 0 1 2 2 2 2 2 2 2 2 2 2 2");
  }
}

TEST_P(HostHeaderStatus, OfMemoryThatIsNotThere) {
  TestProxy proxy(options());
  auto& plugin = load(proxy, guest(kImports, kLogNumber + R"(
    (data (i32.const 0) ":path"))" + on_request_headers(R"(
      (call $log_number (call $get_header_map_size (i32.const 0) (i32.const -2)))
      (call $log_number (call $get_header_map_pairs (i32.const 0) (i32.const -2) (i32.const 36)))
      (call $log_number (call $get_header_map_pairs (i32.const 0) (i32.const 32) (i32.const -2)))
      (call $log_number (call $get_header_map_value (i32.const 0) (i32.const -2) (i32.const 7) (i32.const 32) (i32.const 36)))
      (call $log_number (call $get_header_map_value (i32.const 0) (i32.const 0) (i32.const 5) (i32.const -2) (i32.const 36)))
      (call $log_number (call $get_header_map_value (i32.const 0) (i32.const 0) (i32.const 5) (i32.const 32) (i32.const -2)))
      (call $log_number (call $add_header_map_value (i32.const 0) (i32.const 0) (i32.const -1) (i32.const 0) (i32.const 1)))
      (call $log_number (call $add_header_map_value (i32.const 0) (i32.const 0) (i32.const 5) (i32.const -2) (i32.const 9)))
      (call $log_number (call $replace_header_map_value (i32.const 0) (i32.const 0) (i32.const -1) (i32.const 0) (i32.const 1)))
      (call $log_number (call $replace_header_map_value (i32.const 0) (i32.const 0) (i32.const 5) (i32.const -2) (i32.const 9)))
      (call $log_number (call $remove_header_map_value (i32.const 0) (i32.const 0) (i32.const -1)))
      (call $log_number (call $set_header_map_pairs (i32.const 0) (i32.const -2) (i32.const 9))))")));
  auto stream = proxy.stream(plugin, kRequest);
  stream->request_headers();
  EXPECT_EQ(story(proxy), "6 6 6 6 6 6 6 6 6 6 6 6");
  EXPECT_EQ(stream->request.size(), kRequest.size());
}

TEST_P(HostHeaderStatus, HostIsTheAuthorityOfARequestAndAHeaderOfAResponse) {
  TestProxy proxy(options());
  auto& plugin = load(proxy, guest(kImports, kLogNumber + R"(
    (data (i32.const 0) "Host")
    (func $edit (param $map i32)
      (drop (call $get_header_map_value (local.get $map) (i32.const 0) (i32.const 4) (i32.const 32) (i32.const 36)))
      (drop (call $log (i32.const 2) (i32.load (i32.const 32)) (i32.load (i32.const 36))))
      (drop (call $replace_header_map_value (local.get $map) (i32.const 0) (i32.const 4) (i32.const 0) (i32.const 1)))
      (drop (call $add_header_map_value (local.get $map) (i32.const 0) (i32.const 4) (i32.const 0) (i32.const 2))))
    (func (export "proxy_on_response_headers") (param i32 i32 i32) (result i32) (call $edit (i32.const 2)) (i32.const 0)))" +
                                                 on_request_headers("(call $edit (i32.const 0))")));
  auto stream = proxy.stream(plugin, {{":authority", "a.example"}, {":path", "/"}});
  stream->request_headers();
  EXPECT_EQ(story(proxy), "a.example");
  EXPECT_EQ(stream->request.get(":authority"), "H,Ho");
  EXPECT_FALSE(stream->request.get("host"));
  stream->response_headers({{":status", "200"}});
  EXPECT_FALSE(stream->response.get(":authority"));
  EXPECT_EQ(stream->response.get("host"), "H,Ho");
}

TEST_P(HostHeaderStatus, SettingPairsNamesFieldsAsAddingDoes) {
  TestProxy proxy(options());
  auto& plugin = load(proxy, guest(kImports, kLogNumber + R"(
    (data (i32.const 0) "\02\00\00\00\04\00\00\00\01\00\00\00\03\00\00\00\01\00\00\00HOST\00h\00X-Y\00z\00"))" +
                                                 on_request_headers(R"(
      (call $log_number (call $set_header_map_pairs (i32.const 0) (i32.const 0) (i32.const 33))))")));
  auto stream = proxy.stream(plugin, kRequest);
  stream->request_headers();
  EXPECT_EQ(story(proxy), "0");
  EXPECT_EQ(stream->request.size(), 2u);
  EXPECT_EQ(stream->request.get(":authority"), "h");
  EXPECT_EQ(stream->request.get("x-y"), "z");
}

}  // namespace
}  // namespace inlay::host
