// SPDX-License-Identifier: Apache-2.0
// The foreign functions about routes, properties and filter state.

#include "base/proto_wire.h"
#include "host/foreign.h"
#include "host/functions.h"
#include "host/http_context_impl.h"
#include "host/vm.h"

namespace inlay::host::foreign {
namespace {

using abi::Status;

// Envoy's LifeSpan and WasmType (source/extensions/common/wasm/ext/declare_property.proto).
constexpr uint64_t kDownstreamConnection = 2;

}  // namespace

Status clear_route_cache(Vm& vm, std::string_view, std::string&) {
  return proxy::proxy_clear_route_cache(vm);
}

Status declare_property(Vm& vm, std::string_view argument, std::string&) {
  std::string_view name;
  PropertyTraits traits;
  ProtoReader reader(argument);
  for (ProtoField f; reader.next(f);) {
    if (f.number == 1 && f.is_bytes()) name = f.bytes;
    if (f.number == 2 && f.is_varint()) traits.read_only = f.value != 0;
    if (f.number == 5 && f.is_varint()) traits.of_connection = f.value == kDownstreamConnection;
  }
  if (!reader.ok()) return Status::kBadArgument;
  Context& called = *vm.called();  // not the effective one
  if (called.stream() != nullptr) return Status::kOk;
  return called.root->declare_property(name, traits) ? Status::kOk : Status::kBadArgument;
}

Status set_envoy_filter_state(Vm& vm, std::string_view argument, std::string&) {
  std::string_view key;
  std::string_view value;
  ProtoReader reader(argument);
  for (ProtoField f; reader.next(f);) {
    if (f.number == 1 && f.is_bytes()) key = f.bytes;
    if (f.number == 2 && f.is_bytes()) value = f.bytes;
  }
  if (!reader.ok()) return Status::kBadArgument;
  if (key.size() > limits::kPropertyPath || value.size() > limits::kPropertyBytes) return Status::kBadArgument;
  FlowContext* flow = vm.current()->flow();
  AttributeSource* embedder = flow == nullptr ? nullptr : flow->embedder();
  const Status status = embedder != nullptr ? embedder->set_proxy_state(key, value) : Status::kNotFound;
  if (status == Status::kNotFound) {
    vm.log(abi::LogLevel::kWarn, std::string("set_envoy_filter_state: no object '")
                                     .append(key)
                                     .append(flow != nullptr ? "' that this proxy acts on" : "' outside of a stream"));
  }
  return status;
}

}  // namespace inlay::host::foreign
