// SPDX-License-Identifier: Apache-2.0
#include "compiler/tiers/tiered_instance.h"

#include <algorithm>
#include <new>
#include <utility>

#include "compiler/interp/interp_instance.h"
#include "compiler/tiers/restore.h"
#include "compiler/tiers/tiered_module.h"
#include "engine/aot/native_guest.h"

namespace inlay::compiler {
namespace {

using engine::aot::Code;

// Move brings a guest that was made for native code where the interpreter is. run() is called as if it were a function
// of the guest's, with the Move in place of the generated code's instance: the instantiation may trap.
struct Move {
  engine::aot::NativeGuest& native;
  const interp::Snapshot& snapshot;
  bool done = false;

  static void run(void* move) {
    auto& [native, snapshot, done] = *static_cast<Move*>(move);
    native.allocate();
    native.context().in_host = 1;  // from here on a signal must not unwind
    try {
      done = restore(native.state(), native.guest(), native.context(), snapshot);
    } catch (const std::bad_alloc&) {  // it is not done; an exception must not leave a call into the guest
    }
  }
};

class TieredInstance final : public interp::InterpInstance {
 public:
  TieredInstance(std::shared_ptr<engine::Module> module, std::shared_ptr<const interp::Program> program,
                 const std::vector<const engine::HostFunction*>& imports, void* env, const engine::Limits& limits)
      : InterpInstance(std::move(module), std::move(program), imports, env, limits),
        native_(*this, engine::aot::natives(imports), env, limits, &memory_data_, &memory_size_) {
    context_ = &native_.context();
    // Native code that came in between must not be missed.
    if (tiered_module().enroll(attention_) != nullptr) attention_.fetch_or(engine::detail::kAttentionCode);
  }

  ~TieredInstance() override { tiered_module().dismiss(attention_); }

 protected:
  engine::detail::ResolvedExport resolve(uint32_t export_index) const override {
    return {native_.slot(export_index), export_index + 1};
  }

  void adopt_code() override {
    if ((attention_.load(std::memory_order_acquire) & engine::detail::kAttentionCode) == 0) return;
    if (interpreting() || native_.called()) return;  // at a later call
    const Code* code = nullptr;
    do {
      code = tiered_module().code();
      if (!take_over(*code)) return;
      attention_.fetch_and(static_cast<uint8_t>(~engine::detail::kAttentionCode), std::memory_order_acq_rel);
    } while (tiered_module().code() != code);  // better code may have come before the bit was taken away
  }

  interp::NativeCode native_code() const override {
    if (tiered_module().code() != nullptr) return interp::NativeCode::kThere;
    return tiered_module().hopeless() ? interp::NativeCode::kNever : interp::NativeCode::kComing;
  }

  bool stopped() const override { return tiered_module().stopped(); }

 private:
  TieredModule& tiered_module() const { return static_cast<TieredModule&>(*module_); }

  // False while the interpreter goes on. After a move that has failed the next one is tried 1, 2, 4, ... calls later,
  // or when there is better code.
  bool take_over(const Code& code) {
    if (!interpreted()) {
      tiered_module().lead(native_, code);
      return true;
    }
    if (&code == failed_ && calls_left_-- != 0) return false;
    if (&code != failed_) pause_ = 1;
    if (move(code)) {
      stop_interpreting();
      return true;
    }
    failed_ = &code;
    calls_left_ = pause_;
    pause_ = std::min(2 * pause_, kLongestPause);
    return false;
  }

  // False where there is no memory for it, or no address space; all is then as before.
  bool move(const Code& code) {
    if (!native_.prepare(code)) return false;
    const interp::Snapshot snapshot = machine().snapshot();
    Move move{native_, snapshot};
    const auto entry = reinterpret_cast<engine::NativeFunction>(&Move::run);
    engine::aot::AotContext& context = native_.context();
    const uint32_t budget = std::exchange(context.budget_ms, 0);
    // Within another instance's call, run() leaves what is pending as it is, and that call's time limit sets it here
    // too.
    context.pending = 0;
    guest_ = &move;
    const bool moved = run<void>(&entry) && move.done;
    context.budget_ms = budget;
    context.pending = 0;
    guest_ = native_.guest();
    if (!moved) {
      native_.abandon();
      guest_ = nullptr;
      return false;
    }
    memory_data_ = nullptr;
    memory_size_ = 0;
    context.refresh_span();
    return true;
  }

  static constexpr uint32_t kLongestPause = 1024;  // calls

  engine::aot::NativeGuest native_;
  const Code* failed_ = nullptr;  // to which the last move has failed
  uint32_t pause_ = 1;
  uint32_t calls_left_ = 0;
};

}  // namespace

Result<std::unique_ptr<engine::Instance>> instantiate_tiered(std::shared_ptr<engine::Module> module,
                                                             std::shared_ptr<const interp::Program> program,
                                                             const std::vector<const engine::HostFunction*>& imports,
                                                             void* env, const engine::Limits& limits) {
  auto instance = std::make_unique<TieredInstance>(std::move(module), std::move(program), imports, env, limits);
  INLAY_RETURN_IF_ERROR(instance->start());
  return std::unique_ptr<engine::Instance>(std::move(instance));
}

}  // namespace inlay::compiler
