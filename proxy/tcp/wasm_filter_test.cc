// SPDX-License-Identifier: Apache-2.0
// Guests in WebAssembly text on real connections.
#include "proxy/tcp/wasm_filter.h"

#include <gtest/gtest.h>

#include "compiler/compiler.h"
#include "compiler/wat.h"
#include "proxy/tcp/relay_fixture.h"
#include "proxy/wasm_filter/worker_services.h"
#include "upstream/http_call.h"

namespace inlay::proxy::tcp {
namespace {

using host::FailurePolicy;
using testing::End;
using testing::milliseconds;
using testing::RelayTest;

struct StillClock final : host::Clock {
  int64_t system_time() const override { return 1; }
  int64_t monotonic_time() const override { return 1; }
};

class RecordingLog final : public host::Log {
 public:
  abi::LogLevel level(std::string_view) const override { return abi::LogLevel::kTrace; }
  void write(abi::LogLevel, std::string_view, std::string_view text) override { lines += std::string(text) + "\n"; }
  bool has(std::string_view part) const { return lines.find(part) != std::string::npos; }
  std::string lines;
};

class WasmFilterTest : public RelayTest {
 protected:
  WasmFilterTest() : host_({.metrics = &metrics_, .clock = &clock_, .log = &log_}) {
    node_.id = "node-1";
    listener_.filter_chain_name = "chain";
  }
  ~WasmFilterTest() override {
    socket_.reset();
    manager_.reset();
    guests_.reset();
  }

  // A filter with a guest: `body` between an allocator and a memory, with the host functions that tests call.
  host::WorkerPlugin& add_guest(const std::string& body, FailurePolicy policy = FailurePolicy::kFailClosed) {
    const std::string text = R"((module
      (import "env" "proxy_log" (func $log (param i32 i32 i32) (result i32)))
      (import "env" "proxy_get_buffer_bytes" (func $get_buffer (param i32 i32 i32 i32 i32) (result i32)))
      (import "env" "proxy_set_buffer_bytes" (func $set_buffer (param i32 i32 i32 i32 i32) (result i32)))
      (import "env" "proxy_get_property" (func $get_property (param i32 i32 i32 i32) (result i32)))
      (import "env" "proxy_set_property" (func $set_property (param i32 i32 i32 i32) (result i32)))
      (import "env" "proxy_continue_stream" (func $continue (param i32) (result i32)))
      (import "env" "proxy_close_stream" (func $close (param i32) (result i32)))
      (import "env" "proxy_set_effective_context" (func $effective (param i32) (result i32)))
      (import "env" "proxy_set_tick_period_milliseconds" (func $tick (param i32) (result i32)))
      (import "env" "proxy_call_foreign_function" (func $foreign (param i32 i32 i32 i32 i32 i32) (result i32)))
      (memory (export "memory") 4)
      (func (export "proxy_abi_version_0_2_1"))
      (func (export "proxy_on_memory_allocate") (param i32) (result i32) (i32.const 65536)) )" +
                             body + ")";
    auto wasm = compiler::wat_to_wasm(text);
    EXPECT_TRUE(wasm) << wasm.error().to_string();
    compiler::LoadOptions options;
    options.kind = engine::EngineKind::kInterp;
    auto module = compiler::load_module(*wasm, options);
    EXPECT_TRUE(module) << module.error().to_string();
    host::PluginConfig config;
    config.name = "guest";
    config.vm_id = std::to_string(factories_.size());
    config.failure_policy = policy;
    auto plugin = host_.create_plugin(config, *module);
    EXPECT_TRUE(plugin) << plugin.error().to_string();
    if (!guests_) start_guests();
    host::WorkerPlugin& attached = *guests_->attach(*plugin);
    factories_.push_back(std::make_unique<WasmFilterFactory>(WasmFilter::Options{&attached, attributes()}));
    filters_.push_back(factories_.back().get());
    return attached;
  }

 private:
  wasm_filter::AttributeOptions attributes() { return {&node_, &listener_, &*registry_}; }
  void start_guests() {
    make_clusters();
    calls_.emplace(loop_, *clusters_);
    services_.emplace(loop_, *calls_, attributes());
    guests_.emplace(host_, *services_);
  }

