// SPDX-License-Identifier: Apache-2.0
// Properties: proxy_get_property, proxy_set_property, and what declare_property says of them.

#include "host/functions_fixture.h"

namespace inlay::host {
using namespace testkit;  // NOLINT: tests only
namespace {

class HostProperties : public GuestTest {};
INLAY_BOTH_ENGINES(HostProperties);

TEST_P(HostProperties, PropertiesComeFromThePluginTheStreamAndTheWorker) {
  auto o = options();
  o.compat_legacy_properties = true;
  TestProxy proxy(o);
  proxy.worker().properties()["xds.node"] = "node bytes";
  auto& plugin = load(proxy, guest(import_proxy("log", 3) + import_proxy("get_property", 4) +
                                       import_proxy("set_property", 4) + import_proxy("set_effective_context", 1),
                                   kLogNumber + R"(
    (data (i32.const 0) "plugin_name\00request\00path\00mine\00node\00")
    (func $get (param $at i32) (param $size i32)
      (call $log_number (call $get_property (local.get $at) (local.get $size) (i32.const 64) (i32.const 68)))
      (drop (call $log (i32.const 2) (i32.load (i32.const 64)) (i32.load (i32.const 68)))))
    (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
      (call $get (i32.const 0) (i32.const 11))
      (call $get (i32.const 12) (i32.const 12))
      (call $get (i32.const 12) (i32.const 13))  ;; with a NUL at the end
      (call $get (i32.const 25) (i32.const 4))
      (call $log_number (call $set_property (i32.const 25) (i32.const 4) (i32.const 0) (i32.const 6)))
      (call $get (i32.const 25) (i32.const 4))
      (drop (call $set_effective_context (i32.const 1)))
      (call $get (i32.const 30) (i32.const 4))
      (call $get (i32.const 12) (i32.const 12))
      (i32.const 0)))"));
  auto stream = proxy.stream(plugin, kRequest);
  stream->properties["request.path"] = "/p";
  stream->request_headers();
  EXPECT_EQ(story(proxy), "0 test 0 /p 0 /p 1 /p 0 0 plugin 0 node bytes 1 node bytes");
  EXPECT_EQ(stream->filter_state["wasm.mine"], "plugin");
}

// Many public filters ask for names that Envoy has no longer.
TEST_P(HostProperties, ANameThatEnvoyRemovedIsSaidOnce) {
  for (const bool answered : {true, false}) {
    auto o = options();
    o.compat_legacy_properties = answered;
    TestProxy proxy(o);
    auto& plugin = load(proxy, guest(import_proxy("log", 3) + import_proxy("get_property", 4), kLogNumber + R"(
    (data (i32.const 0) "cluster_name\00route_name")
    (func $get (param $at i32) (param $size i32)
      (call $log_number (call $get_property (local.get $at) (local.get $size) (i32.const 64) (i32.const 68))))
    (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
      (call $get (i32.const 0) (i32.const 12))
      (call $get (i32.const 0) (i32.const 12))
      (call $get (i32.const 13) (i32.const 10))
      (i32.const 0)))"));
    auto stream = proxy.stream(plugin, kRequest);
    stream->properties["xds.cluster_name"] = "app";
    stream->request_headers();
    EXPECT_EQ(proxy.log().count("plugin test asked for the property cluster_name, which Envoy has as xds.cluster_name"),
              1u);
    EXPECT_EQ(proxy.log().count("asked for the property route_name"), 1u);
    EXPECT_EQ(proxy.log().count(answered ? "it was answered" : "--compat-legacy-properties answers it"), 2u);
  }
}

}  // namespace
}  // namespace inlay::host
