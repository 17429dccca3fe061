// SPDX-License-Identifier: Apache-2.0
#include "dynamic_module/worker_vm.h"

#include <chrono>
#include <utility>

#include "dynamic_module/node.h"

namespace inlay::dynamic_module {
namespace {

// A timer of a guest. Used with the VM's lock held; it fires on the module's thread, which takes the lock first, so
// that what was armed may be disarmed by then.
class VmTimer final : public host::Timer {
 public:
  VmTimer(std::recursive_mutex& mutex, TaskThread& thread, std::function<void()> on_fire)
      : mutex_(mutex), thread_(thread), on_fire_(std::make_shared<std::function<void()>>(std::move(on_fire))) {}
  ~VmTimer() override { disarm(); }

  void arm(std::chrono::milliseconds after) override {
    disarm();
    armed_ = std::make_shared<bool>(true);
    task_ = thread_.run_at(TaskThread::Clock::now() + after, [&mutex = mutex_, armed = armed_, fire = on_fire_] {
      const std::lock_guard lock(mutex);
      if (std::exchange(*armed, false)) (*fire)();
    });
  }
  void disarm() override {
    if (armed_ == nullptr) return;
    *armed_ = false;
    armed_ = nullptr;
    thread_.cancel(task_);
  }

 private:
  std::recursive_mutex& mutex_;
  TaskThread& thread_;
  const std::shared_ptr<std::function<void()>> on_fire_;  // kept while it runs, whatever becomes of the timer
  std::shared_ptr<bool> armed_;
  TaskThread::Id task_ = 0;
};

}  // namespace

WorkerVm::WorkerVm(host::Host& host, std::string node, TaskThread& thread) : node_(std::move(node)), thread_(thread) {
  const std::lock_guard lock(mutex_);
  worker_ = std::make_unique<host::Worker>(host, *this);
}

WorkerVm::~WorkerVm() {
  const std::lock_guard lock(mutex_);
  worker_.reset();
}

host::WorkerPlugin* WorkerVm::join(VmMember* member, std::shared_ptr<host::Plugin> plugin) {
  const std::lock_guard lock(mutex_);
  if (member != nullptr) members_.push_back(member);
  return worker_->attach(std::move(plugin));
}

void WorkerVm::leave(VmMember* member, const host::Plugin& plugin) {
  const std::lock_guard lock(mutex_);
  std::erase(members_, member);
  worker_->detach(plugin);
  if (member != nullptr) reset_calls_of(*member);
}

void WorkerVm::reset_calls_of(const VmMember& member) {
  for (auto& [id, call] : waiting_) {
    if (call.by != &member) continue;
    call.by = nullptr;
    thread_.post([this, call_id = id] {
      host::HttpCallResponse response;
      response.reset = true;
      answer(call_id, std::move(response));
    });
  }
  for (auto& [id, stream] : call_streams_) {
    if (stream.by != &member) continue;
    stream.by = nullptr;
    thread_.post([this, stream_id = id] {
      MainStreams::Event event;
      event.details = "upstream_reset";
      stream_event(stream_id, event);
    });
  }
}

std::unique_ptr<host::Timer> WorkerVm::create_timer(std::function<void()> on_fire) {
  return std::make_unique<VmTimer>(mutex_, thread_, std::move(on_fire));
}

void WorkerVm::post(std::function<void()> task) {
  thread_.post([this, task = std::move(task)] {
    const std::lock_guard lock(mutex_);
    task();
  });
}

abi::Status WorkerVm::get_property(const std::vector<std::string_view>& path, std::string& value) {
  return get_root_property(node_, path, value);
}

Result<uint64_t> WorkerVm::start_http_call(host::HttpCallRequest request, host::HttpCallHandler& handler) {
  VmMember* const by = member();
  const uint64_t id = ++last_call_;
  const bool started =
      by != nullptr && by->calls.start(std::move(request), [this, id](host::HttpCallResponse response) {
        auto kept = std::make_shared<host::HttpCallResponse>(std::move(response));
        thread_.post([this, id, kept = std::move(kept)] { answer(id, std::move(*kept)); });
      });
  if (!started) return Error{ErrorCode::kUnavailable, "the configuration is going away", ""};
  waiting_.emplace(id, Call{&handler, by});
  return id;
}

void WorkerVm::answer(uint64_t call_id, host::HttpCallResponse response) {
  const std::lock_guard lock(mutex_);
  const auto found = waiting_.extract(call_id);
  if (!found.empty()) found.mapped().handler->on_http_call_response(call_id, std::move(response));
}

Result<uint64_t> WorkerVm::start_call_stream(host::CallStreamRequest request, host::CallStreamHandler& handler) {
  VmMember* const by = member();
  if (by == nullptr) return Error{ErrorCode::kUnavailable, "the configuration is going away", ""};
  const uint64_t id = ++last_call_;
  auto handle = by->streams.start(std::move(request), [this, id](MainStreams::Event event) {
    auto kept = std::make_shared<MainStreams::Event>(std::move(event));
    thread_.post([this, id, kept = std::move(kept)] { stream_event(id, *kept); });
  });
  if (handle == nullptr) return Error{ErrorCode::kUnavailable, "the configuration is going away", ""};
  call_streams_.emplace(id, CallStream{&handler, std::move(handle), by});
  return id;
}

bool WorkerVm::send_to_call_stream(uint64_t stream_id, Buffer& data, bool end_stream) {
  const auto found = call_streams_.find(stream_id);
  if (found != call_streams_.end() && found->second.by != nullptr)
    found->second.by->streams.send(found->second.handle, data.to_string(), end_stream);
  data.clear();
  return true;
}

void WorkerVm::cancel_call_stream(uint64_t stream_id) {
  const auto found = call_streams_.extract(stream_id);
  if (!found.empty() && found.mapped().by != nullptr) found.mapped().by->streams.reset(found.mapped().handle);
}

void WorkerVm::stream_event(uint64_t stream_id, MainStreams::Event& event) {
  using Kind = MainStreams::Event::Kind;
  const std::lock_guard lock(mutex_);
  const auto found = call_streams_.find(stream_id);
  if (found == call_streams_.end()) return;
  host::CallStreamHandler& handler = *found->second.handler;
  if (event.end) call_streams_.erase(found);
  switch (event.kind) {
    case Kind::kHeaders:
      return handler.on_call_stream_headers(stream_id, event.fields, event.end, event.details);
    case Kind::kData:
      return handler.on_call_stream_data(stream_id, event.data, event.end);
    case Kind::kTrailers:
      return handler.on_call_stream_trailers(stream_id, event.fields);
    case Kind::kReset:
      return handler.on_call_stream_reset(stream_id, event.details);
  }
}

}  // namespace inlay::dynamic_module
