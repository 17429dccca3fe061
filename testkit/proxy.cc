// SPDX-License-Identifier: Apache-2.0
#include "testkit/proxy.h"

#include "compiler/compiler.h"

namespace inlay::testkit {

TestProxy::TestProxy(ProxyOptions options) : options_(std::move(options)) {
  host::HostOptions to_host;
  to_host.metrics = &metrics_;
  to_host.clock = &clock_;
  to_host.log = &log_;
  to_host.limits = options_.limits;
  to_host.envoy_strict = options_.envoy_strict;
  to_host.compat_legacy_properties = options_.compat_legacy_properties;
  to_host.fail_hazards = options_.fail_hazards;
  host_ = std::make_unique<host::Host>(to_host);
  for (size_t i = 0; i < options_.workers; ++i) workers_.push_back(std::make_unique<TestWorker>(*host_, clock_));
}

Result<std::shared_ptr<engine::Module>> TestProxy::compile(std::span<const uint8_t> wasm) const {
  compiler::LoadOptions load;
  load.kind = options_.engine;
  load.tiering = false;  // one kind of code for the whole of a test
  return compiler::load_module(wasm, load);
}

Result<host::WorkerPlugin*> TestProxy::load(std::span<const uint8_t> wasm, host::PluginConfig config) {
  INLAY_TRY(auto module, compile(wasm));
  return load(std::move(module), std::move(config));
}

Result<host::WorkerPlugin*> TestProxy::load(std::shared_ptr<engine::Module> module, host::PluginConfig config) {
  INLAY_TRY(auto plugin, host_->create_plugin(std::move(config), std::move(module)));
  attached_.clear();
  for (const auto& worker : workers_) attached_.push_back(worker->worker().attach(plugin));
  return attached_.at(0);
}

std::unique_ptr<TestConnection> TestProxy::connection(host::WorkerPlugin& plugin) {
  return std::make_unique<TestConnection>(plugin);
}

std::unique_ptr<TestStream> TestProxy::stream(host::WorkerPlugin& plugin, const HeaderList& headers) {
  return std::make_unique<TestStream>(plugin, headers);
}

void TestProxy::run() {
  for (const auto& worker : workers_) worker->run_posted();
}

void TestProxy::advance(std::chrono::nanoseconds by) {
  const int64_t until = clock_.elapsed() + by.count();
  for (;;) {
    for (const auto& worker : workers_) worker->run_due();
    int64_t next = -1;
    for (const auto& worker : workers_) {
      const int64_t due = worker->next_due();
      if (due >= 0 && (next < 0 || due < next)) next = due;
    }
    if (next < 0 || next > until) break;
    if (next > clock_.elapsed()) clock_.move(std::chrono::nanoseconds(next - clock_.elapsed()));
  }
  clock_.move(std::chrono::nanoseconds(until - clock_.elapsed()));
  run();
}

int64_t TestProxy::metric(std::string_view name) const {
  int64_t value = 0;
  metrics_.for_each([&](const stats::MetricView& view) {
    if (view.name == name) value = view.value;
  });
  return value;
}

}  // namespace inlay::testkit
