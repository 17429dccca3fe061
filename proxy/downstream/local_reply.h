// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "host/embedder.h"
#include "http/header_map.h"

namespace inlay::proxy::downstream {

// What of a request decides the form of a local reply. As in Envoy that is the request as the client sent it, whatever
// filters make of it.
struct RequestKind {
  bool is_grpc = false;  // http::is_grpc
  bool is_head = false;
};
RequestKind kind_of(const http::HeaderMap& request);

// Begins the head of a local reply in `response`, which is cleared: with its status.
void begin_local_reply(const host::LocalReply& reply, http::HeaderMap& response);
// The rest of it by Envoy's rules, behind what has been added meanwhile: the reply's own fields, content-length and
// "content-type: text/plain" unless there is one, both absent for an empty body; for a gRPC request 200 with
// grpc-status and the body percent-encoded as grpc-message. Returns the body to send, empty when there is none or the
// request is HEAD.
std::string finish_local_reply(RequestKind request, host::LocalReply reply, http::HeaderMap& response);

}  // namespace inlay::proxy::downstream
