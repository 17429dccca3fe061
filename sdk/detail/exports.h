// SPDX-License-Identifier: Apache-2.0
#pragma once

// The module's exports (V is always Vm). Each callback is a function template of its own with an export name: a
// template that nothing instantiates is not in the module, so a registration instantiates just those that its classes
// override.

#include <type_traits>

#include "sdk/detail/export.h"
#include "sdk/detail/vm.h"

namespace inlay::sdk::detail {

template <class V>
INLAY_EXPORT_(proxy_abi_version_0_2_1)
void abi_version_0_2_1() {}
template <class V>
INLAY_EXPORT_(proxy_on_memory_allocate)
void* on_memory_allocate(size_t size) {
  return std::malloc(size == 0 ? 1 : size);
}
template <class V>
INLAY_EXPORT_(proxy_on_context_create)
void on_context_create(ContextId id, ContextId parent_id) {
  V::current().on_context_create(id, parent_id);
}
template <class V>
INLAY_EXPORT_(proxy_on_delete)
void on_delete(ContextId id) {
  V::current().on_delete(id);
}
// INLAY_CALLBACK_: a callback that is handed on as it is. An unknown context gets the answer that changes nothing.
// INLAY_END_: one that tells of the context's end. INLAY_STREAM_: one that may pause a direction of its stream.
#define INLAY_CALLBACK_(lookup, name, result, otherwise, params, ...) \
  template <class V>                                                  \
  INLAY_EXPORT_(proxy_##name)                                         \
  result name params {                                                \
    auto* context = V::current().lookup(id);                          \
    if (context == nullptr) return otherwise;                         \
    const Callback callback(*context);                                \
    return static_cast<result>(context->name(__VA_ARGS__));           \
  }
#define INLAY_END_(lookup, name, result, otherwise, params, ...) \
  template <class V>                                             \
  INLAY_EXPORT_(proxy_##name)                                    \
  result name params {                                           \
    auto* context = V::current().lookup(id);                     \
    if (context == nullptr) return otherwise;                    \
    const Callback callback(*context);                           \
    callback.ends();                                             \
    return static_cast<result>(context->name(__VA_ARGS__));      \
  }
#define INLAY_STREAM_(lookup, name, direction, params, ...) \
  template <class V>                                        \
  INLAY_EXPORT_(proxy_##name)                               \
  uint32_t name params {                                    \
    auto* context = V::current().lookup(id);                \
    if (context == nullptr) return 0;                       \
    StreamCallback callback(*context, direction);           \
    return callback.result(context->name(__VA_ARGS__));     \
  }

INLAY_END_(any, on_done, uint32_t, 1, (ContextId id))
INLAY_END_(any, on_log, void, void(), (ContextId id))
INLAY_CALLBACK_(root, on_vm_start, uint32_t, 1, (ContextId id, size_t size), size)
INLAY_CALLBACK_(root, on_configure, uint32_t, 1, (ContextId id, size_t size), size)
INLAY_CALLBACK_(root, on_queue_ready, void, void(), (ContextId id, uint32_t queue), queue)
INLAY_CALLBACK_(root, on_foreign_function, void, void(), (ContextId id, uint32_t function, size_t size), function, size)
INLAY_STREAM_(http, on_request_headers, kToServer, (ContextId id, size_t n, uint32_t end), n, end != 0)
INLAY_STREAM_(http, on_request_body, kToServer, (ContextId id, size_t size, uint32_t end), size, end != 0)
INLAY_STREAM_(http, on_request_trailers, kToServer, (ContextId id, size_t n), n)
INLAY_STREAM_(http, on_response_headers, kToClient, (ContextId id, size_t n, uint32_t end), n, end != 0)
INLAY_STREAM_(http, on_response_body, kToClient, (ContextId id, size_t size, uint32_t end), size, end != 0)
INLAY_STREAM_(http, on_response_trailers, kToClient, (ContextId id, size_t n), n)
INLAY_STREAM_(tcp, on_new_connection, kToServer, (ContextId id))
INLAY_STREAM_(tcp, on_downstream_data, kToServer, (ContextId id, size_t size, uint32_t end), size, end != 0)
INLAY_STREAM_(tcp, on_upstream_data, kToClient, (ContextId id, size_t size, uint32_t end), size, end != 0)
INLAY_END_(tcp, on_downstream_connection_close, void, void(), (ContextId id, PeerType peer), peer)
INLAY_CALLBACK_(tcp, on_upstream_connection_close, void, void(), (ContextId id, PeerType peer), peer)
#undef INLAY_STREAM_
#undef INLAY_END_
#undef INLAY_CALLBACK_

// Each list names the callbacks of one base class.
// clang-format 14 does not come to rest on these.
// clang-format off
#define INLAY_CONTEXT_CALLBACKS_(X) X(on_done) X(on_log)
#define INLAY_ROOT_CALLBACKS_(X)                                                                          \
  X(on_vm_start) X(on_configure) X(on_tick) X(on_queue_ready) X(on_http_call_response)                    \
  X(on_foreign_function)
#define INLAY_HTTP_CALLBACKS_(X)                                                                          \
  X(on_request_headers) X(on_request_body) X(on_request_trailers)                                         \
  X(on_response_headers) X(on_response_body) X(on_response_trailers)
#define INLAY_TCP_CALLBACKS_(X)                                                                           \
  X(on_new_connection) X(on_downstream_data) X(on_upstream_data)                                          \
  X(on_downstream_connection_close) X(on_upstream_connection_close)
// clang-format on

// A member's address has the type of the class that last overrides it.
#define INLAY_EXPORT_IF_OVERRIDDEN_(name) \
  if constexpr (!std::is_same_v<decltype(&T::name), decltype(&Base::name)>) (void)&detail::name<Vm>;

template <class T>
void export_callbacks() {
  (void)&abi_version_0_2_1<Vm>;
  (void)&on_memory_allocate<Vm>;
  (void)&detail::on_context_create<Vm>;
  (void)&detail::on_delete<Vm>;
  {
    using Base = Context;
    INLAY_CONTEXT_CALLBACKS_(INLAY_EXPORT_IF_OVERRIDDEN_)
  }
  if constexpr (std::is_base_of_v<RootContext, T>) {
    using Base = RootContext;
    INLAY_ROOT_CALLBACKS_(INLAY_EXPORT_IF_OVERRIDDEN_)
  } else if constexpr (std::is_base_of_v<HttpContext, T>) {
    using Base = HttpContext;
    INLAY_HTTP_CALLBACKS_(INLAY_EXPORT_IF_OVERRIDDEN_)
  } else {
    using Base = TcpContext;
    INLAY_TCP_CALLBACKS_(INLAY_EXPORT_IF_OVERRIDDEN_)
  }
}

}  // namespace inlay::sdk::detail

#undef INLAY_EXPORT_IF_OVERRIDDEN_
#undef INLAY_CONTEXT_CALLBACKS_
#undef INLAY_ROOT_CALLBACKS_
#undef INLAY_HTTP_CALLBACKS_
#undef INLAY_TCP_CALLBACKS_
