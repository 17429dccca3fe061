// SPDX-License-Identifier: Apache-2.0
// Foreign functions, by name (foreign.h).

#include "host/foreign.h"
#include "host/functions.h"
#include "host/vm.h"

namespace inlay::host::proxy {
namespace {

// A guest that does not want the result passes null pointers.
Status return_result(Vm& vm, std::string_view result, u32 return_data, u32 return_size) {
  if (return_data != 0 && return_size != 0) return vm.return_bytes(result, return_data, return_size);
  const bool size_fits = return_size == 0 || vm.write_u32(return_size, static_cast<u32>(result.size()));
  return size_fits ? Status::kOk : Status::kInvalidMemoryAccess;
}

}  // namespace

Status proxy_call_foreign_function(Vm& vm, u32 name, u32 name_size, u32 argument, u32 argument_size, u32 return_data,
                                   u32 return_size) {
  if (vm.current() == nullptr) return Status::kInternalFailure;
  const auto text = vm.read(name, name_size);
  const auto bytes = vm.read(argument, argument_size);
  if (!text || !bytes) return Status::kInvalidMemoryAccess;
  const ForeignFunction* function = find_foreign_function(*text);
  if (function == nullptr) return Status::kNotFound;
  if (function->call == nullptr) {
    vm.log(abi::LogLevel::kWarn, std::string("the foreign function ").append(*text).append(" is not there: no CEL"));
    return Status::kNotFound;
  }
  std::string result;
  const Status status = function->call(vm, *bytes, result);
  return status == Status::kOk ? return_result(vm, result, return_data, return_size) : status;
}

}  // namespace inlay::host::proxy
