// SPDX-License-Identifier: Apache-2.0
#include "proxy/downstream/local_reply.h"

#include <algorithm>
#include <utility>

#include "http/envoy_headers.h"
#include "http/grpc.h"
#include "http/status_reason.h"

namespace inlay::proxy::downstream {
namespace {

using http::HeaderId;
using http::HeaderMap;

void append_headers(const host::LocalReply& reply, HeaderMap& response) {
  for (const auto& [name, value] : reply.headers) {
    if (!http::is_header_name(name) || !http::is_header_value(value)) continue;
    http::add_field(response, name, value);
  }
}

std::string make_grpc_reply(const host::LocalReply& reply, HeaderMap& response) {
  append_headers(reply, response);
  http::set_grpc_answer(response, reply.grpc_status.value_or(http::grpc_status_of(reply.status)), reply.body);
  return {};
}

}  // namespace

void begin_local_reply(const host::LocalReply& reply, HeaderMap& response) {
  response.clear();
  std::string status = std::to_string(reply.status);
  if (!http::is_status(status)) status = "500";
  response.add(HeaderId::kStatus, ":status", status);
}

RequestKind kind_of(const HeaderMap& request) {
  return {http::is_grpc(request), request.value(HeaderId::kMethod) == "HEAD"};
}

std::string finish_local_reply(RequestKind request, host::LocalReply reply, HeaderMap& response) {
  if (request.is_grpc) return make_grpc_reply(reply, response);
  append_headers(reply, response);
  const std::string_view status = response.value(HeaderId::kStatus);
  if (reply.body.empty() || status == "204" || status == "304") {
    response.remove(HeaderId::kContentLength);
    response.remove(HeaderId::kContentType);
    return {};
  }
  response.set(HeaderId::kContentLength, std::to_string(reply.body.size()));
  if (!response.has(HeaderId::kContentType)) response.add(HeaderId::kContentType, "content-type", "text/plain");
  return request.is_head ? std::string() : std::move(reply.body);
}

}  // namespace inlay::proxy::downstream
