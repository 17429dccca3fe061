// SPDX-License-Identifier: Apache-2.0
#include "host/vm.h"

#include <algorithm>
#include <cstring>

#include "host/flow_context.h"
#include "host/worker_impl.h"

namespace inlay::host {

using abi::Status;

namespace {

// What has run out of time may have time enough when it is tried again.
ErrorCode code_of(const engine::Trap& trap) {
  return trap.kind == engine::TrapKind::kDeadlineExceeded ? ErrorCode::kDeadlineExceeded : ErrorCode::kTrap;
}

std::string forbidden_text(std::string_view function) {
  return std::string("it calls ") + std::string(function) +
         ", which a module may do in its callbacks only, in Envoy too (\"restricted_callback\"); what is to be done "
         "once, "
         "such as defining metrics, belongs in proxy_on_vm_start or proxy_on_configure";
}

}  // namespace

Vm::Vm(Host::Impl& host, std::shared_ptr<const VmSpec> spec, Worker::Impl* worker)
    : host_(host),
      spec_(std::move(spec)),
      worker_(worker),
      count_(std::make_shared<VmCount>(host_, spec_->runtime)),
      shared_data_({spec_->names, &spec_->names->data}),
      metrics_(*host.options.metrics),
      call_outs_(*this, worker ? &worker->services.upstreams() : nullptr),
      grpc_calls_(*this, worker ? &worker->services.upstreams() : nullptr) {}

Vm::~Vm() {
  flush_output();
  host_.queues.unregister(this);
  disarm();
}

Result<std::unique_ptr<Vm>> Vm::create(Host::Impl& host, std::shared_ptr<const VmSpec> spec, Worker::Impl* worker) {
  std::unique_ptr<Vm> vm(new Vm(host, std::move(spec), worker));
  const VmSpec& made_from = *vm->spec_;
  INLAY_TRY(vm->instance_,
            engine::Instance::create(made_from.module, made_from.imports(), vm.get(), host.options.limits));
  if (!vm->forbidden_.empty())
    return Error{ErrorCode::kInvalidArgument, forbidden_text(vm->forbidden_), "the module's start function"};
  if (auto resolved = vm->resolve_callbacks(); !resolved) return std::move(resolved).error();
  if (auto initialized = vm->initialize(); !initialized) return std::move(initialized).error();
  vm->initializing_ = false;
  return vm;
}

// While the start function runs there is no instance to stop yet: create() looks afterwards.
void Vm::forbid(std::string_view function) {
  if (!forbidden_.empty()) return;
  forbidden_ = function;
  if (instance_) instance_->raise({engine::TrapKind::kHost, forbidden_text(function)});
}

Result<> Vm::resolve_callbacks() {
  Result<> result;
  auto resolve = [&](std::string_view name, auto& handle) {
    const engine::Export* found = spec_->module->find_export(name);
    if (found == nullptr || found->kind != engine::ExternKind::kFunction || found->type != function_type(handle))
      return;
    resolve_into(name, handle, result);
  };
  resolve("proxy_on_memory_allocate", callbacks_.memory_allocate);
  if (!callbacks_.memory_allocate) resolve("malloc", callbacks_.memory_allocate);
  Callbacks::for_each(callbacks_, [&](std::string_view name, auto& handle) {
    if (spec_->allows(name)) resolve(name, handle);
  });
  return result;
}

template <class Signature>
void Vm::resolve_into(std::string_view name, Callback<Signature>& handle, Result<>& result) {
  auto found = instance_->function<Signature>(name);
  if (found)
    handle = *found;
  else
    result = std::move(found).error();
}

template <class Signature, class... P>
Result<bool> Vm::run_export(std::string_view name, P... args) {
  const engine::Export* e = spec_->module->find_export(name);
  if (e == nullptr || e->kind != engine::ExternKind::kFunction) return false;
  if (e->type != function_type(Callback<Signature>())) return false;
  INLAY_TRY(auto f, instance_->function<Signature>(name));
  running_ = true;
  auto called = instance_->call(f, args...);
  running_ = false;
  if (called) return true;
  dead_ = true;
  trap_message_ = called.error().message;
  trap_code_ = code_of(called.error());
  return Error{trap_code_, trap_message_ + last_words(), std::string(name)};
}

Result<> Vm::initialize() {
  INLAY_TRY(const bool reactor, run_export<void()>("_initialize"));
  if (!reactor) {
    INLAY_RETURN_IF_ERROR(run_export<void()>("_start"));
    return {};
  }
  INLAY_TRY(const bool main, (run_export<uint32_t(uint32_t, uint32_t)>("main", 0u, 0u)));
  if (main) return {};
  INLAY_TRY(const bool plain_main, run_export<uint32_t()>("main"));
  if (plain_main) return {};
  INLAY_RETURN_IF_ERROR(run_export<uint32_t()>("__main_void"));
  return {};
}

Result<RootContext*> Vm::start(const std::shared_ptr<const PluginImpl>& plugin) {
  for (const auto& root : roots_)
    if (root->plugin().key() == plugin->key()) return root.get();
  auto made = std::make_unique<RootContext>(*this, plugin);
  RootContext& root = *made;
  roots_.push_back(std::move(made));
  contexts_.add(root);
  starting_ = true;
  last_line_.clear();
  auto started = run_start_callbacks(root);
  starting_ = false;
  root.phase = RootContext::Phase::kRunning;
  if (started) return &root;
  contexts_.remove(root.id);
  root.disarm();
  if (!dead_) std::erase_if(roots_, [&](const auto& r) { return r.get() == &root; });
  return std::move(started).error();
}

Result<> Vm::run_start_callbacks(RootContext& root) {
  const PluginConfig& config = root.plugin().config();
  auto failed = [&](const std::string& callback) {
    std::string what = callback + (dead_ ? " failed: " + trap_message_ : " returned false");
    what += last_words();
    return Error{dead_ ? trap_code_ : ErrorCode::kFailedPrecondition, std::move(what), "plugin " + config.name};
  };
  auto step = [&](const auto& f, RootContext::Phase phase, size_t size) {
    root.phase = phase;
    if (!f) return true;
    const auto answer = call(root, f, root.id, static_cast<uint32_t>(size));
    run_deferred();
    return answer && *answer != 0;
  };
  root.phase = RootContext::Phase::kCreate;
  if (callbacks_.on_context_create && !call(root, callbacks_.on_context_create, root.id, 0u))
    return failed("proxy_on_context_create");
  if (!step(callbacks_.on_vm_start, RootContext::Phase::kVmStart, spec_->vm_configuration.size()))
    return failed("proxy_on_vm_start");
  if (!step(callbacks_.on_configure, RootContext::Phase::kConfigure, config.configuration.size()))
    return failed("proxy_on_configure");
  return {};
}

void Vm::on_trap(engine::Trap trap, Context& context) {
  if (dead_) return;
  if (trap.kind == engine::TrapKind::kDeadlineExceeded) report(Hazard::kEndlessLoop, context);
  dead_ = true;
  trap_code_ = code_of(trap);
  trap_message_ = std::move(trap.message);
  trap_backtrace_ = std::move(trap.backtrace);
  if (trap_message_.empty()) trap_message_ = engine::to_string(trap.kind);
  deferred_.clear();
  flush_output();
  if (worker_ != nullptr) worker_->vm_failed(*this);
}

void Vm::run_deferred_slowly() {
  after_call_ = false;
  flush_output();
  while (!deferred_.empty()) {
    FlowContext* context = deferred_.front();
    deferred_.erase(deferred_.begin());
    context->run_deferred();
  }
}

bool Vm::was_ended(uint32_t id) const {
  return std::find(ended_.begin(), ended_.end(), contexts_.serial_of(id)) != ended_.end();
}

bool Vm::set_effective_context(uint32_t id) {
  if (called_ == nullptr) return false;
  Context* context = id == 0 ? called_ : contexts_.find(id);
  if (context == nullptr) {
    if (call_response_ != nullptr && was_ended(id)) [[unlikely]]
      report(Hazard::kAnsweredTwice, *called_);
    return false;
  }
  current_ = context;
  return true;
}

bool Vm::write_u64(uint32_t pointer, uint64_t value) {
  char* to = writable(pointer, sizeof(value));
  if (to == nullptr) return false;
  std::memcpy(to, &value, sizeof(value));
  return true;
}

Status Vm::return_bytes(std::string_view bytes, uint32_t return_data, uint32_t return_size) {
  return return_filled(bytes.size(), return_data, return_size,
                       [&](char* to) { std::memcpy(to, bytes.data(), bytes.size()); });
}

void Vm::remember(std::string_view line) {
  constexpr size_t kLongest = 512;
  last_line_ = line.substr(0, kLongest);
  if (line.size() > kLongest) last_line_ += "...";
}

std::string Vm::last_words() const {
  return last_line_.empty() ? "; it has logged nothing" : "; the last line that it logged: " + last_line_;
}

std::string_view Vm::log_prefix() const {
  if (current_ == nullptr) return "wasm log: ";
  return current_->root->log_prefix(current_->kind == Context::Kind::kRoot);
}

void Vm::log(abi::LogLevel level, std::string_view message) {
  log_as(log_prefix(), level, message);
}

void Vm::print(bool error, std::string_view text) {
  const auto level = error ? abi::LogLevel::kError : abi::LogLevel::kInfo;
  GuestOutput& output = output_[error ? 1 : 0];
  if (const std::string_view record = output.add(text); !record.empty()) log(level, record);
  if (!output.unended()) return;
  after_call_ = true;
  output_prefix_ = log_prefix();
}

void Vm::flush_output() {
  for (size_t i = 0; i < output_.size(); ++i) {
    if (output_[i].unended())
      log_as(output_prefix_, i == 0 ? abi::LogLevel::kInfo : abi::LogLevel::kError, output_[i].take());
  }
}

void Vm::log_as(std::string_view prefix, abi::LogLevel level, std::string_view message) {
  const Log& log = *host_.options.log;
  if (starting_) remember(message);
  if (level < log.level("wasm")) return;
  const size_t cut = message.size() - std::min(message.size(), limits::kLogLine);
  message.remove_suffix(cut);
  if (!may_log(message.size())) return;
  auto line = std::string(prefix).append(message);
  if (cut > 0) line.append("... (").append(std::to_string(cut)).append(" more bytes)");
  host_.log(level, line);
}

bool Vm::may_log(size_t size) {
  constexpr int64_t kSecond = 1'000'000'000;
  constexpr size_t kLineCost = 128;  // time stamp, prefix
  const int64_t now = host_.options.clock->monotonic_time();
  if (now - log_window_ >= kSecond) {
    if (log_dropped_ > 0) {
      host_.log(abi::LogLevel::kWarn, "dropped " + std::to_string(log_dropped_) + " log lines of the VM " +
                                          spec_->vm_id + ": more than 16 MiB in a second");
    }
    log_window_ = now;
    log_bytes_ = 0;
    log_dropped_ = 0;
  }
  log_bytes_ += size + kLineCost;
  if (log_bytes_ <= limits::kLogBytesPerSecond) return true;
  ++log_dropped_;
  return false;
}

Status Vm::over_limit(GuestLimit limit) {
  const uint32_t bit = 1u << static_cast<uint32_t>(limit);
  if ((limits_told_ & bit) == 0) {
    limits_told_ |= bit;
    std::string who = "a guest";
    if (current_ != nullptr) who = "plugin " + current_->root->plugin().config().name;
    host_.log(abi::LogLevel::kWarn, who + " was refused " + std::string(describe(limit)) + "; this is said once a VM");
  }
  return Status::kInternalFailure;
}

void Vm::report(Hazard hazard, const Context& context) {
  host_.count(hazard);
  size_t place = 0;
  size_t at = 0;
  std::string_view callback = "a callback";
  Callbacks::for_each(callbacks_, [&](std::string_view row, const auto& handle) {
    if (static_cast<const void*>(&handle) == callback_) {
      place = at;
      callback = row;
    }
    ++at;
  });
  const PluginImpl& plugin = context.root->plugin();
  if (!plugin.tell_once(hazard, place)) return;
  const HazardText& text = describe(hazard);
  host_.log(abi::LogLevel::kWarn, std::string("plugin ")
                                      .append(plugin.config().name)
                                      .append(" in ")
                                      .append(callback)
                                      .append(" ")
                                      .append(text.what)
                                      .append("; in Envoy ")
                                      .append(text.in_envoy)
                                      .append(" (hazard ")
                                      .append(text.name)
                                      .append(")"));
}

void Vm::log_restricted(std::string_view function) {
  log(abi::LogLevel::kError,
      std::string("the guest called ").append(function).append(", which allowed_capabilities does not allow"));
}

std::vector<FlowContext*> Vm::detach_flows() {
  std::vector<FlowContext*> flows;
  contexts_.for_each([&](Context& c) {
    if (FlowContext* flow = c.flow()) flows.push_back(flow);
  });
  std::vector<FlowContext*> waiting;
  for (FlowContext* flow : flows) {
    contexts_.remove(flow->id);
    if (flow->detach()) waiting.push_back(flow);
  }
  return waiting;
}

void Vm::disarm() {
  for (const auto& root : roots_) root->disarm();
  call_outs_.cancel_all();
  grpc_calls_.cancel_all();
}

void Vm::shut_down(RootContext& root) {
  shut_down_ = true;
  bool waits = false;  // for proxy_done, which nobody can call any more
  if (callbacks_.on_done) {
    const auto done = call(root, callbacks_.on_done, root.id);
    waits = done && *done == 0;
  }
  if (callbacks_.on_delete && !waits) (void)call(root, callbacks_.on_delete, root.id);
}

void Vm::end(RootContext& root) {
  shut_down(root);
  shut_down_ = false;
  contexts_.remove(root.id);
  root.disarm();
  if (!dead_) std::erase_if(roots_, [&](const auto& one) { return one.get() == &root; });
}

void Vm::queue_ready(uint32_t root_id, uint32_t queue) {
  Context* root = contexts_.find(root_id);
  if (dead_ || root == nullptr || !callbacks_.on_queue_ready) return;
  (void)call(*root, callbacks_.on_queue_ready, root_id, queue);
  run_deferred();
}

void Vm::http_call_done(uint32_t root_id, uint32_t token, HttpCallResponse response) {
  Context* root = contexts_.find(root_id);
  if (dead_ || shut_down_ || root == nullptr || !callbacks_.on_http_call_response) return;
  call_response_ = &response;
  (void)call(*root, callbacks_.on_http_call_response, root_id, token, static_cast<uint32_t>(response.headers.size()),
             static_cast<uint32_t>(response.body.size()), static_cast<uint32_t>(response.trailers.size()));
  call_response_ = nullptr;
  run_deferred();
}

void Vm::show_grpc(uint32_t root_id, uint32_t token, const Callback<void(uint32_t, uint32_t, uint32_t)>& callback,
                   const GrpcEvent& event, uint32_t value) {
  Context* root = contexts_.find(root_id);
  if (dead_ || shut_down_ || root == nullptr || !callback) return;
  grpc_event_ = event;
  (void)call(*root, callback, root_id, token, value);
  grpc_event_ = GrpcEvent();
  run_deferred();
}

}  // namespace inlay::host
