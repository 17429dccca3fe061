// SPDX-License-Identifier: Apache-2.0
#pragma once

// FakeEnvoy: the functions of envoy_abi.h on one thread's strings and lists, for tests of what stands on them. It
// judges how they are called: what re-enters must find the VM's lock free, and calls back into the filter at once; a
// stream that is gone must not be touched; what belongs to a thread is asked for on that thread.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "compiler/compiler.h"
#include "compiler/wat.h"
#include "dynamic_module/configuration.h"
#include "dynamic_module/envoy_abi.h"
#include "dynamic_module/stream.h"

namespace inlay::dynamic_module::envoy {

using Headers = std::vector<std::pair<std::string, std::string>>;

// What a call-out was asked for.
struct AskedCall {
  uint64_t id = 0;
  std::string cluster{};
  Headers headers{};
  std::string body{};
  bool ended = false;  // of a stream: its request is whole
  bool reset = false;
};

struct FilterConfig {
  std::thread::id main = std::this_thread::get_id();
  std::vector<AskedCall> calls;
  CallStart next_start = CallStart::kSuccess;
  std::function<void(uint64_t id)> while_asking;  // called before the next call is taken
  std::mutex mutex;
  std::condition_variable changed;
  size_t main_commits = 0;                                   // and not yet delivered
  std::vector<std::pair<std::string, uint64_t>> statistics;  // by id

  std::vector<uint64_t> recorded;  // in histograms

  // Waits until main_thread is to be called; then it is.
  void run_main(Configuration& configuration) {
    {
      std::unique_lock lock(mutex);
      ASSERT_TRUE(changed.wait_for(lock, std::chrono::minutes(1), [&] { return main_commits > 0; }));
      main_commits = 0;
    }
    configuration.main_thread().run();
  }
};
struct ConfigScheduler {
  FilterConfig* config;
};

// Filter is a stream as Envoy has it.
struct Filter {
  explicit Filter(Configuration& configuration)
      : vm(&configuration.place_of(this).vm), stream(new Stream(this, *vm, configuration.place_of(this).plugin)) {}
  ~Filter() { destroy(); }

  WorkerVm* vm;
  Stream* stream;  // nullptr: destroyed
  std::thread::id worker = std::this_thread::get_id();
  std::array<Headers, 4> maps;
  std::array<std::string, 4> bodies;  // by BodyType
  bool received_is_held = false;      // a filter before this one has held back what comes
  std::map<std::string, std::string> state;
  std::vector<std::string> done;  // what was done to the stream, "reply 403"
  bool destroy_inside = false;    // what re-enters destroys the stream before it returns
  std::mutex mutex;
  std::condition_variable changed;
  size_t commits = 0;  // and not yet delivered
  size_t route_clears = 0;
  uint64_t buffer_limit = 0;
  std::string cluster;  // that the route leads to; empty: it leads to none

