// SPDX-License-Identifier: Apache-2.0
#include "compiler/tiers/tiered_module.h"

#include <cstring>

#include "compiler/tiers/quick_instance.h"
#include "compiler/tiers/tiered_instance.h"

namespace inlay::compiler {

using engine::Tier;
using engine::aot::Code;

TieredModule::TieredModule(engine::Description description, std::shared_ptr<const interp::Program> program)
    : code_(nullptr), tier_(Tier::kInterpreted), program_(std::move(program)) {
  imports_ = std::move(description.imports);
  exports_ = std::move(description.exports);
}

TieredModule::TieredModule(engine::Description description, std::unique_ptr<Code> quick)
    : first_(std::move(quick)), code_(first_.get()), tier_(Tier::kQuick) {
  imports_ = std::move(description.imports);
  exports_ = std::move(description.exports);
}

TieredModule::~TieredModule() {
  stop_.request_stop();
  if (compiler_.joinable()) compiler_.join();
}

std::shared_ptr<const interp::Program> TieredModule::program() {
  const std::lock_guard lock(mutex_);
  return program_;
}

void TieredModule::publish(std::unique_ptr<Code> code, Tier tier) {
  const std::lock_guard lock(mutex_);
  auto& place = first_ == nullptr ? first_ : optimized_;
  place = std::move(code);
  code_.store(place.get(), std::memory_order_release);
  tier_.store(tier, std::memory_order_relaxed);
  program_.reset();
  for (std::atomic<uint8_t>* attention : enrolled_) {
    attention->fetch_or(engine::detail::kAttentionCode, std::memory_order_release);
  }
}

Result<> TieredModule::match(const Code& optimized) {
  const engine::aot::Descriptor& from = first_->descriptor();
  const engine::aot::Descriptor& to = optimized.descriptor();
  if (from.instance_size != to.instance_size || from.function_count != to.function_count) {
    return Error{ErrorCode::kInternal, "the optimised code has another layout than the quick code", {}};
  }
  for (uint32_t i = 0; i < from.function_count; ++i) {
    successors_.emplace(reinterpret_cast<const void*>(from.functions[i]),
                        reinterpret_cast<const void*>(to.functions[i]));
  }
  return {};
}

const Code* TieredModule::enroll(std::atomic<uint8_t>& attention) {
  const std::lock_guard lock(mutex_);
  if (tier() != Tier::kOptimized) enrolled_.push_back(&attention);
  return code();
}

void TieredModule::dismiss(std::atomic<uint8_t>& attention) {
  const std::lock_guard lock(mutex_);
  std::erase(enrolled_, &attention);
}

void TieredModule::lead(engine::aot::NativeGuest& native, const Code& code) const {
  if (!native.take(code)) return;
  for (const engine::aot::GuestResources::Table& table : native.context().resources.tables) redirect(table);
}

void TieredModule::redirect(const engine::aot::GuestResources::Table& table) const {
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

Result<std::unique_ptr<engine::Instance>> TieredModule::instantiate(
    std::shared_ptr<engine::Module> self, const std::vector<const engine::HostFunction*>& imports, void* env,
    const engine::Limits& limits) {
  if (auto program = this->program())
    return instantiate_tiered(std::move(self), std::move(program), imports, env, limits);
  return instantiate_quick(std::move(self), imports, env, limits);
}

}  // namespace inlay::compiler
