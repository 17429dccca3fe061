// SPDX-License-Identifier: Apache-2.0
#pragma once

// A module as machine code, whose instances go over to better code when there is some.

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
#include "engine/aot/code.h"
#include "engine/aot/optimize.h"
#include "engine/description.h"
#include "engine/engine.h"

namespace inlay::engine::aot {

// AotModule has one Code, or two: the quick one stays for functions that a guest keeps references to.
class AotModule final : public Module {
 public:
  AotModule(Description description, std::unique_ptr<Code> code, Tier tier);
  ~AotModule() override;

  EngineKind kind() const override { return EngineKind::kAot; }
  Tier tier() const override { return tier_.load(std::memory_order_relaxed); }

  // The best code that there is.
  const Code& code() const { return *code_.load(std::memory_order_acquire); }

  // Instances put their attention word in, which gets kAttentionCode when code() is another one than that returned.
  const Code& enroll(std::atomic<uint8_t>& attention);
  void dismiss(std::atomic<uint8_t>& attention);

  // Makes a table's references to functions of the quick code ones to the same functions in code().
  void redirect(const GuestResources::Table& table) const;

  // Begins to compile optimised code on a thread of its own; at most once.
  void begin_optimizing(OptimizeJob job);

 private:
  Result<> optimize(OptimizeJob& job, std::stop_token stop);
  Result<> publish(std::unique_ptr<Code> optimized);

  std::unique_ptr<Code> first_;
  std::unique_ptr<Code> optimized_;
  std::atomic<const Code*> code_;
  std::atomic<Tier> tier_;
  std::unordered_map<const void*, const void*> successors_;  // of functions; written before code_
  std::mutex mutex_;
  std::vector<std::atomic<uint8_t>*> enrolled_;
  std::stop_source stop_;
  std::thread optimizer_;
};

// `module` must be an AotModule.
Result<std::unique_ptr<Instance>> instantiate(std::shared_ptr<Module> module, std::vector<NativeFunction> imports,
                                              void* env, const Limits& limits);

}  // namespace inlay::engine::aot
