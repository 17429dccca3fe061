// SPDX-License-Identifier: Apache-2.0
// HTTP call-outs.

#include "host/functions.h"
#include "host/http_context_impl.h"
#include "host/vm.h"
#include "http/envoy_headers.h"
#include "http/header_fault.h"

namespace inlay::host::proxy {
namespace {

// As everywhere, "host" is another name of ":authority"; where both are given, the latter counts. A field that cannot
// be sent is kept: the embedder answers such a call, with 503, as Envoy does.
void fill(http::HeaderMap& map, const Pairs& pairs) {
  for (const auto& [name, value] : pairs) {
    if (name.empty()) continue;
    const std::string_view field = http::request_field(name);
    if (field == ":authority" && map.has(http::HeaderId::kAuthority)) {
      if (name == field) map.set(http::HeaderId::kAuthority, value);
      continue;
    }
    http::add_field(map, field, value);
  }
}

bool is_complete(const http::HeaderMap& headers) {
  return headers.has(http::HeaderId::kMethod) && headers.has(http::HeaderId::kPath) &&
         headers.has(http::HeaderId::kAuthority);
}

Status to_status(const Error& error) {
  return error.code == ErrorCode::kNotFound ? Status::kBadArgument : Status::kInternalFailure;
}

}  // namespace

Status proxy_http_call(Vm& vm, u32 upstream, u32 upstream_size, u32 headers, u32 headers_size, u32 body, u32 body_size,
                       u32 trailers, u32 trailers_size, u32 timeout, u32 return_token) {
  if (vm.current() == nullptr) return Status::kInternalFailure;
  const auto cluster = vm.read(upstream, upstream_size);
  const auto header_bytes = vm.read(headers, headers_size);
  const auto body_bytes = vm.read(body, body_size);
  const auto trailer_bytes = vm.read(trailers, trailers_size);
  if (!cluster || !header_bytes || !body_bytes || !trailer_bytes || !vm.writable(return_token, sizeof(u32)))
    return Status::kInvalidMemoryAccess;
  HttpCallRequest request;
  Pairs& pairs = vm.scratch_pairs();
  if (!parse_pairs(*header_bytes, pairs)) return Status::kBadArgument;
  fill(request.headers, pairs);
  if (!parse_pairs(*trailer_bytes, pairs)) return Status::kBadArgument;
  fill(request.trailers, pairs);
  if (const std::string fault = http::header_fault(request.headers); !fault.empty()) [[unlikely]]
    vm.advise(Advice::kHeaderFault, [&] { return "makes a call that is answered with 503, not sent: " + fault; });
  if (!is_complete(request.headers) || static_cast<int32_t>(timeout) < 0) return Status::kBadArgument;
  if (body_bytes->empty()) {
    if (const auto length = request.headers.get(http::HeaderId::kContentLength); length && *length != "0") {
      vm.report(Hazard::kCallLength, *vm.current());
      if (HttpContextImpl* stream = vm.current()->stream()) stream->fail_for(Hazard::kCallLength);
    }
  }
  request.cluster = *cluster;
  request.body = *body_bytes;
  request.timeout = std::chrono::milliseconds(timeout);
  const auto token = vm.call_outs().start(vm.current()->root->id, std::move(request));
  vm.write_u32(return_token, token ? *token : 0);
  if (!token && token.error().code == ErrorCode::kResourceExhausted) return vm.over_limit(GuestLimit::kCalls);
  return token ? Status::kOk : to_status(token.error());
}

// The status of the call whose callback is running: BrokenConnection after a reset, gRPC's in proxy_on_grpc_close.
Status proxy_get_status(Vm& vm, u32 return_code, u32 return_data, u32 return_size) {
  if (vm.current() == nullptr) return Status::kInternalFailure;
  if (!vm.writable(return_code, sizeof(u32))) return Status::kInvalidMemoryAccess;
  const bool reset = vm.call_response() != nullptr && vm.call_response()->reset;
  const GrpcEvent& grpc = vm.grpc_event();
  const Status status = vm.return_bytes(reset ? "reset" : grpc.text, return_data, return_size);
  if (status == Status::kOk)
    vm.write_u32(return_code, reset ? static_cast<u32>(Status::kBrokenConnection) : grpc.status);
  return status;
}

}  // namespace inlay::host::proxy
