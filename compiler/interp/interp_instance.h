// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <vector>

#include "compiler/interp/wabt_machine.h"
#include "compiler/recorder.h"
#include "engine/engine.h"

namespace inlay::compiler::interp {

// How many budgets more a call may take that has begun while native code was to come, once that is there, which it has
// to end to get to, or will never be.
inline constexpr int kOvertakenBudgets = 10;

// What an interpreted call may hope for.
enum class NativeCode : uint8_t {
  kComing,
  kThere,  // it is not used yet
  kNever,
};

// InterpInstance is run by wabt's interpreter. What derives from it may end that, and run something else in its place.
class InterpInstance : public engine::Instance {
 public:
  // `imports` are in the module's order. `recorder` may be null.
  InterpInstance(std::shared_ptr<engine::Module> module, std::shared_ptr<const Program> program,
                 const std::vector<const engine::HostFunction*>& imports, void* env, const engine::Limits& limits,
                 std::shared_ptr<Recorder> recorder = nullptr);
  ~InterpInstance() override;

  // Instantiates and runs the start function. Errors: as Instance::create's.
  Result<> start();

 protected:
  Result<Unit, engine::Trap> call_generic(uint32_t index, std::span<const engine::Value> args,
                                          engine::Value* result) override;
  engine::detail::ResolvedExport resolve(uint32_t export_index) const override { return {nullptr, export_index + 1}; }

  // A call may take kInterpretedBudgetFactor times Limits::call_budget while code is kComing, but no more than
  // kOvertakenBudgets once it is not, and Limits::call_budget if none was to come from the call's beginning.
  virtual NativeCode native_code() const { return NativeCode::kNever; }
  // Whether calls are to end at once.
  virtual bool stopped() const { return false; }

  bool interpreted() const { return machine_ != nullptr; }
  bool interpreting() const { return depth_ > 0; }  // a call is running
  const Machine& machine() const { return *machine_; }
  // Calls go to native functions from now on. Not while interpreting().
  void stop_interpreting();

 private:
  class Depth;

  void refresh_span();
  bool late();
  engine::Trap trap(engine::TrapKind kind, const std::string& own = {}) const;
  void die(Outcome outcome, const std::string& message);
  std::string backtrace() const;
  bool stop_if_late();
  static bool on_check(void* self) { return static_cast<InterpInstance*>(self)->stop_if_late(); }
  static bool on_host(void* self, uint32_t index, const Bits* args, Bits* result) {
    return static_cast<InterpInstance*>(self)->call_host(index, args, result);
  }
  bool call_host(uint32_t index, const Bits* args, Bits* result);

  std::vector<const engine::HostFunction*> imports_;
  void* env_;
  int depth_ = 0;
  uint32_t called_ = 0;  // the export that runs, plus one; 0: the module's start
  std::chrono::steady_clock::time_point started_;
  bool hopeless_ = true;                                            // kNever when the call began
  std::optional<std::chrono::steady_clock::time_point> overtaken_;  // when code was first seen not to be kComing
  std::unique_ptr<Machine> machine_;
  std::shared_ptr<const Program> program_;  // shared: a module that has native code lets go of its own
  std::shared_ptr<Recorder> recorder_;
};

}  // namespace inlay::compiler::interp
