// SPDX-License-Identifier: Apache-2.0
// gRPC call-outs (host/grpc_calls.h). As in Envoy they are the root context's, whichever context makes them.

#include <optional>

#include "host/functions.h"
#include "host/grpc_calls.h"
#include "host/grpc_target.h"
#include "host/vm.h"

namespace inlay::host::proxy {
namespace {

struct Views {
  std::string_view target, service, method, metadata, message;
};

// A GrpcService, or else the name of a cluster that there is; nullopt: neither.
std::optional<GrpcTarget> find_target(Vm& vm, std::string_view bytes) {
  auto target = read_grpc_service(bytes);
  if (target && target->kind != GrpcTarget::Kind::kNone) return target;
  if (!vm.grpc_calls().has_cluster(bytes)) return std::nullopt;
  return GrpcTarget{.kind = GrpcTarget::Kind::kCluster, .cluster = std::string(bytes)};
}

u32 root_of(Vm& vm) {
  return vm.current()->root->id;
}

// What both functions do: `begin(target, method)` gives a token.
template <class Begin>
Status start(Vm& vm, const Views& views, u32 return_token, Begin&& begin) {
  const auto target = find_target(vm, views.target);
  if (!target) return Status::kParseFailure;
  if (target->kind == GrpcTarget::Kind::kAddress) {
    vm.advise(Advice::kGrpcTarget, [] {
      return "makes a gRPC call by google_grpc, which is BadArgument: Inlay has not that library; envoy_grpc names a "
             "cluster";
    });
    return Status::kBadArgument;
  }
  if (target->has_retry_policy) {
    vm.advise(Advice::kGrpcTarget, [] { return "makes a gRPC call with a retry_policy, which is not heeded"; });
  }
  Pairs& metadata = vm.scratch_pairs();
  (void)parse_pairs(views.metadata, metadata);  // malformed: none, as in Envoy
  const auto token = begin(*target, GrpcCalls::Method{views.service, views.method, metadata});
  if (token) {
    vm.write_u32(return_token, *token);
    return Status::kOk;
  }
  if (token.error().code == ErrorCode::kResourceExhausted) return vm.over_limit(GuestLimit::kGrpc);
  return Status::kInternalFailure;
}

}  // namespace

Status proxy_grpc_call(Vm& vm, u32 target, u32 target_size, u32 service, u32 service_size, u32 method, u32 method_size,
                       u32 metadata, u32 metadata_size, u32 message, u32 message_size, u32 timeout, u32 return_token) {
  if (vm.current() == nullptr) return Status::kInternalFailure;
  const auto target_bytes = vm.read(target, target_size);
  const auto service_name = vm.read(service, service_size);
  const auto method_name = vm.read(method, method_size);
  const auto metadata_bytes = vm.read(metadata, metadata_size);
  const auto message_bytes = vm.read(message, message_size);
  if (!target_bytes || !service_name || !method_name || !metadata_bytes || !message_bytes ||
      !vm.writable(return_token, sizeof(u32)))
    return Status::kInvalidMemoryAccess;
  const Views views{*target_bytes, *service_name, *method_name, *metadata_bytes, *message_bytes};
  return start(vm, views, return_token, [&](const GrpcTarget& to, const GrpcCalls::Method& called) {
    return vm.grpc_calls().call(root_of(vm), to, called, views.message, std::chrono::milliseconds(timeout));
  });
}

Status proxy_grpc_stream(Vm& vm, u32 target, u32 target_size, u32 service, u32 service_size, u32 method,
                         u32 method_size, u32 metadata, u32 metadata_size, u32 return_token) {
  if (vm.current() == nullptr) return Status::kInternalFailure;
  const auto target_bytes = vm.read(target, target_size);
  const auto service_name = vm.read(service, service_size);
  const auto method_name = vm.read(method, method_size);
  const auto metadata_bytes = vm.read(metadata, metadata_size);
  if (!target_bytes || !service_name || !method_name || !metadata_bytes || !vm.writable(return_token, sizeof(u32)))
    return Status::kInvalidMemoryAccess;
  const Views views{*target_bytes, *service_name, *method_name, *metadata_bytes, {}};
  return start(vm, views, return_token, [&](const GrpcTarget& to, const GrpcCalls::Method& called) {
    return vm.grpc_calls().stream(root_of(vm), to, called);
  });
}

Status proxy_grpc_send(Vm& vm, u32 token, u32 message, u32 size, u32 end) {
  if (vm.current() == nullptr) return Status::kInternalFailure;
  const auto bytes = vm.read(message, size);
  if (!bytes) return Status::kInvalidMemoryAccess;
  return vm.grpc_calls().send(root_of(vm), token, *bytes, end != 0);
}

Status proxy_grpc_cancel(Vm& vm, u32 token) {
  if (vm.current() == nullptr) return Status::kInternalFailure;
  return vm.grpc_calls().cancel(root_of(vm), token);
}

Status proxy_grpc_close(Vm& vm, u32 token) {
  if (vm.current() == nullptr) return Status::kInternalFailure;
  return vm.grpc_calls().close(root_of(vm), token);
}

}  // namespace inlay::host::proxy
