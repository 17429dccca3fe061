// SPDX-License-Identifier: Apache-2.0
#pragma once

// Answering a request from the filter, and steering its stream.

#include <cstdint>
#include <string_view>

#include "abi/pairs.h"
#include "sdk/bytes.h"
#include "sdk/headers.h"
#include "sdk/host_functions.h"

namespace inlay::sdk {

using abi::StreamType;

struct LocalReply {
  uint32_t status = 500;
  std::string_view body;
  std::string_view details;  // for the host's access log; no white space
};

// send_local_reply: answers the request in hand with `reply` and `headers` (a range with .key and .value) instead of
// sending it on; the callback then returns a status that stops the iteration.
template <class Range>
Result<> send_local_reply(const LocalReply& reply, const Range& headers) {
  Bytes pairs = Bytes::allocate(abi::pairs_size(headers));
  if (pairs.data() == nullptr) return Status::kInternalFailure;
  abi::write_pairs(headers, pairs.data());
  constexpr uint32_t kNoGrpcStatus = UINT32_MAX;
  return to_result(proxy_send_local_response(reply.status, reply.details.data(), reply.details.size(),
                                             reply.body.data(), reply.body.size(), pairs.data(), pairs.size(),
                                             kNoGrpcStatus));
}

// continue_stream: lets a stream go on that a callback has paused; close_stream: resets it.
inline Result<> continue_stream(StreamType type) {
  return to_result(proxy_continue_stream(type));
}
inline Result<> close_stream(StreamType type) {
  return to_result(proxy_close_stream(type));
}

}  // namespace inlay::sdk
