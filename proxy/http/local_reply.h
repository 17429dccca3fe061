// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "host/embedder.h"
#include "host/header_map.h"

namespace inlay::proxy::http {

// Makes the head of a local reply in `response` (which is cleared) by Envoy's rules: content-length and
// "content-type: text/plain" unless the reply has one, both absent for an empty body; for a gRPC request
// (content-type: application/grpc*) 200 with grpc-status and the body percent-encoded as grpc-message. Returns the body
// to send, empty when there is none or the request is HEAD.
std::string make_local_reply(const host::HeaderMap& request, host::LocalReply reply, host::HeaderMap& response);

// The gRPC status that stands for an HTTP status (grpc/doc/http-grpc-status-mapping.md).
uint32_t grpc_status_of(uint32_t http_status);

}  // namespace inlay::proxy::http
