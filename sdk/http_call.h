// SPDX-License-Identifier: Apache-2.0
#pragma once

// HTTP call-outs: what is sent, and what comes back. Context::http_call awaits one:
//
//     class Prober : public RootContext {
//       Task<> probe() {
//         const Pair headers[] = {{":method", "POST"}, {":path", "/v1/ping"}, {":authority", "backend"}};
//         const auto reply = co_await http_call({.cluster = "backend", .headers = headers, .body = "ping"}, 500ms);
//         if (!reply) co_return log_warn("no answer: ", reply.error());
//         if (reply->status != 200 || reply->body_size > 1024) co_return log_warn("answered with ", reply->status);
//         if (const auto body = reply->body()) log_info("says ", body->view());
//       }
//     };
//
// The host sends it through a cluster of its own configuration. Where no answer comes in time, or the service cannot be
// reached, hosts answer with 504 or 503 themselves: a status alone does not say who has answered.

#include <cstdint>
#include <span>
#include <string_view>

#include "sdk/buffer.h"
#include "sdk/bytes.h"
#include "sdk/clock.h"
#include "sdk/headers.h"

namespace inlay::sdk {

// HttpRequest: views; all that they show must live until the call is sent, which is at once.
struct HttpRequest {
  std::string_view cluster;       // as the host's configuration names it
  std::span<const Pair> headers;  // :method, :path and :authority among them; content-length is the host's
  std::string_view body = {};
};

// HttpReply can be read until the coroutine that got it is suspended again: the host keeps the answer no longer. What
// the members give (Bytes, HeaderPairs) are copies, and stay.
struct HttpReply {
  uint32_t status = 0;   // 0 if the answer had no valid :status
  size_t body_size = 0;  // bytes; to be looked at before the body is copied
  HeaderMap headers() const { return HeaderMap(MapType::kHttpCallResponseHeaders); }
  HeaderMap trailers() const { return HeaderMap(MapType::kHttpCallResponseTrailers); }
  Result<Bytes> body(size_t max_size = UINT32_MAX) const {
    return Buffer(BufferType::kHttpCallResponseBody).read(0, max_size);
  }
};

// send_http_call: sends `request`, and gives the call's number. The answer comes to the root context's
// on_http_call_response, where HttpReply's members read it, and to nobody if it does not override that; a task that
// wants it uses Context::http_call. A timeout of 0 is none, as in Envoy, and one of more than 24 days is 24 days, the
// ABI's longest. Errors: kBadArgument (unknown cluster, missing pseudo-header, negative timeout), kInternalFailure (not
// sent: no healthy host, too many calls under way, no memory).
Result<uint32_t> send_http_call(const HttpRequest& request, Duration timeout);

namespace detail {

// timeout_ms: as the ABI has it, where those beyond INT32_MAX are negative, and refused.
inline uint32_t timeout_ms(Duration timeout) {
  if (timeout.count() < 0) return UINT32_MAX;
  return timeout.count() > INT32_MAX ? INT32_MAX : static_cast<uint32_t>(timeout.count());
}

// send_call: send_http_call, but of a call whose answer the root context is not told of.
inline Result<uint32_t> send_call(const HttpRequest& request, Duration timeout) {
  Bytes pairs = Bytes::allocate(abi::pairs_size(request.headers));
  if (pairs.data() == nullptr) return Status::kInternalFailure;
  abi::write_pairs(request.headers, pairs.data());
  uint32_t call_id = 0;
  const Status status =
      proxy_http_call(request.cluster.data(), request.cluster.size(), pairs.data(), pairs.size(), request.body.data(),
                      request.body.size(), nullptr, 0, timeout_ms(timeout), &call_id);
  if (status != Status::kOk) return status;
  return call_id;
}

}  // namespace detail
}  // namespace inlay::sdk
