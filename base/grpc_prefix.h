// SPDX-License-Identifier: Apache-2.0
#pragma once

// What stands before each message of a gRPC body ("gRPC over HTTP2", Length-Prefixed-Message): a byte of flags, 1 for a
// message that is compressed, and the message's size, four bytes, the highest first. Host and guests use it; whole
// bodies are cut by http/grpc_frames.h.
//
//     char prefix[kGrpcPrefix];
//     write_grpc_prefix(prefix, message.size());
//     const GrpcPrefix read = read_grpc_prefix(prefix);  // of kGrpcPrefix bytes

#include <cstddef>
#include <cstdint>

namespace inlay {

inline constexpr size_t kGrpcPrefix = 5;
inline constexpr uint8_t kGrpcCompressed = 1;

struct GrpcPrefix {
  uint8_t flags = 0;
  size_t size = 0;  // below 4 GiB
};

inline void write_grpc_prefix(char* to, size_t size) {
  to[0] = 0;
  for (size_t i = 1; i < kGrpcPrefix; ++i) to[i] = static_cast<char>(size >> (32 - 8 * i));
}

inline GrpcPrefix read_grpc_prefix(const char* from) {
  GrpcPrefix prefix{.flags = static_cast<uint8_t>(from[0])};
  for (size_t i = 1; i < kGrpcPrefix; ++i) prefix.size = prefix.size << 8 | static_cast<uint8_t>(from[i]);
  return prefix;
}

}  // namespace inlay
