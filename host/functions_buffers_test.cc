// SPDX-License-Identifier: Apache-2.0
// Buffers: bodies, configurations.

#include "host/functions_fixture.h"

namespace inlay::host {
using namespace testkit;  // NOLINT: tests only
namespace {

using abi::DataStatus;

class HostBuffers : public GuestTest {};
INLAY_BOTH_ENGINES(HostBuffers);

TEST_P(HostBuffers, BodiesAreReadAndRewritten) {
  TestProxy proxy(options());
  auto& plugin = load(proxy, guest(import_proxy("log", 3) + import_proxy("get_buffer_bytes", 5) +
                                       import_proxy("set_buffer_bytes", 5) + import_proxy("get_buffer_status", 3),
                                   kLogNumber + R"(
    (data (i32.const 0) "<>")
    (func $get (param $start i32) (param $max i32)
      (call $log_number (call $get_buffer_bytes (i32.const 0) (local.get $start) (local.get $max) (i32.const 16) (i32.const 20)))
      (drop (call $log (i32.const 2) (i32.load (i32.const 16)) (i32.load (i32.const 20)))))
    (func $set (param $start i32) (param $size i32) (param $at i32)
      (call $log_number (call $set_buffer_bytes (i32.const 0) (local.get $start) (local.get $size) (local.get $at) (i32.const 1))))
    (func (export "proxy_on_request_body") (param i32 i32 i32) (result i32)
      (call $get (i32.const 1) (i32.const 2))
      (call $get (i32.const 3) (i32.const 1000))
      (call $get (i32.const 99) (i32.const 1))
      (call $get (i32.const 2) (i32.const -1))
      (call $set (i32.const 0) (i32.const 0) (i32.const 0))
      (call $set (i32.const -1) (i32.const 0) (i32.const 1))
      (call $set (i32.const 1) (i32.const 1) (i32.const 1))
      (drop (call $get_buffer_status (i32.const 0) (i32.const 16) (i32.const 20)))
      (call $log_number (i32.load (i32.const 16)))
      (i32.const 1))
    (func (export "proxy_on_response_body") (param i32 i32 i32) (result i32)
      (call $get (i32.const 0) (i32.const 1))
      (call $log_number (call $set_buffer_bytes (i32.const 1) (i32.const 0) (i32.const 100) (i32.const 0) (i32.const 2)))
      (i32.const 9)))"));
  auto stream = proxy.stream(plugin, kRequest);
  EXPECT_EQ(stream->request_body("hello", true), DataStatus::kStopIterationAndBuffer);
  EXPECT_EQ(story(proxy), "0 el 0 lo 0  0 llo 0 0 2 7");
  EXPECT_EQ(stream->request_buffer.to_string(), "<hello>");
  EXPECT_EQ(stream->response_body("answer", true), DataStatus::kStopIterationNoBuffer);
  EXPECT_EQ(story(proxy), "0  0");  // the request's body is not there now
  EXPECT_EQ(stream->response_buffer.to_string(), "<>");
}

// Whose configuration is where: the VM's at any time, the plugin's while its root context is made and configured.
TEST_P(HostBuffers, ConfigurationsAreThereInTheirTime) {
  TestProxy proxy(options());
  auto& plugin =
      load(proxy,
           guest(import_proxy("log", 3) + import_proxy("get_buffer_bytes", 5) + import_proxy("get_buffer_status", 3),
                 kLogNumber + R"(
    (func $get (param $type i32)
      (call $log_number (call $get_buffer_bytes (local.get $type) (i32.const 0) (i32.const 100) (i32.const 16) (i32.const 20)))
      (drop (call $log (i32.const 2) (i32.load (i32.const 16)) (i32.load (i32.const 20))))
      (i64.store (i32.const 16) (i64.const 0)))
    (func $both (call $get (i32.const 6)) (call $get (i32.const 7)))
    (func (export "proxy_on_context_create") (param i32 i32) (call $both))
    (func (export "proxy_on_vm_start") (param i32 i32) (result i32) (call $both) (i32.const 1))
    (func (export "proxy_on_configure") (param i32 i32) (result i32) (call $both) (i32.const 1)))" +
                     on_request_headers(R"(
      (call $both)
      (call $log_number (call $get_buffer_status (i32.const 6) (i32.const 16) (i32.const 20)))
      (call $log_number (i32.load (i32.const 16)))
      (call $log_number (call $get_buffer_status (i32.const 7) (i32.const 16) (i32.const 20)))
      (call $log_number (call $get_buffer_status (i32.const 8) (i32.const 16) (i32.const 20)))
      (call $log_number (call $get_buffer_status (i32.const 9) (i32.const 16) (i32.const 20)))
      (call $log_number (call $get_buffer_status (i32.const 6) (i32.const -1) (i32.const 20)))
      (call $log_number (call $get_buffer_status (i32.const 6) (i32.const 16) (i32.const -1))))")),
           {.name = "test", .vm_configuration = "vm", .configuration = "plugin"});
  const std::string start = "0 vm 0 plugin 0 vm 1  0 vm 0 plugin";
  EXPECT_EQ(story(proxy), start + " " + start) << "canary and worker: create, vm_start, configure";
  auto stream = proxy.stream(plugin, kRequest);
  EXPECT_EQ(story(proxy), "0 vm 1 ") << "a stream's context is made";
  stream->request_headers();
  EXPECT_EQ(story(proxy), "0 vm 1  0 2 1 0 2 6 6");
}

TEST_P(HostBuffers, GetConfigurationOf0_1_0GivesThePluginsWhereItIsMadeAndConfigured) {
  TestProxy proxy(options());
  GuestText text;
  text.version = "0_1_0";
  auto& plugin = load(proxy,
                      guest(import_proxy("log", 3) + import_proxy("get_configuration", 2), kLogNumber + R"(
    (func $get
      (drop (call $get_configuration (i32.const 16) (i32.const 20)))
      (drop (call $log (i32.const 2) (i32.load (i32.const 16)) (i32.load (i32.const 20)))))
    (func (export "proxy_on_context_create") (param i32 i32) (call $get))
    (func (export "proxy_on_vm_start") (param i32 i32) (result i32) (call $get) (i32.const 1))
    (func (export "proxy_on_configure") (param i32 i32) (result i32) (call $get) (i32.const 1))
    (func (export "proxy_on_request_headers") (param i32 i32) (result i32) (call $get) (i32.const 0)))",
                            text),
                      {.name = "test", .vm_configuration = "vm", .configuration = "plugin"});
  EXPECT_EQ(story(proxy), "plugin vm plugin plugin vm plugin");
  proxy.stream(plugin, kRequest)->request_headers();
  EXPECT_EQ(story(proxy), "vm vm");
}

}  // namespace
}  // namespace inlay::host
