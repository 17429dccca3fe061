// SPDX-License-Identifier: Apache-2.0
// What is done to contexts and streams: all of it after the guest has returned.

#include <algorithm>

#include "host/functions.h"
#include "host/http_context_impl.h"
#include "host/tcp_context_impl.h"
#include "host/vm.h"
#include "http/header_fault.h"

namespace inlay::host::proxy {
namespace {

constexpr u32 kMaxGrpcStatus = 16;
constexpr u32 kMinStatus = 200;
constexpr u32 kMaxStatus = 599;
constexpr u32 kNoStatus = 500;  // in the place of one that is none

// As in Envoy, a direction that the context does not have is Ok, and nothing happens: guests' SDKs panic at anything
// else.
Status continue_direction(Vm& vm, Direction direction) {
  if (vm.current() == nullptr) return Status::kInternalFailure;
  if (HttpContextImpl* stream = vm.current()->stream()) stream->defer_continue(direction);
  return Status::kOk;
}

// As Envoy, which has no way to let the server's bytes go on later, in whatever context.
Status continue_from(Vm& vm, Peer from) {
  if (vm.current() == nullptr) return Status::kInternalFailure;
  if (from == Peer::kUpstream) return Status::kUnimplemented;
  if (TcpContextImpl* connection = vm.current()->connection()) connection->defer_continue(from);
  return Status::kOk;
}

Status close_side(Vm& vm, Peer side) {
  if (TcpContextImpl* connection = vm.current()->connection()) connection->defer_close(side);
  return Status::kOk;
}

// A guest that is refused its reply has nothing else to say, and its client would wait: so what cannot be sent is left
// out. Pseudo-headers without a word, as in Envoy, since SDKs hand out a call's ":status" with its other headers.
void add_headers(Vm& vm, const Pairs& pairs, LocalReply& reply) {
  for (const auto& [name, value] : pairs) {
    if (name.starts_with(':')) continue;
    if (http::is_header_name(name) && http::is_header_value(value)) {
      reply.headers.emplace_back(name, value);
      continue;
    }
    vm.advise(Advice::kReplyFields, [&, field = name] {
      return "sends a reply with the header " + http::show_bytes(field) +
             ", which is left out, for its name or value has a character that would break the response";
    });
  }
}

// As a status line can say it.
uint32_t reply_status(Vm& vm, u32 status) {
  if (status >= kMinStatus && status <= kMaxStatus) return status;
  vm.advise(Advice::kReplyStatus,
            [&] { return "replies with the status " + std::to_string(status) + ", which is none: 500 is sent"; });
  return kNoStatus;
}

}  // namespace

// As in Envoy only a root context whose on_done said false could be waited for, and at the process's end none is.
Status proxy_done(Vm& vm) {
  return vm.current() == nullptr ? Status::kInternalFailure : Status::kNotFound;
}

Status proxy_set_effective_context(Vm& vm, u32 context) {
  if (vm.current() == nullptr) return Status::kInternalFailure;
  return vm.set_effective_context(context) ? Status::kOk : Status::kBadArgument;
}

Status proxy_continue_stream(Vm& vm, u32 stream) {
  switch (static_cast<abi::StreamType>(stream)) {
    case abi::StreamType::kHttpRequest:
      return continue_direction(vm, Direction::kRequest);
    case abi::StreamType::kHttpResponse:
      return continue_direction(vm, Direction::kResponse);
    case abi::StreamType::kDownstream:
      return continue_from(vm, Peer::kDownstream);
    case abi::StreamType::kUpstream:
      return continue_from(vm, Peer::kUpstream);
  }
  return Status::kBadArgument;
}

Status proxy_close_stream(Vm& vm, u32 stream) {
  if (vm.current() == nullptr) return Status::kInternalFailure;
  switch (static_cast<abi::StreamType>(stream)) {
    case abi::StreamType::kHttpRequest:
    case abi::StreamType::kHttpResponse:
      if (HttpContextImpl* context = vm.current()->stream()) context->defer_reset();
      return Status::kOk;
    case abi::StreamType::kDownstream:
      return close_side(vm, Peer::kDownstream);
    case abi::StreamType::kUpstream:
      return close_side(vm, Peer::kUpstream);
  }
  return Status::kBadArgument;
}

Status proxy_continue_request(Vm& vm) {
  return continue_direction(vm, Direction::kRequest);
}
Status proxy_continue_response(Vm& vm) {
  return continue_direction(vm, Direction::kResponse);
}

Status proxy_clear_route_cache(Vm& vm) {
  if (vm.current() == nullptr) return Status::kInternalFailure;
  HttpContextImpl* stream = vm.current()->stream();
  if (stream != nullptr && stream->http() != nullptr) stream->http()->clear_route_cache();
  return Status::kOk;
}

Status proxy_send_local_response(Vm& vm, u32 status, u32 details, u32 details_size, u32 body, u32 body_size,
                                 u32 headers, u32 headers_size, u32 grpc_status) {
  if (vm.current() == nullptr) return Status::kInternalFailure;
  const auto details_text = vm.read(details, details_size);
  const auto body_bytes = vm.read(body, body_size);
  const auto header_bytes = vm.read(headers, headers_size);
  if (!details_text || !body_bytes || !header_bytes) return Status::kInvalidMemoryAccess;
  if (body_bytes->size() > limits::kReplyBytes) return vm.over_limit(GuestLimit::kReply);
  LocalReply reply;
  Pairs& pairs = vm.scratch_pairs();
  if (!parse_pairs(*header_bytes, pairs))
    vm.advise(Advice::kReplyHeaders, [] { return "sends a reply with malformed headers, which are left out"; });
  add_headers(vm, pairs, reply);
  reply.status = reply_status(vm, status);
  reply.body = *body_bytes;
  if (grpc_status <= kMaxGrpcStatus) reply.grpc_status = grpc_status;
  reply.details = details_text->substr(0, limits::kReplyDetails);
  std::replace_if(
      reply.details.begin(), reply.details.end(), [](char c) { return c == ' ' || (c >= 9 && c <= 13); }, '_');
  if (HttpContextImpl* stream = vm.current()->stream()) stream->defer_local_reply(std::move(reply));
  return Status::kOk;
}

}  // namespace inlay::host::proxy