 protected:
  StillClock clock_;
  RecordingLog log_;
  config::Node node_;
  host::Host host_;
  std::optional<upstream::HttpCalls> calls_;
  std::optional<wasm_filter::WorkerServices> services_;
  std::optional<host::Worker> guests_;
  std::vector<std::unique_ptr<WasmFilterFactory>> factories_;
};

TEST_F(WasmFilterTest, SeesAndRewritesWhatPasses) {
  add_guest(R"(
    (data (i32.const 0) "hello" "bye")
    (func (export "proxy_on_downstream_data") (param i32 i32 i32) (result i32)
      (drop (call $get_buffer (i32.const 2) (i32.const 0) (i32.const 100) (i32.const 100) (i32.const 104)))
      (drop (call $log (i32.const 2) (i32.load (i32.const 100)) (i32.load (i32.const 104))))
      (drop (call $set_buffer (i32.const 2) (i32.const 0) (i32.const -1) (i32.const 0) (i32.const 5))) (i32.const 0))
    (func (export "proxy_on_upstream_data") (param i32 i32 i32) (result i32)
      (if (local.get 1) (then
        (drop (call $set_buffer (i32.const 3) (i32.const 0) (i32.const -1) (i32.const 5) (i32.const 3)))))
      (i32.const 0)))");
  End& client = this->client();
  client.connection->write("secret");
  run_until([&] { return !servers_.empty() && server().received == "hello"; });
  EXPECT_TRUE(log_.has("wasm log guest 0: secret\n"));
  server().connection->write("an answer");
  run_until([&] { return client.received == "bye"; });
}

// What the routing examples of public SDKs do: the guest names the cluster of a connection. Protobuf: path = 1, value
// = 2.
TEST_F(WasmFilterTest, NamesTheClusterOfAConnection) {
  listener_.tcp_proxy->targets = {{"nowhere", 1}};
  add_cluster("nowhere", std::nullopt);
  add_guest(R"(
    (data (i32.const 0) "set_envoy_filter_state\0a\17envoy.tcp_proxy.cluster\12\03app")
    (func (export "proxy_on_new_connection") (param i32) (result i32)
      (drop (call $foreign (i32.const 0) (i32.const 22) (i32.const 22) (i32.const 30) (i32.const 200) (i32.const 204)))
      (i32.const 0)))");
  End& client = this->client();
  client.connection->write("hello");
  run_until([&] { return !servers_.empty() && server().received == "hello"; });
}

TEST_F(WasmFilterTest, AClusterThatDoesNotExistEndsTheConnection) {
  add_guest(R"(
    (data (i32.const 0) "set_envoy_filter_state\0a\17envoy.tcp_proxy.cluster\12\03abc")
    (func (export "proxy_on_new_connection") (param i32) (result i32)
      (drop (call $foreign (i32.const 0) (i32.const 22) (i32.const 22) (i32.const 30) (i32.const 200) (i32.const 204)))
      (i32.const 0)))");
  End& client = this->client();
  run_until([&] { return client.over(); });
  EXPECT_TRUE(servers_.empty());
}

TEST_F(WasmFilterTest, TellsOfBothEnds) {
  add_guest(R"(
    (data (i32.const 0) "upstream closed" "downstream closed" "done" "log")
    (func (export "proxy_on_upstream_connection_close") (param i32 i32)
      (drop (call $log (i32.const 2) (i32.const 0) (i32.const 15))))
    (func (export "proxy_on_downstream_connection_close") (param i32 i32)
      (drop (call $log (local.get 1) (i32.const 15) (i32.const 17))))
    (func (export "proxy_on_done") (param i32) (result i32)
      (drop (call $log (i32.const 2) (i32.const 32) (i32.const 4))) (i32.const 1))
    (func (export "proxy_on_log") (param i32) (drop (call $log (i32.const 2) (i32.const 36) (i32.const 3)))))");
  this->client();
  server().connection->shutdown_write();
  run_until_none_is_left();
  const std::string p = "wasm log guest 0: ";
  EXPECT_TRUE(log_.has(p + "upstream closed\n" + p + "downstream closed\n" + p + "done\n" + p + "log\n")) << log_.lines;
}

TEST_F(WasmFilterTest, APausedConnectionGoesOnFromATimer) {
  add_guest(R"(
    (func (export "proxy_on_configure") (param i32 i32) (result i32) (drop (call $tick (i32.const 20))) (i32.const 1))
    (func (export "proxy_on_tick") (param i32)
      (if (i32.eqz (call $effective (i32.const 2))) (then (drop (call $continue (i32.const 2))))))
    (func (export "proxy_on_new_connection") (param i32) (result i32) (i32.const 1)))");
  End& client = this->client();
  client.connection->write("early");
  run_until([&] { return !servers_.empty() && server().received == "early"; });
}

// The guest reads, in its timer, what waits, and changes it before it lets it go on.
TEST_F(WasmFilterTest, PausedBytesCanBeSeenAndChangedLater) {
  add_guest(R"(
    (data (i32.const 0) "late:")
    (global $waits (mut i32) (i32.const 0))
    (func (export "proxy_on_configure") (param i32 i32) (result i32) (drop (call $tick (i32.const 20))) (i32.const 1))
    (func (export "proxy_on_tick") (param i32)
      (if (global.get $waits) (then
        (global.set $waits (i32.const 0))
        (drop (call $effective (i32.const 2)))
        (drop (call $set_buffer (i32.const 2) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 5)))
        (drop (call $continue (i32.const 2))))))
    (func (export "proxy_on_downstream_data") (param i32 i32 i32) (result i32)
      (global.set $waits (i32.const 1)) (i32.const 1)))");
  End& client = this->client();
  client.connection->write("question");
  run_until([&] { return server().received == "late:question"; });
}

