// SPDX-License-Identifier: Apache-2.0
#include "host/guest_limits.h"
#include "host/http_context_impl.h"
#include "host/tcp_context_impl.h"
#include "host/vm.h"
#include "host/worker_impl.h"

namespace inlay::host {
namespace {

void append_part(std::string& prefix, const std::string& part) {
  if (!part.empty()) prefix.append(" ").append(part);
}

}  // namespace

TcpContextImpl* Context::connection() {
  return kind == Kind::kConnection ? static_cast<TcpContextImpl*>(this) : nullptr;
}
FlowContext* Context::flow() {
  return kind == Kind::kRoot ? nullptr : static_cast<FlowContext*>(this);
}

HttpStream* Context::http() {
  if (kind == Kind::kStream) return static_cast<HttpContextImpl*>(this)->http();
  return kind == Kind::kRoot ? static_cast<RootContext*>(this)->logged_stream() : nullptr;
}

AttributeSource* Context::attributes() {
  if (FlowContext* one = flow()) return one->embedder();
  return static_cast<RootContext*>(this)->logged_stream();
}

bool Context::logging() {
  if (FlowContext* one = flow()) return one->in_log();
  return static_cast<RootContext*>(this)->logged_stream() != nullptr;
}

RootContext::RootContext(Vm& owner, std::shared_ptr<const PluginImpl> plugin)
    : Context(Kind::kRoot), plugin_(std::move(plugin)) {
  vm = &owner;
  root = this;
  const PluginConfig& config = plugin_->config();
  root_prefix_ = stream_prefix_ = "wasm log";
  append_part(stream_prefix_, config.name);
  for (std::string* prefix : {&root_prefix_, &stream_prefix_}) {
    append_part(*prefix, config.root_id);
    append_part(*prefix, config.vm_id);
    prefix->append(": ");
  }
}

bool RootContext::declare_property(std::string_view path, const PropertyTraits& traits) {
  if (declared_.size() >= limits::kProperties || path.size() > limits::kPropertyPath) return false;
  return declared_.emplace(path, traits).second;
}

PropertyTraits RootContext::property_traits(std::string_view path) const {
  const auto found = declared_.find(path);
  return found == declared_.end() ? PropertyTraits() : found->second;
}

void RootContext::set_tick_period(std::chrono::milliseconds period) {
  tick_period_ = period;
  if (vm->worker() == nullptr) return;  // The canary's time stands still.
  if (period.count() == 0) return disarm();
  if (!timer_) timer_ = vm->worker()->services.create_timer([this] { tick(); });
  timer_->arm(period);
}

// The timer itself stays: this may run inside of its own callback.
void RootContext::disarm() {
  tick_period_ = {};
  if (timer_) timer_->disarm();
}

void RootContext::log(HttpStream& stream) {
  Vm& mine = *vm;
  if (!mine.callbacks().on_log) return;
  logged_stream_ = &stream;
  (void)mine.call(*this, mine.callbacks().on_log, id);
  logged_stream_ = nullptr;
  mine.run_deferred();
}

void RootContext::tick() {
  if (vm->dead() || tick_period_.count() == 0) return;
  Vm& mine = *vm;
  if (mine.callbacks().on_tick) (void)mine.call(*this, mine.callbacks().on_tick, id);
  if (!mine.dead() && tick_period_.count() != 0) timer_->arm(tick_period_);
  mine.run_deferred();
}

}  // namespace inlay::host
