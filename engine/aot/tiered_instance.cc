// SPDX-License-Identifier: Apache-2.0
#include "engine/aot/tiered_instance.h"

#include <algorithm>
#include <utility>

#include "engine/aot/native_guest.h"
#include "engine/interp/interp_instance.h"

namespace inlay::engine::aot {
namespace {

class TieredInstance final : public interp::InterpInstance {
 public:
  TieredInstance(std::shared_ptr<Module> module, const interp::Program& program,
                 const std::vector<const HostFunction*>& imports, void* env, const Limits& limits)
      : InterpInstance(std::move(module), program, imports, env, limits),
        native_(*this, aot_module(), natives(imports), env, limits, &memory_data_, &memory_size_) {
    context_ = &native_.context();
    // Native code that came in between must not be missed.
    if (aot_module().enroll(attention_) != nullptr) attention_.fetch_or(detail::kAttentionCode);
  }

  ~TieredInstance() override { aot_module().dismiss(attention_); }

 protected:
  detail::ResolvedExport resolve(uint32_t export_index) const override {
    return {native_.slot(export_index), export_index + 1};
  }

  void adopt_code() override {
    if ((attention_.load(std::memory_order_acquire) & detail::kAttentionCode) == 0) return;
    if (interpreting() || native_.called()) return;  // at a later call
    const Code* code = nullptr;
    do {
      code = aot_module().code();
      if (!take_over(*code)) return;
      attention_.fetch_and(static_cast<uint8_t>(~detail::kAttentionCode), std::memory_order_acq_rel);
    } while (aot_module().code() != code);  // better code may have come before the bit was taken away
  }

  interp::NativeCode native_code() const override {
    if (aot_module().code() != nullptr) return interp::NativeCode::kThere;
    return aot_module().hopeless() ? interp::NativeCode::kNever : interp::NativeCode::kComing;
  }

  bool stopped() const override { return aot_module().stopped(); }

 private:
  AotModule& aot_module() const { return static_cast<AotModule&>(*module_); }

  // False while the interpreter goes on. After a move that has failed the next one is tried 1, 2, 4, ... calls later,
  // or when there is better code.
  bool take_over(const Code& code) {
    if (!interpreted()) {
      native_.take(code);
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
    const auto resume = reinterpret_cast<NativeFunction>(&NativeGuest::resume);
    AotContext& context = native_.context();
    const uint32_t budget = std::exchange(context.budget_ms, 0);
    // Within another instance's call, run() leaves what is pending as it is, and that call's time limit sets it here
    // too.
    context.pending = 0;
    native_.resumed = false;
    native_.snapshot = &snapshot;
    guest_ = &native_;
    const bool moved = run<void>(&resume) && native_.resumed;
    context.budget_ms = budget;
    context.pending = 0;
    native_.snapshot = nullptr;
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

  NativeGuest native_;
  const Code* failed_ = nullptr;  // to which the last move has failed
  uint32_t pause_ = 1;
  uint32_t calls_left_ = 0;
};

}  // namespace

Result<std::unique_ptr<Instance>> instantiate_tiered(std::shared_ptr<Module> module, const interp::Program& program,
                                                     const std::vector<const HostFunction*>& imports, void* env,
                                                     const Limits& limits) {
  auto instance = std::make_unique<TieredInstance>(std::move(module), program, imports, env, limits);
  INLAY_RETURN_IF_ERROR(instance->start());
  return std::unique_ptr<Instance>(std::move(instance));
}

}  // namespace inlay::engine::aot
