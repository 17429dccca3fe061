// SPDX-License-Identifier: Apache-2.0
// Metrics.

#include "host/functions.h"
#include "host/vm.h"

namespace inlay::host::proxy {

Status proxy_define_metric(Vm& vm, u32 type, u32 name, u32 name_size, u32 return_id) {
  if (vm.current() == nullptr) return Status::kInternalFailure;
  const auto text = vm.read(name, name_size);
  if (!text || !vm.writable(return_id, sizeof(u32))) return Status::kInvalidMemoryAccess;
  u32 id = 0;
  const Status status = vm.metrics().define(type, *text, id);
  if (status == Status::kInternalFailure) return vm.over_limit(GuestLimit::kMetrics);
  if (status == Status::kOk) vm.write_u32(return_id, id);
  return status;
}

Status proxy_increment_metric(Vm& vm, u32 metric, u64 delta) {
  if (vm.current() == nullptr) return Status::kInternalFailure;
  return vm.metrics().increment(metric, static_cast<int64_t>(delta));
}

Status proxy_record_metric(Vm& vm, u32 metric, u64 value) {
  if (vm.current() == nullptr) return Status::kInternalFailure;
  return vm.metrics().record(metric, value);
}

Status proxy_get_metric(Vm& vm, u32 metric, u32 return_value) {
  if (vm.current() == nullptr) return Status::kInternalFailure;
  u64 value = 0;
  const Status status = vm.metrics().get(metric, value);
  if (status != Status::kOk) return status;
  return vm.write_u64(return_value, value) ? Status::kOk : Status::kInvalidMemoryAccess;
}

}  // namespace inlay::host::proxy
