// SPDX-License-Identifier: Apache-2.0
#pragma once

// Every function that a guest may export for the host to call, found once when a VM is made. An empty handle means that
// the guest does not export it (or may not: capability restriction), and the call is skipped.

#include <cstdint>
#include <string_view>

#include "engine/engine.h"

namespace inlay::host {

template <class Signature>
using Callback = engine::Function<Signature>;

// X(member, name, signature): what the host calls. ABI 0.1.0 has the header callbacks without end_of_stream: a name may
// have two rows, which differ in their signature.
#define INLAY_HOST_CALLBACKS_(X)                                                                                      \
  X(on_context_create, "proxy_on_context_create", void(uint32_t, uint32_t))                                           \
  X(on_vm_start, "proxy_on_vm_start", uint32_t(uint32_t, uint32_t))                                                   \
  X(on_configure, "proxy_on_configure", uint32_t(uint32_t, uint32_t))                                                 \
  X(on_tick, "proxy_on_tick", void(uint32_t))                                                                         \
  X(on_queue_ready, "proxy_on_queue_ready", void(uint32_t, uint32_t))                                                 \
  X(on_http_call_response, "proxy_on_http_call_response", void(uint32_t, uint32_t, uint32_t, uint32_t, uint32_t))     \
  X(on_grpc_receive_initial_metadata, "proxy_on_grpc_receive_initial_metadata", void(uint32_t, uint32_t, uint32_t))   \
  X(on_grpc_receive, "proxy_on_grpc_receive", void(uint32_t, uint32_t, uint32_t))                                     \
  X(on_grpc_receive_trailing_metadata, "proxy_on_grpc_receive_trailing_metadata", void(uint32_t, uint32_t, uint32_t)) \
  X(on_grpc_close, "proxy_on_grpc_close", void(uint32_t, uint32_t, uint32_t))                                         \
  X(on_request_headers, "proxy_on_request_headers", uint32_t(uint32_t, uint32_t, uint32_t))                           \
  X(on_request_headers_0_1_0, "proxy_on_request_headers", uint32_t(uint32_t, uint32_t))                               \
  X(on_request_body, "proxy_on_request_body", uint32_t(uint32_t, uint32_t, uint32_t))                                 \
  X(on_request_trailers, "proxy_on_request_trailers", uint32_t(uint32_t, uint32_t))                                   \
  X(on_response_headers, "proxy_on_response_headers", uint32_t(uint32_t, uint32_t, uint32_t))                         \
  X(on_response_headers_0_1_0, "proxy_on_response_headers", uint32_t(uint32_t, uint32_t))                             \
  X(on_response_body, "proxy_on_response_body", uint32_t(uint32_t, uint32_t, uint32_t))                               \
  X(on_response_trailers, "proxy_on_response_trailers", uint32_t(uint32_t, uint32_t))                                 \
  X(on_new_connection, "proxy_on_new_connection", uint32_t(uint32_t))                                                 \
  X(on_downstream_data, "proxy_on_downstream_data", uint32_t(uint32_t, uint32_t, uint32_t))                           \
  X(on_upstream_data, "proxy_on_upstream_data", uint32_t(uint32_t, uint32_t, uint32_t))                               \
  X(on_downstream_connection_close, "proxy_on_downstream_connection_close", void(uint32_t, uint32_t))                 \
  X(on_upstream_connection_close, "proxy_on_upstream_connection_close", void(uint32_t, uint32_t))                     \
  X(on_log, "proxy_on_log", void(uint32_t))                                                                           \
  X(on_done, "proxy_on_done", uint32_t(uint32_t))                                                                     \
  X(on_delete, "proxy_on_delete", void(uint32_t))

#define INLAY_MEMBER_(member, name, ...) Callback<__VA_ARGS__> member;
#define INLAY_VISIT_(member, name, ...) visit(name, self.member);

struct Callbacks {
  Callback<uint32_t(uint32_t)> memory_allocate;
  INLAY_HOST_CALLBACKS_(INLAY_MEMBER_)

  // Calls visit(name, handle) for every row.
  template <class Self, class Visitor>
  static void for_each(Self& self, Visitor&& visit) {
    INLAY_HOST_CALLBACKS_(INLAY_VISIT_)
  }
};

#undef INLAY_VISIT_
#undef INLAY_MEMBER_
#undef INLAY_HOST_CALLBACKS_

// The wasm type of a handle's signature.
template <class R, class... P>
engine::FunctionType function_type(const Callback<R(P...)>&) {
  engine::FunctionType type;
  type.params.assign(sizeof...(P), engine::ValueType::kI32);
  if constexpr (!std::is_void_v<R>) type.results.push_back(engine::ValueType::kI32);
  return type;
}

}  // namespace inlay::host
