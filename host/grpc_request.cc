// SPDX-License-Identifier: Apache-2.0
#include "host/grpc_request.h"

#include <string>

#include "base/base64.h"
#include "http/envoy_headers.h"
#include "http/grpc.h"

namespace inlay::host {
namespace {

bool comes_once(std::string_view name) {
  return name.starts_with(':') || name == "te" || name == "content-type" || name == "grpc-timeout";
}

void add_metadata(http::HeaderMap& headers, std::string_view name, std::string_view value) {
  if (name.empty()) return;
  std::string encoded;
  if (name.ends_with("-bin")) {
    append_base64(encoded, value);
    value = encoded;
  }
  const std::string_view field = http::request_field(name);
  const auto there = comes_once(field) ? headers.get(field) : std::nullopt;
  if (!there) return http::add_field(headers, field, value);
  const std::string joined = std::string(*there).append(",").append(value);
  headers.set(field, joined);
}

}  // namespace

void write_grpc_head(const GrpcTarget& target, std::string_view service, std::string_view method,
                     std::optional<std::chrono::milliseconds> timeout, const Pairs& metadata,
                     http::HeaderMap& headers) {
  headers.add(":method", "POST");
  http::add_field(headers, ":path", std::string("/").append(service).append("/").append(method));
  http::add_field(headers, ":authority", target.host());
  headers.add("te", "trailers");
  if (timeout) headers.add("grpc-timeout", http::grpc_timeout_text(*timeout));
  headers.add("content-type", "application/grpc");
  for (const auto& [name, value] : target.metadata) add_metadata(headers, name, value);
  for (const auto& [name, value] : metadata) add_metadata(headers, name, value);
}

}  // namespace inlay::host
