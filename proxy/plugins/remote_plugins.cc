// SPDX-License-Identifier: Apache-2.0
#include "proxy/plugins/remote_plugins.h"

#include <algorithm>
#include <string>
#include <utility>

namespace inlay::proxy::plugins {

using std::chrono::milliseconds;

namespace {

// Between failed fetches; no shorter than they are remembered.
constexpr milliseconds kFirstPause = RemoteCode::kForgetFailure;
constexpr milliseconds kLongestPause = std::chrono::minutes(1);

std::string_view until_then(const host::PluginConfig& config) {
  return config.failure_policy == host::FailurePolicy::kFailOpen ? "requests pass without it until then"
                                                                 : "requests are refused until then";
}

}  // namespace

config::WasmPlugin with_code(const config::WasmPlugin& wasm, Code code) {
  config::WasmPlugin whole = wasm;
  whole.code.bytes = std::move(code);
  return whole;
}

struct RemotePlugins::Missing {
  Missing(RemotePlugins& owner, const config::WasmPlugin& w, std::shared_ptr<host::Plugin> p)
      : wasm(w), placeholder(std::move(p)), retry(owner.loop_, [this, &owner] { owner.fetch(*this); }) {}

  const config::WasmPlugin& wasm;
  const std::shared_ptr<host::Plugin> placeholder;
  bool settled = false;
  milliseconds pause = kFirstPause;
  net::Timer retry;
  std::jthread compiling;
};

RemotePlugins::RemotePlugins(net::EventLoop& loop, RemoteCode& code, ModuleStore& modules, host::Host& host,
                             logging::Logger& log, Observer& observer)
    : loop_(loop),
      code_(code),
      modules_(modules),
      host_(host),
      log_(log),
      observer_(observer),
      alive_(std::make_shared<bool>(true)) {}

RemotePlugins::~RemotePlugins() {
  *alive_ = false;
  for (Missing& missing : missing_) modules_.outlive(std::move(missing.compiling));
}

Result<std::shared_ptr<host::Plugin>> RemotePlugins::create(const config::WasmPlugin& wasm) {
  if (Code code = code_.find(*wasm.code.remote)) return modules_.create_plugin(with_code(wasm, std::move(code)));
  auto placeholder = host_.create_plugin_without_code(wasm.plugin);
  missing_.emplace_back(*this, wasm, placeholder);
  return placeholder;
}

bool RemotePlugins::worth_waiting_for(const host::Plugin& plugin) const {
  return std::any_of(missing_.begin(), missing_.end(),
                     [&](const Missing& m) { return m.placeholder.get() == &plugin && !m.settled; });
}

void RemotePlugins::start() {
  for (Missing& missing : missing_) fetch(missing);
}

void RemotePlugins::fetch(Missing& missing) {
  code_.fetch(*missing.wasm.code.remote, [this, &missing](const Result<Code>& code) { on_code(missing, code); });
}

void RemotePlugins::on_code(Missing& missing, const Result<Code>& code) {
  if (code) {
    auto compile = [this, alive = alive_, &loop = loop_, &modules = modules_, &missing,
                    wasm = with_code(missing.wasm, *code)] {
      auto plugin = modules.create_plugin(wasm);
      loop.post([this, alive, &missing, plugin = std::move(plugin)] {
        if (*alive) on_compiled(missing, plugin);
      });
    };
    missing.compiling = std::jthread(std::move(compile));
    return;
  }
  log_.error("wasm", "the code of plugin " + missing.wasm.plugin.name + " could not be fetched from " +
                         missing.wasm.code.remote->uri + ": " + code.error().message + "; trying again in " +
                         std::to_string(missing.pause.count() / 1000) + " s, " +
                         std::string(until_then(missing.wasm.plugin)));
  missing.retry.arm(missing.pause);
  missing.pause = std::min(2 * missing.pause, kLongestPause);
  settle(missing);
}

void RemotePlugins::on_compiled(Missing& missing, Result<std::shared_ptr<host::Plugin>> plugin) {
  missing.compiling.join();
  if (plugin)
    observer_.on_plugin(missing.placeholder, *std::move(plugin));
  else
    log_.error("wasm", plugin.error().to_string() + "; its failure policy answers for it from now on");
  settle(missing);
}

void RemotePlugins::settle(Missing& missing) {
  if (std::exchange(missing.settled, true)) return;
  observer_.on_settled(*missing.placeholder);
}

}  // namespace inlay::proxy::plugins