  void destroy() {
    if (stream != nullptr) std::exchange(stream, nullptr)->destroy();
  }
  // Waits until the stream is to be called on its worker; then it is.
  void run_scheduled() {
    {
      std::unique_lock lock(mutex);
      ASSERT_TRUE(changed.wait_for(lock, std::chrono::minutes(1), [&] { return commits > 0; }));
      commits = 0;
    }
    stream->scheduled();
  }
  void check_thread() const {
    EXPECT_EQ(std::this_thread::get_id(), worker) << "not on the stream's worker";
    EXPECT_NE(stream, nullptr) << "the stream is gone";
  }
  // We must not hold the lock: another thread has to get it, which may have to wait for the module's own.
  bool lock_is_free() const {
    bool free = false;
    std::thread([&] {
      const auto patience = std::chrono::steady_clock::now() + std::chrono::seconds(10);
      while (!(free = vm->mutex().try_lock()) && std::chrono::steady_clock::now() < patience) std::this_thread::yield();
      if (free) vm->mutex().unlock();
    }).join();
    return free;
  }
  void re_enter(std::string what) {
    check_thread();
    const bool free = lock_is_free();
    EXPECT_TRUE(free) << what << " with the VM's lock held";
    done.push_back(std::move(what));
    if (!free) return;
    if (destroy_inside) destroy();
  }
};
struct FilterScheduler {
  Filter* filter;
};

inline size_t number(BodyType type) {
  return static_cast<size_t>(type);
}

// --- the functions; weak, as they are declared, so that each test program's files may have them ---

void log(uint32_t level, View message) {
  if (level >= 3) std::fprintf(stderr, "%.*s\n", static_cast<int>(message.size), message.data);
}
bool log_enabled(uint32_t level) {
  return level >= 2;
}
uint32_t get_concurrency() {
  return 2;
}
ConfigScheduler* http_filter_config_scheduler_new(FilterConfig* config) {
  return new ConfigScheduler{config};
}
void http_filter_config_scheduler_commit(ConfigScheduler* scheduler, uint64_t) {
  const std::lock_guard lock(scheduler->config->mutex);
  ++scheduler->config->main_commits;
  scheduler->config->changed.notify_all();
}
void http_filter_config_scheduler_delete(ConfigScheduler* scheduler) {
  delete scheduler;
}
CallStart http_filter_config_http_callout(FilterConfig* config, uint64_t* id, View cluster, Field* headers,
                                          size_t count, View body, uint64_t) {
  EXPECT_EQ(std::this_thread::get_id(), config->main);
  AskedCall call{.id = config->calls.size() + 1, .cluster = std::string(cluster), .body = std::string(body)};
  for (size_t i = 0; i < count; ++i) call.headers.emplace_back(headers[i].name, headers[i].value);
  *id = call.id;
  config->calls.push_back(std::move(call));
  if (config->while_asking) std::exchange(config->while_asking, {})(*id);
  return config->next_start;
}
CallStart http_filter_config_start_http_stream(FilterConfig* config, uint64_t* id, View cluster, Field* headers,
                                               size_t count, View body, bool, uint64_t timeout) {
  return http_filter_config_http_callout(config, id, cluster, headers, count, body, timeout);
}
bool http_filter_config_stream_send_data(FilterConfig* config, uint64_t id, View data, bool end) {
  EXPECT_EQ(std::this_thread::get_id(), config->main);
  config->calls.at(id - 1).body.append(data);
  config->calls.at(id - 1).ended |= end;
  return true;
}
void http_filter_config_reset_http_stream(FilterConfig* config, uint64_t id) {
  EXPECT_EQ(std::this_thread::get_id(), config->main);
  config->calls.at(id - 1).reset = true;
}
uint32_t http_filter_config_define_counter(FilterConfig* config, View name, View*, size_t, size_t* id) {
  EXPECT_EQ(std::this_thread::get_id(), config->main);
  *id = config->statistics.size();
  config->statistics.emplace_back(name, 0);
  return 0;
}
uint32_t http_filter_config_define_gauge(FilterConfig* config, View name, View* labels, size_t count, size_t* id) {
  return http_filter_config_define_counter(config, name, labels, count, id);
}
uint32_t http_filter_config_define_histogram(FilterConfig* config, View name, View* labels, size_t count, size_t* id) {
  return http_filter_config_define_counter(config, name, labels, count, id);
}
uint32_t http_filter_config_record_histogram_value(FilterConfig* config, size_t, View*, size_t, uint64_t value) {
  config->recorded.push_back(value);
  return 0;
}
uint32_t http_filter_config_increment_counter(FilterConfig* config, size_t id, View*, size_t, uint64_t value) {
  EXPECT_EQ(std::this_thread::get_id(), config->main);
  config->statistics.at(id).second += value;
  return 0;
}
uint32_t http_filter_config_set_gauge(FilterConfig* config, size_t id, View*, size_t, uint64_t value) {
  EXPECT_EQ(std::this_thread::get_id(), config->main);
  config->statistics.at(id).second = value;
  return 0;
}
uint32_t http_filter_get_worker_index(Filter*) {
  return 0;
}
FilterScheduler* http_filter_scheduler_new(Filter* filter) {
  filter->check_thread();
  return new FilterScheduler{filter};
}
void http_filter_scheduler_commit(FilterScheduler* scheduler, uint64_t) {
  const std::lock_guard lock(scheduler->filter->mutex);
  ++scheduler->filter->commits;
  scheduler->filter->changed.notify_all();
}
void http_filter_scheduler_delete(FilterScheduler* scheduler) {
  delete scheduler;
}
bool http_get_header(Filter* filter, uint32_t map, View name, View* value, size_t, size_t*) {
  filter->check_thread();
  for (const auto& field : filter->maps[map]) {
    if (field.first != std::string_view(name)) continue;
    *value = field.second;
    return true;
  }
  return false;
}
size_t http_get_headers_size(Filter* filter, uint32_t map) {
  filter->check_thread();
  return filter->maps[map].size();
}
bool http_get_headers(Filter* filter, uint32_t map, Field* headers) {
  for (const auto& [name, value] : filter->maps[map]) *headers++ = {name, value};
  return true;
}
bool http_add_header(Filter* filter, uint32_t map, View name, View value) {
  filter->check_thread();
  filter->done.push_back("add " + std::string(name));
  filter->maps[map].emplace_back(name, value);
  return true;
}
bool http_set_header(Filter* filter, uint32_t map, View name, View value) {
  filter->check_thread();
  filter->done.push_back((value.data != nullptr ? "set " : "remove ") + std::string(name));
  const std::string key(name);
  std::erase_if(filter->maps[map], [&](const auto& field) { return field.first == key; });
  if (value.data != nullptr) filter->maps[map].emplace_back(key, value);
  return true;
}
void http_clear_route_cache(Filter* filter) {
  filter->check_thread();
  ++filter->route_clears;
}
bool http_get_cluster_name(Filter* filter, View* name) {
  filter->check_thread();
  *name = filter->cluster;
  return !filter->cluster.empty();
}
uint64_t http_get_buffer_limit(Filter* filter) {
  filter->check_thread();
  return filter->buffer_limit;
}
size_t http_get_body_size(Filter* filter, BodyType type) {
  filter->check_thread();
  return filter->bodies[number(type)].size();
}
// In pieces of three bytes.
size_t http_get_body_chunks_size(Filter* filter, BodyType type) {
  return (filter->bodies[number(type)].size() + 2) / 3;
}
bool http_get_body_chunks(Filter* filter, BodyType type, View* chunks) {
  std::string_view left = filter->bodies[number(type)];
  for (; !left.empty(); left.remove_prefix(std::min<size_t>(3, left.size()))) *chunks++ = left.substr(0, 3);
  return true;
}
bool http_append_body(Filter* filter, BodyType type, View data) {
  filter->bodies[number(type)].append(data);
  return true;
}
bool http_drain_body(Filter* filter, BodyType type, size_t bytes) {
  filter->bodies[number(type)].erase(0, bytes);
  return true;
}
bool http_received_buffered_request_body(Filter* filter) {
  return filter->received_is_held;
}
bool http_received_buffered_response_body(Filter* filter) {
  return filter->received_is_held;
}
void http_send_response(Filter* filter, uint32_t status, Field* headers, size_t count, View body, View) {
  std::string what = "reply " + std::to_string(status) + " " + std::string(body);
  for (size_t i = 0; i < count; ++i) what.append(" ").append(headers[i].name).append("=").append(headers[i].value);
  filter->re_enter(std::move(what));
}
void http_filter_continue_decoding(Filter* filter) {
  filter->re_enter("continue request");
}
void http_filter_continue_encoding(Filter* filter) {
  filter->re_enter("continue response");
}
void http_filter_reset_stream(Filter* filter, ResetReason, View details) {
  filter->re_enter("reset " + std::string(details));
}
bool http_set_filter_state_bytes(Filter* filter, View key, View value) {
  filter->check_thread();
  filter->state[std::string(key)] = std::string(value);
  return true;
}
bool http_get_filter_state_bytes(Filter* filter, View key, View* value) {
  filter->check_thread();
  const auto found = filter->state.find(std::string(key));
  if (found == filter->state.end()) return false;
  *value = found->second;
  return true;
}
bool http_set_filter_state_typed(Filter*, View, View) {
  return false;
}
bool http_get_filter_state_typed(Filter*, View, View*) {
  return false;
}
bool http_filter_get_attribute_string(Filter* filter, uint32_t, View*) {
  filter->check_thread();
  return false;
}
bool http_filter_get_attribute_int(Filter* filter, uint32_t, uint64_t*) {
  filter->check_thread();
  return false;
}
bool http_filter_get_attribute_bool(Filter* filter, uint32_t, bool*) {
  filter->check_thread();
  return false;
}

struct AccessLogger {
  std::array<Headers, 4> maps;
  std::map<uint32_t, std::string> texts;
};
uint32_t access_logger_get_worker_index(AccessLogger*) {
  return 7;  // of two
}
size_t access_logger_get_headers_size(AccessLogger* logger, uint32_t map) {
  return logger->maps[map].size();
}
bool access_logger_get_headers(AccessLogger* logger, uint32_t map, Field* headers) {
  for (const auto& [name, value] : logger->maps[map]) *headers++ = {name, value};
  return true;
}
bool access_logger_get_attribute_string(AccessLogger* logger, uint32_t id, View* value) {
  const auto found = logger->texts.find(id);
  if (found == logger->texts.end()) return false;
  *value = found->second;
  return true;
}

}  // namespace inlay::dynamic_module::envoy

