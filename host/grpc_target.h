// SPDX-License-Identifier: Apache-2.0
#pragma once

// GrpcTarget: where a guest's gRPC call goes (the first argument of proxy_grpc_call): a GrpcService
// (config/core/v3/grpc_service.proto) as bytes, or the name of a cluster.

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace inlay::host {

struct GrpcTarget {
  enum class Kind : uint8_t {
    kNone,     // it names no target
    kCluster,  // envoy_grpc
    kAddress,  // google_grpc, which needs that library
  };
  Kind kind = Kind::kNone;
  std::string cluster{};
  std::string authority{};                                      // empty: the cluster's name
  std::vector<std::pair<std::string, std::string>> metadata{};  // initial_metadata
  size_t max_message = 0;                                       // max_receive_message_length, bytes; 0: none
  bool has_retry_policy = false;

  const std::string& host() const { return authority.empty() ? cluster : authority; }
};

// Reads a GrpcService; nullopt if the bytes are none, such as those of nearly any name. `timeout` is left out, as in
// Envoy: a call has a timeout of its own.
std::optional<GrpcTarget> read_grpc_service(std::string_view bytes);

}  // namespace inlay::host
