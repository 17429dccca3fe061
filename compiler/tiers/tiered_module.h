// SPDX-License-Identifier: Apache-2.0
#pragma once

// A module whose code is made while it runs, and whose instances go over to better code when there is some.

#include <atomic>
#include <memory>
#include <mutex>
#include <span>
#include <stop_token>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "compiler/interp/wabt_machine.h"
#include "compiler/tiers/tier_job.h"
#include "engine/aot/code.h"
#include "engine/aot/native_guest.h"
#include "engine/description.h"
#include "engine/engine.h"

namespace inlay::compiler {

// TieredModule has one Code, or two: the quick one stays for functions that a guest keeps references to. It may begin
// with none, and is interpreted until then.
class TieredModule final : public engine::Module {
 public:
  TieredModule(engine::Description description, std::shared_ptr<const interp::Program> program);
  TieredModule(engine::Description description, std::unique_ptr<engine::aot::Code> quick);
  ~TieredModule() override;

  engine::EngineKind kind() const override { return engine::EngineKind::kAot; }
  engine::Tier tier() const override { return tier_.load(std::memory_order_relaxed); }

  // The best code that there is; null while the module is interpreted.
  const engine::aot::Code* code() const { return code_.load(std::memory_order_acquire); }
  // Whether there is no code() and there never will be: the compilers have failed, or were stopped.
  bool hopeless() const { return hopeless_.load(std::memory_order_acquire); }
  // For the interpreter; null once there is code().
  std::shared_ptr<const interp::Program> program();

  // Instances put their attention word in, which gets kAttentionCode when code() is another one than that returned; by
  // another thread, after code() has changed. dismiss() it before it ends.
  const engine::aot::Code* enroll(std::atomic<uint8_t>& attention);
  void dismiss(std::atomic<uint8_t>& attention);

  // Lets the handles and the tables of `native` lead to `code`, which is, or was, this module's code(). Not while a
  // call into it is running.
  void lead(engine::aot::NativeGuest& native, const engine::aot::Code& code) const;
  // Makes a table's references to functions of the quick code ones to the same functions in code().
  void redirect(const engine::aot::GuestResources::Table& table) const;

  // Whether LoadOptions::stop has ended it.
  bool stopped() const { return stopped_.stop_requested(); }

  // Begins to compile on a thread of its own; at most once, and before another thread has the module.
  void begin_compiling(TierJob job);

 protected:
  Result<std::unique_ptr<engine::Instance>> instantiate(std::shared_ptr<engine::Module> self,
                                                        const std::vector<const engine::HostFunction*>& imports,
                                                        void* env, const engine::Limits& limits) override;

 private:
  void compile_tiers(TierJob& job, const std::stop_token& stop);
  Result<> compile_quickly(TierJob& job, const std::stop_token& stop);
  Result<> optimize(TierJob& job, const std::stop_token& stop);
  // Lets instances know of code that is there.
  void publish(std::unique_ptr<engine::aot::Code> code, engine::Tier tier);
  // Finds each function's twin in `optimized`, where there is quick code.
  Result<> match(const engine::aot::Code& optimized);

  std::unique_ptr<engine::aot::Code> first_;
  std::unique_ptr<engine::aot::Code> optimized_;
  std::atomic<const engine::aot::Code*> code_;
  std::atomic<engine::Tier> tier_;
  std::atomic<bool> hopeless_{false};
  std::unordered_map<const void*, const void*> successors_;  // of functions; written before code_
  std::mutex mutex_;
  std::shared_ptr<const interp::Program> program_;
  std::vector<std::atomic<uint8_t>*> enrolled_;
  std::stop_token stopped_;
  std::stop_source stop_;
  std::thread compiler_;
};

}  // namespace inlay::compiler
