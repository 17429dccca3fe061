// SPDX-License-Identifier: Apache-2.0
// Logging, time, timers.

#include "host/functions.h"
#include "host/vm.h"

namespace inlay::host::proxy {

Status proxy_log(Vm& vm, u32 level, u32 message, u32 message_size) {
  if (level > static_cast<u32>(abi::LogLevel::kCritical)) return Status::kBadArgument;
  const auto text = vm.read(message, message_size);
  if (!text) return Status::kInvalidMemoryAccess;
  vm.log(static_cast<abi::LogLevel>(level), *text);
  return Status::kOk;
}

Status proxy_get_log_level(Vm& vm, u32 return_level) {
  const auto level = vm.host().options.log->level("wasm");
  return vm.write_u32(return_level, static_cast<u32>(level)) ? Status::kOk : Status::kInvalidMemoryAccess;
}

Status proxy_get_current_time_nanoseconds(Vm& vm, u32 return_time) {
  const auto now = static_cast<u64>(vm.host().options.clock->system_time());
  return vm.write_u64(return_time, now) ? Status::kOk : Status::kInvalidMemoryAccess;
}

Status proxy_set_tick_period_milliseconds(Vm& vm, u32 period) {
  if (vm.current() == nullptr) return Status::kInternalFailure;
  vm.current()->root->set_tick_period(std::chrono::milliseconds(period));
  return Status::kOk;
}

}  // namespace inlay::host::proxy
