// SPDX-License-Identifier: Apache-2.0
#include "compiler/tiers/tier_job.h"

#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <condition_variable>
#include <filesystem>

#include "compiler/cache.h"
#include "compiler/tiers/tiered_module.h"
#include "compiler/wasm2c/shim.h"
#include "engine/aot/open.h"
#include "engine/within_memory.h"

namespace inlay::compiler {
namespace {

using engine::Tier;

using Clock = std::chrono::steady_clock;

// What is left over of the machine is ours, not what the proxy needs, but for quick code, which is worth a share: it is
// what the proxy needs most. Children inherit it.
constexpr int kQuickNice = 5;
constexpr int kNice = 10;

// Not less nice than the process was started: who is root could be.
void be_nice(int value) {
  const auto thread = static_cast<id_t>(syscall(SYS_gettid));
  if (getpriority(PRIO_PROCESS, thread) < value) setpriority(PRIO_PROCESS, thread, value);
}

// Turn lets one compilation of each tier run at a time in the process: each takes a core or more, and much memory.
class Turn {
 public:
  // Waits. Test with taken(): false if `stop` came first.
  Turn(Tier tier, const std::stop_token& stop) : state_(state(tier)) {
    std::unique_lock lock(state_.mutex);
    taken_ = state_.free.wait(lock, stop, [this] { return !state_.busy; });
    if (taken_) state_.busy = true;
  }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;
  ~Turn() {
    if (!taken_) return;
    {
      const std::lock_guard lock(state_.mutex);
      state_.busy = false;
    }
    state_.free.notify_one();
  }
  bool taken() const { return taken_; }

 private:
  struct State {
    std::mutex mutex;
    std::condition_variable_any free;
    bool busy = false;
  };
  static State& state(Tier tier) {
    static auto* states = new State[2];  // threads may outlive static destructors
    return states[tier == Tier::kOptimized ? 1 : 0];
  }
  State& state_;
  bool taken_ = false;
};

std::chrono::milliseconds since(Clock::time_point begun) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - begun);
}

}  // namespace

void TieredModule::begin_compiling(TierJob job) {
  stopped_ = job.stop;
  // The thread takes no signal of the process.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  compiler_ = std::thread([this, job = std::move(job)]() mutable {
    pthread_setname_np(pthread_self(), "compiler");
    const std::stop_callback also(job.stop, [this] { stop_.request_stop(); });
    compile_tiers(job, stop_.get_token());
  });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

void TieredModule::compile_tiers(TierJob& job, const std::stop_token& stop) {
  const auto step = [&](Tier tier, int nice, Clock::time_point begun, auto&& work) {
    be_nice(nice);
    const Turn turn(tier, stop);
    if (!turn.taken()) return false;
    if (begun == Clock::time_point()) begun = Clock::now();
    const auto done = engine::within_memory("compile the module", work);
    if (!done && code() == nullptr) hopeless_.store(true, std::memory_order_release);
    if (stop.stop_requested()) return false;
    if (job.on_tier) job.on_tier({tier, since(begun), done ? "" : done.error().to_string()});
    return done.has_value();
  };
  if (!job.quick_compilers.empty()) {
    const bool quick = step(Tier::kQuick, kQuickNice, job.begun, [&] { return compile_quickly(job, stop); });
    if (!quick) return;
  }
  step(Tier::kOptimized, kNice, {}, [&] { return optimize(job, stop); });
}

Result<> TieredModule::compile_quickly(TierJob& job, const std::stop_token& stop) {
  INLAY_TRY(job.translation, translate(job.bytes, {imports(), exports()}, job.id.key, stop));
  Result<> last = {};
  // One that we chose for its speed may be there for something else, without what it takes to link.
  for (const Compiler& compiler : job.quick_compilers) {
    job.quick = quick_artifact_path(job.directory, job.id.key, compiler.identity);
    CompileJob quick = quick_job(compiler, job.translation->c.source.size());
    quick.stop = stop;
    last = compile(compiler, *job.translation, quick, job.directory, job.id, job.quick);
    if (last || stop.stop_requested()) break;
  }
  INLAY_RETURN_IF_ERROR(std::move(last));
  INLAY_TRY(engine::aot::Opened opened, engine::aot::open_artifact(job.quick, job.id.sha256));
  publish(std::move(opened.code), Tier::kQuick);
  return {};
}

Result<> TieredModule::optimize(TierJob& job, const std::stop_token& stop) {
  if (!job.translation) {
    INLAY_TRY(job.translation, translate(job.bytes, {imports(), exports()}, job.id.key, stop));
  }
  job.bytes = {};
  INLAY_RETURN_IF_ERROR(
      compile(job.compiler, *job.translation, {job.optimization, 1, stop}, job.directory, job.id, job.path));
  job.translation.reset();
  INLAY_TRY(engine::aot::Opened opened, engine::aot::open_artifact(job.path, job.id.sha256));
  INLAY_RETURN_IF_ERROR(match(*opened.code));
  publish(std::move(opened.code), Tier::kOptimized);
  std::error_code ignored;
  std::filesystem::remove(job.quick, ignored);
  return {};
}

}  // namespace inlay::compiler
