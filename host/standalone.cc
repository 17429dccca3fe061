// SPDX-License-Identifier: Apache-2.0
#include "host/standalone.h"

#include <array>
#include <utility>

namespace inlay::host {
namespace {

std::string_view level_name(abi::LogLevel level) {
  constexpr std::array<std::string_view, 6> kNames = {"trace", "debug", "info", "warn", "error", "critical"};
  const auto at = static_cast<size_t>(level);
  return at < kNames.size() ? kNames[at] : "?";
}

// Never fires.
class NoTimer final : public Timer {
 public:
  void arm(std::chrono::milliseconds) override {}
  void disarm() override {}
};

}  // namespace

abi::LogLevel LineLog::level(std::string_view) const {
  return level_;
}

void LineLog::write(abi::LogLevel level, std::string_view component, std::string_view message) {
  if (level < level_) return;
  const std::lock_guard lock(mutex_);
  out_ << '[' << level_name(level) << "][" << component << "] " << message << '\n' << std::flush;
}

void NoServices::run_posted() {
  for (;;) {
    std::vector<std::function<void()>> tasks;
    {
      const std::lock_guard lock(mutex_);
      tasks.swap(posted_);
    }
    if (tasks.empty()) return;
    for (const auto& task : tasks) task();
  }
}

std::unique_ptr<Timer> NoServices::create_timer(std::function<void()>) {
  return std::make_unique<NoTimer>();
}

void NoServices::post(std::function<void()> task) {
  const std::lock_guard lock(mutex_);
  posted_.push_back(std::move(task));
}

abi::Status NoServices::get_property(const std::vector<std::string_view>&, std::string&) {
  return abi::Status::kNotFound;
}

Result<uint64_t> NoServices::start_http_call(HttpCallRequest request, HttpCallHandler&) {
  return Error{ErrorCode::kNotFound, "there is no cluster " + request.cluster, ""};
}

http::HeaderMap* StandaloneRequest::headers(abi::MapType type, bool writable) {
  if (type == abi::MapType::kHttpRequestHeaders) return writable && response_headers ? nullptr : &request_headers;
  if (type == abi::MapType::kHttpResponseHeaders && response_headers) return &*response_headers;
  return nullptr;
}

void StandaloneRequest::send_local_reply(LocalReply reply) {
  if (response_headers) return reset(reply.details);
  if (!local_reply) local_reply = std::move(reply);
}

void StandaloneRequest::reset(std::string_view details) {
  if (!reset_details) reset_details = std::string(details);
}

abi::Status StandaloneRequest::get_property(const std::vector<std::string_view>& path, std::string& value) {
  std::string name;  // as set_property() has it, with a NUL between parts
  for (size_t i = 0; i < path.size(); ++i) name.append(i == 0 ? 0 : 1, '\0').append(path[i]);
  const auto found = filter_state.find(name);
  if (found == filter_state.end()) return abi::Status::kNotFound;
  value = found->second;
  return abi::Status::kOk;
}

abi::Status StandaloneRequest::set_property(std::string_view path, std::string_view value,
                                            const PropertyTraits& traits) {
  const std::string name(path);
  const auto known = traits_.try_emplace(name, traits);
  if (!known.second && known.first->second.read_only) return abi::Status::kBadArgument;
  filter_state[name] = value;
  return abi::Status::kOk;
}

}  // namespace inlay::host
