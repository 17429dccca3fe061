// SPDX-License-Identifier: Apache-2.0
// Foreign functions, by name.

#include <array>

#include "host/functions.h"
#include "host/vm.h"

namespace inlay::host::proxy {
namespace {

using Foreign = Status (*)(Vm& vm, std::string_view argument, std::string& result);

Status clear_route_cache(Vm& vm, std::string_view, std::string&) {
  return proxy_clear_route_cache(vm);
}

struct Row {
  std::string_view name;
  Foreign function;
};
constexpr std::array<Row, 1> kForeign = {{
    {"clear_route_cache", &clear_route_cache},
}};

}  // namespace

Status proxy_call_foreign_function(Vm& vm, u32 name, u32 name_size, u32 argument, u32 argument_size, u32 return_data,
                                   u32 return_size) {
  if (vm.current() == nullptr) return Status::kInternalFailure;
  const auto text = vm.read(name, name_size);
  const auto bytes = vm.read(argument, argument_size);
  if (!text || !bytes) return Status::kInvalidMemoryAccess;
  for (const Row& row : kForeign) {
    if (row.name != *text) continue;
    std::string& result = vm.scratch_text();
    result.clear();
    const Status status = row.function(vm, *bytes, result);
    return status == Status::kOk ? vm.return_bytes(result, return_data, return_size) : status;
  }
  return Status::kNotFound;
}

}  // namespace inlay::host::proxy
