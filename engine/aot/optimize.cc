// SPDX-License-Identifier: Apache-2.0
#include "engine/aot/optimize.h"

#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <condition_variable>
#include <cstring>
#include <filesystem>

#include "engine/aot/aot_module.h"
#include "engine/aot/open.h"
#include "engine/aot/shim.h"

namespace inlay::engine::aot {
namespace {

using Clock = std::chrono::steady_clock;

// What is left over of the machine is ours, not what the proxy needs. Children inherit it.
constexpr int kNice = 10;

// Turn lets one background compilation run at a time in the process: each takes a core and much memory.
class Turn {
 public:
  // Waits. Test with taken(): false if `stop` came first.
  explicit Turn(const std::stop_token& stop) {
    std::unique_lock lock(state().mutex);
    taken_ = state().free.wait(lock, stop, [] { return !state().busy; });
    if (taken_) state().busy = true;
  }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;
  ~Turn() {
    if (!taken_) return;
    {
      const std::lock_guard lock(state().mutex);
      state().busy = false;
    }
    state().free.notify_one();
  }
  bool taken() const { return taken_; }

 private:
  struct State {
    std::mutex mutex;
    std::condition_variable_any free;
    bool busy = false;
  };
  static State& state() {
    static auto* the_state = new State;  // threads may outlive static destructors
    return *the_state;
  }
  bool taken_ = false;
};

std::chrono::milliseconds since(Clock::time_point begun) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - begun);
}

}  // namespace

Result<Translation> translate(std::span<const uint8_t> bytes, const Description& description, const std::string& key) {
  INLAY_TRY(GeneratedC c, write_c(bytes));
  INLAY_TRY(std::string shim, make_shim(c, description, key));
  return Translation{std::move(c), std::move(shim), write_description(description)};
}

void AotModule::begin_optimizing(OptimizeJob job) {
  // The thread takes no signal of the process.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  optimizer_ = std::thread([this, job = std::move(job)]() mutable {
    const std::stop_callback also(job.stop, [this] { stop_.request_stop(); });
    const std::stop_token stop = stop_.get_token();
    setpriority(PRIO_PROCESS, static_cast<id_t>(syscall(SYS_gettid)), kNice);
    const Turn turn(stop);
    if (!turn.taken()) return;
    const auto begun = Clock::now();
    const auto optimized = optimize(job, stop);
    if (stop.stop_requested() || !job.on_tier) return;
    job.on_tier({Tier::kOptimized, since(begun), optimized ? "" : optimized.error().to_string()});
  });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

Result<> AotModule::optimize(OptimizeJob& job, std::stop_token stop) {
  if (!job.translation) {
    INLAY_TRY(job.translation, translate(job.bytes, {imports(), exports()}, job.key));
  }
  job.bytes = {};
  INLAY_TRY([[maybe_unused]] auto compiled,
            compile(job.compiler, *job.translation, {job.optimization, 1, std::move(stop)}, job.directory, job.key,
                    job.path));
  INLAY_TRY(Opened opened, open_artifact(job.path, job.key));
  INLAY_TRY([[maybe_unused]] auto published, publish(std::move(opened.code)));
  std::error_code ignored;
  std::filesystem::remove(job.quick, ignored);
  return {};
}

Result<> AotModule::publish(std::unique_ptr<Code> optimized) {
  const Descriptor& from = first_->descriptor();
  const Descriptor& to = optimized->descriptor();
  if (from.instance_size != to.instance_size || from.function_count != to.function_count) {
    return Error{ErrorCode::kInternal, "the optimised code has another layout than the quick code", {}};
  }
  for (uint32_t i = 0; i < from.function_count; ++i) {
    successors_.emplace(reinterpret_cast<const void*>(from.functions[i]),
                        reinterpret_cast<const void*>(to.functions[i]));
  }
  const std::lock_guard lock(mutex_);
  optimized_ = std::move(optimized);
  code_.store(optimized_.get(), std::memory_order_release);
  tier_.store(Tier::kOptimized, std::memory_order_relaxed);
  for (std::atomic<uint8_t>* attention : enrolled_) {
    attention->fetch_or(detail::kAttentionCode, std::memory_order_release);
  }
  return {};
}

const Code& AotModule::enroll(std::atomic<uint8_t>& attention) {
  const std::lock_guard lock(mutex_);
  if (tier() == Tier::kQuick) enrolled_.push_back(&attention);
  return code();
}

void AotModule::dismiss(std::atomic<uint8_t>& attention) {
  const std::lock_guard lock(mutex_);
  std::erase(enrolled_, &attention);
}

void AotModule::redirect(const GuestResources::Table& table) const {
  // wasm_rt_funcref_t of all generations: the type, then the function. An externref is one pointer.
  constexpr size_t kFunctionAt = 8;
  if (table.element_size < kFunctionAt + sizeof(void*)) return;
  auto* element = static_cast<char*>(table.table->data) + kFunctionAt;
  for (uint32_t i = 0; i < table.table->size; ++i, element += table.element_size) {
    const void* function = nullptr;
    std::memcpy(&function, element, sizeof(function));
    const auto successor = successors_.find(function);
    if (successor != successors_.end()) std::memcpy(element, &successor->second, sizeof(function));
  }
}

}  // namespace inlay::engine::aot
