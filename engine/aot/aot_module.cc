// SPDX-License-Identifier: Apache-2.0
#include "engine/aot/aot_module.h"

#include <cstring>

namespace inlay::engine::aot {

AotModule::AotModule(Description description, std::shared_ptr<const interp::Program> program)
    : code_(nullptr), tier_(Tier::kInterpreted), program_(std::move(program)) {
  imports_ = std::move(description.imports);
  exports_ = std::move(description.exports);
}

AotModule::AotModule(Description description, std::unique_ptr<Code> code, Tier tier)
    : first_(std::move(code)), code_(first_.get()), tier_(tier) {
  imports_ = std::move(description.imports);
  exports_ = std::move(description.exports);
}

AotModule::~AotModule() {
  stop_.request_stop();
  if (compiler_.joinable()) compiler_.join();
}

std::shared_ptr<const interp::Program> AotModule::program() {
  const std::lock_guard lock(mutex_);
  return program_;
}

void AotModule::publish(std::unique_ptr<Code> code, Tier tier) {
  const std::lock_guard lock(mutex_);
  auto& place = first_ == nullptr ? first_ : optimized_;
  place = std::move(code);
  code_.store(place.get(), std::memory_order_release);
  tier_.store(tier, std::memory_order_relaxed);
  program_.reset();
  for (std::atomic<uint8_t>* attention : enrolled_) {
    attention->fetch_or(detail::kAttentionCode, std::memory_order_release);
  }
}

Result<> AotModule::match(const Code& optimized) {
  const Descriptor& from = first_->descriptor();
  const Descriptor& to = optimized.descriptor();
  if (from.instance_size != to.instance_size || from.function_count != to.function_count) {
    return Error{ErrorCode::kInternal, "the optimised code has another layout than the quick code", {}};
  }
  for (uint32_t i = 0; i < from.function_count; ++i) {
    successors_.emplace(reinterpret_cast<const void*>(from.functions[i]),
                        reinterpret_cast<const void*>(to.functions[i]));
  }
  return {};
}

const Code* AotModule::enroll(std::atomic<uint8_t>& attention) {
  const std::lock_guard lock(mutex_);
  if (tier() != Tier::kOptimized) enrolled_.push_back(&attention);
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