namespace inlay::dynamic_module {

// A test with a configuration of one guest, in WebAssembly text, which the interpreter runs.
class FakeEnvoyTest : public testing::Test {
 protected:
  void configure(std::string_view guest, host::PluginConfig config = {}) {
    const auto bytes = compiler::wat_to_wasm(guest);
    ASSERT_TRUE(bytes) << bytes.error().to_string();
    const auto module = compiler::load_module(*bytes, {.kind = engine::EngineKind::kInterp});
    ASSERT_TRUE(module) << module.error().to_string();
    if (config.name.empty()) config.name = "test";
    Settings settings;
    settings.plugin = std::move(config);
    auto made = Configuration::start(&config_, std::move(settings), *module);
    ASSERT_TRUE(made) << made.error().to_string();
    configuration_ = *std::move(made);
  }
  // A stream with request headers.
  std::unique_ptr<envoy::Filter> filter(envoy::Headers more = {}) {
    auto made = std::make_unique<envoy::Filter>(*configuration_);
    made->maps[0] = {{":method", "GET"}, {":path", "/"}};
    for (auto& field : more) made->maps[0].push_back(std::move(field));
    return made;
  }
  // Ends a call-out, as Envoy does on its main thread.
  void answer(uint64_t id, envoy::Headers headers, std::string body = {},
              envoy::CallResult result = envoy::CallResult::kSuccess) {
    std::vector<envoy::Field> fields;
    for (const auto& [name, value] : headers) fields.push_back({name, value});
    const envoy::View chunk = body;
    configuration_->calls().on_done(id, result, fields.data(), fields.size(), &chunk, 1);
  }

  envoy::FilterConfig config_;
  std::unique_ptr<Configuration> configuration_;
};

}  // namespace inlay::dynamic_module
