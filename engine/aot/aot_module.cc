// SPDX-License-Identifier: Apache-2.0
#include "engine/aot/aot_module.h"

namespace inlay::engine::aot {

AotModule::AotModule(Description description, std::unique_ptr<Code> code, Tier tier)
    : first_(std::move(code)), code_(first_.get()), tier_(tier) {
  imports_ = std::move(description.imports);
  exports_ = std::move(description.exports);
}

AotModule::~AotModule() {
  stop_.request_stop();
  if (optimizer_.joinable()) optimizer_.join();
}

}  // namespace inlay::engine::aot
