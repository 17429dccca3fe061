// SPDX-License-Identifier: Apache-2.0
#include "dynamic_module/settings.h"

#include <gtest/gtest.h>

namespace inlay::dynamic_module {
namespace {

std::string fault(std::string_view text) {
  const auto read = read_settings("name", text);
  return read ? "" : read.error().to_string();
}

TEST(Settings, NothingIsADefault) {
  for (const char* text : {"", "{}", " \n"}) {
    const auto read = read_settings("mine", text);
    ASSERT_TRUE(read);
    EXPECT_EQ(read->plugin.name, "mine");
    EXPECT_EQ(read->plugin.failure_policy, host::FailurePolicy::kFailClosed);
    EXPECT_EQ(read->module, "");
  }
}

TEST(Settings, AllFields) {
  setenv("INLAY_SETTINGS_TEST", "2", 1);
  const auto read = read_settings("mine", R"({
    "name": "other", "root_id": "r", "vm_id": "v", "configuration": "text", "vm_configuration": {"a": [1, true, "b"]},
    "failure_policy": "FAIL_RELOAD", "reload_backoff_ms": 20, "limits": {"memory_mib": 8, "call_ms": 50},
    "environment": {"key_values": {"A": "1"}, "host_env_keys": ["INLAY_SETTINGS_TEST", "INLAY_NOT_SET"]},
    "capability_restriction_config": {"allowed_capabilities": {"proxy_log": {}}}, "allow_on_headers_stop_iteration": true,
    "node": {"metadata": {"b": 1, "a": 2}, "id": "n"}, "envoy_strict": true, "module": "/f.wasm"})");
  ASSERT_TRUE(read) << read.error().to_string();
  EXPECT_EQ(read->plugin.name, "other");
  EXPECT_EQ(read->plugin.root_id, "r");
  EXPECT_EQ(read->plugin.vm_id, "v");
  EXPECT_EQ(read->plugin.configuration, "text");
  EXPECT_EQ(read->plugin.vm_configuration, R"({"a":[1,true,"b"]})");
  EXPECT_EQ(read->plugin.failure_policy, host::FailurePolicy::kFailReload);
  EXPECT_TRUE(read->plugin.allow_on_headers_stop_iteration);
  EXPECT_EQ(read->plugin.reload_backoff, std::chrono::milliseconds(20));
  EXPECT_EQ(read->limits.max_memory_bytes, 8u << 20);
  EXPECT_EQ(read->limits.call_budget, std::chrono::milliseconds(50));
  EXPECT_EQ(read->plugin.environment, (std::map<std::string, std::string>{{"A", "1"}, {"INLAY_SETTINGS_TEST", "2"}}));
  EXPECT_EQ(read->plugin.allowed_capabilities, (std::set<std::string>{"proxy_log"}));
  EXPECT_EQ(read->node, R"({"id":"n","metadata":{"a":2,"b":1}})");  // one text, in whatever order they came
  EXPECT_TRUE(read->envoy_strict);
  EXPECT_EQ(read->module, "/f.wasm");
  EXPECT_EQ(read->artifact, "/f.wasm.aot");
}

TEST(Settings, AllThatIsWrongIsToldWithItsPath) {
  EXPECT_EQ(fault(R"({"root_id": 1, "failure_policy": "OPEN", "allow_on_headers_stop_iteration": 1})"),
            "filter_config.root_id: must be a string\n"
            "filter_config.failure_policy: must be FAIL_CLOSED, FAIL_OPEN or FAIL_RELOAD\n"
            "filter_config.allow_on_headers_stop_iteration: must be true or false");
  EXPECT_EQ(fault(R"({"limits": {"memory_mib": 0, "time": 1}, "environment": {"host_env_keys": "A"}})"),
            "filter_config.limits.memory_mib: must be a number from 1 to 4096\n"
            "filter_config.limits.time: there is no such field; there are memory_mib, call_ms\n"
            "filter_config.environment.host_env_keys: must be a list of names");
  EXPECT_EQ(fault(R"({"node": {"id": 1, "metadata": [], "zone": "z"}})"),
            "filter_config.node.id: must be a string\n"
            "filter_config.node.metadata: must be an object\n"
            "filter_config.node.zone: there is no such field; there are id, cluster, metadata, locality");
  EXPECT_TRUE(fault(R"({"rootid": ""})").starts_with("filter_config.rootid: there is no such field; there are name, "));
  EXPECT_EQ(fault("[]"), "filter_config: must be an object, {\"configuration\": ...}");
  EXPECT_TRUE(fault("{").starts_with("filter_config: is no JSON at byte 1: "));
}

}  // namespace
}  // namespace inlay::dynamic_module