TEST_F(WasmFilterTest, AGuestCloses) {
  add_guest(R"(
    (func (export "proxy_on_downstream_data") (param i32 i32 i32) (result i32)
      (drop (call $close (i32.const 2))) (i32.const 0)))");
  End& client = this->client();
  client.connection->write("x");
  run_until([&] { return client.over(); });
  run_until_none_is_left();
  EXPECT_EQ(server().received, "");
}

TEST_F(WasmFilterTest, KnowsAttributesOfTheConnection) {
  add_guest(R"(
    (data (i32.const 0) "source\00address" "upstream\00address" "xds\00filter_chain_name" "xds\00cluster_name"
      "plugin_name" "request\00path" "mine")
    (func $show (param $at i32) (param $size i32)
      (if (call $get_property (local.get $at) (local.get $size) (i32.const 200) (i32.const 204))
        (then (drop (call $log (i32.const 2) (i32.const 72) (i32.const 0))))
        (else (drop (call $log (i32.const 2) (i32.load (i32.const 200)) (i32.load (i32.const 204)))))))
    (func (export "proxy_on_upstream_data") (param i32 i32 i32) (result i32)
      (call $show (i32.const 0) (i32.const 14))
      (call $show (i32.const 14) (i32.const 16))
      (call $show (i32.const 30) (i32.const 21))
      (call $show (i32.const 51) (i32.const 16))
      (call $show (i32.const 67) (i32.const 11))
      (call $show (i32.const 78) (i32.const 12))
      (drop (call $set_property (i32.const 90) (i32.const 4) (i32.const 67) (i32.const 6)))
      (call $show (i32.const 90) (i32.const 4))
      (i32.const 0)))");
  End& client = this->client();
  server().connection->write("x");
  run_until([&] { return client.received == "x"; });
  const std::string p = "wasm log guest 0: ";
  EXPECT_EQ(log_.lines, p + client.connection->local_address().to_string() + "\n" + p +
                            server_socket_->address().to_string() + "\n" + p + "chain\n" + p + "app\n" + p + "guest\n" +
                            p + "\n" + p + "plugin\n");
}

// The n-th callback traps: with each policy the process goes on, and later connections get theirs.
TEST_F(WasmFilterTest, ATrapInAnyCallbackGetsThePolicy) {
  const std::pair<const char*, const char*> callbacks[] = {
      {"proxy_on_new_connection", "(param i32) (result i32)"},
      {"proxy_on_downstream_data", "(param i32 i32 i32) (result i32)"},
      {"proxy_on_upstream_data", "(param i32 i32 i32) (result i32)"},
      {"proxy_on_upstream_connection_close", "(param i32 i32)"},
      {"proxy_on_downstream_connection_close", "(param i32 i32)"},
      {"proxy_on_log", "(param i32)"},
  };
  for (const FailurePolicy policy :
       {FailurePolicy::kFailClosed, FailurePolicy::kFailOpen, FailurePolicy::kFailReload}) {
    for (const auto& [callback, type] : callbacks) {
      SCOPED_TRACE(callback);
      const bool open = policy == FailurePolicy::kFailOpen;
      socket_.reset();
      manager_.reset();
      filters_.clear();
      host::WorkerPlugin& plugin =
          add_guest(std::string("(func (export \"") + callback + "\") " + type + " unreachable)", policy);
      on_server = [](End& end) {
        end.on_bytes = [](End& me) {
          if (me.received != "question") return;
          me.connection->write("answer");
          me.connection->shutdown_write();
        };
      };
      const size_t before = servers_.size();
      End& client = this->client();
      client.connection->write("question");
      run_until([&] { return client.over(); });
      if (open) {
        EXPECT_EQ(client.received, "answer");
      }
      run_until_none_is_left();
      EXPECT_TRUE(log_.has("has failed"));
      log_.lines.clear();
      EXPECT_EQ(plugin.healthy(), false);
      End& later = this->client();
      later.connection->write("question");
      run_until([&] { return later.over(); });
      EXPECT_EQ(later.received, open ? "answer" : "");
      run_until_none_is_left();
      if (!open) {
        EXPECT_LE(servers_.size(), before + 1);
      }
    }
  }
}

}  // namespace
}  // namespace inlay::proxy::tcp
