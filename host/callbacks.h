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

struct Callbacks {
  Callback<uint32_t(uint32_t)> memory_allocate;

  Callback<void(uint32_t, uint32_t)> on_context_create;
  Callback<uint32_t(uint32_t, uint32_t)> on_vm_start;
  Callback<uint32_t(uint32_t, uint32_t)> on_configure;
  Callback<void(uint32_t)> on_tick;
  Callback<void(uint32_t, uint32_t)> on_queue_ready;
  Callback<void(uint32_t, uint32_t, uint32_t, uint32_t, uint32_t)> on_http_call_response;

  // ABI 0.1.0 has the header callbacks without end_of_stream.
  Callback<uint32_t(uint32_t, uint32_t, uint32_t)> on_request_headers;
  Callback<uint32_t(uint32_t, uint32_t)> on_request_headers_0_1_0;
  Callback<uint32_t(uint32_t, uint32_t, uint32_t)> on_request_body;
  Callback<uint32_t(uint32_t, uint32_t)> on_request_trailers;
  Callback<uint32_t(uint32_t, uint32_t, uint32_t)> on_response_headers;
  Callback<uint32_t(uint32_t, uint32_t)> on_response_headers_0_1_0;
  Callback<uint32_t(uint32_t, uint32_t, uint32_t)> on_response_body;
  Callback<uint32_t(uint32_t, uint32_t)> on_response_trailers;

  Callback<uint32_t(uint32_t)> on_new_connection;
  Callback<uint32_t(uint32_t, uint32_t, uint32_t)> on_downstream_data;
  Callback<uint32_t(uint32_t, uint32_t, uint32_t)> on_upstream_data;
  Callback<void(uint32_t, uint32_t)> on_downstream_connection_close;
  Callback<void(uint32_t, uint32_t)> on_upstream_connection_close;

  Callback<void(uint32_t)> on_log;
  Callback<uint32_t(uint32_t)> on_done;
  Callback<void(uint32_t)> on_delete;

  // Calls visit(name, handle) for every row; a name may have two rows, which differ in their signature.
  template <class Self, class Visitor>
  static void for_each(Self& self, Visitor&& visit) {
    visit("proxy_on_context_create", self.on_context_create);
    visit("proxy_on_vm_start", self.on_vm_start);
    visit("proxy_on_configure", self.on_configure);
    visit("proxy_on_tick", self.on_tick);
    visit("proxy_on_queue_ready", self.on_queue_ready);
    visit("proxy_on_http_call_response", self.on_http_call_response);
    visit("proxy_on_request_headers", self.on_request_headers);
    visit("proxy_on_request_headers", self.on_request_headers_0_1_0);
    visit("proxy_on_request_body", self.on_request_body);
    visit("proxy_on_request_trailers", self.on_request_trailers);
    visit("proxy_on_response_headers", self.on_response_headers);
    visit("proxy_on_response_headers", self.on_response_headers_0_1_0);
    visit("proxy_on_response_body", self.on_response_body);
    visit("proxy_on_response_trailers", self.on_response_trailers);
    visit("proxy_on_new_connection", self.on_new_connection);
    visit("proxy_on_downstream_data", self.on_downstream_data);
    visit("proxy_on_upstream_data", self.on_upstream_data);
    visit("proxy_on_downstream_connection_close", self.on_downstream_connection_close);
    visit("proxy_on_upstream_connection_close", self.on_upstream_connection_close);
    visit("proxy_on_log", self.on_log);
    visit("proxy_on_done", self.on_done);
    visit("proxy_on_delete", self.on_delete);
  }
};

// The wasm type of a handle's signature.
template <class R, class... P>
engine::FunctionType function_type(const Callback<R(P...)>&) {
  engine::FunctionType type;
  type.params.assign(sizeof...(P), engine::ValueType::kI32);
  if constexpr (!std::is_void_v<R>) type.results.push_back(engine::ValueType::kI32);
  return type;
}

}  // namespace inlay::host
