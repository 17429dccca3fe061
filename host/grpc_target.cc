// SPDX-License-Identifier: Apache-2.0
#include "host/grpc_target.h"

#include "base/printable.h"
#include "base/proto_wire.h"

namespace inlay::host {
namespace {

// Field numbers of the messages.
struct Service {
  static constexpr uint32_t kEnvoyGrpc = 1, kGoogleGrpc = 2, kInitialMetadata = 5, kRetryPolicy = 6;
};
struct EnvoyGrpc {
  static constexpr uint32_t kClusterName = 1, kAuthority = 2, kRetryPolicy = 3, kMaxReceiveMessageLength = 4;
};
struct HeaderValue {
  static constexpr uint32_t kKey = 1, kValue = 2, kRawValue = 3;
};

bool read_text(const ProtoField& field, std::string& to) {
  if (!is_utf8(field.bytes)) return false;
  to = field.bytes;
  return true;
}

// A google.protobuf.UInt32Value.
bool read_number(std::string_view bytes, size_t& to) {
  ProtoReader reader(bytes);
  for (ProtoField f; reader.next(f);)
    if (f.number == 1 && f.is_varint()) to = static_cast<uint32_t>(f.value);
  return reader.ok();
}

bool read_envoy_grpc(std::string_view bytes, GrpcTarget& target) {
  ProtoReader reader(bytes);
  for (ProtoField f; reader.next(f);) {
    if (!f.is_bytes()) continue;
    bool good = true;
    if (f.number == EnvoyGrpc::kClusterName) good = read_text(f, target.cluster);
    if (f.number == EnvoyGrpc::kAuthority) good = read_text(f, target.authority);
    if (f.number == EnvoyGrpc::kRetryPolicy) target.has_retry_policy = true;
    if (f.number == EnvoyGrpc::kMaxReceiveMessageLength) good = read_number(f.bytes, target.max_message);
    if (!good) return false;
  }
  return reader.ok();
}

bool read_metadata(std::string_view bytes, GrpcTarget& target) {
  std::pair<std::string, std::string> one;
  ProtoReader reader(bytes);
  for (ProtoField f; reader.next(f);) {
    if (!f.is_bytes()) continue;
    if (f.number == HeaderValue::kKey && !read_text(f, one.first)) return false;
    if (f.number == HeaderValue::kValue && !read_text(f, one.second)) return false;
    if (f.number == HeaderValue::kRawValue) one.second = f.bytes;
  }
  if (reader.ok()) target.metadata.push_back(std::move(one));
  return reader.ok();
}

// Whether all of it has the form of a message.
bool is_message(std::string_view bytes) {
  ProtoReader reader(bytes);
  for (ProtoField f; reader.next(f);) {
  }
  return reader.ok();
}

bool read_field(const ProtoField& f, GrpcTarget& target) {
  switch (f.number) {
    case Service::kEnvoyGrpc:
      target.kind = GrpcTarget::Kind::kCluster;
      return read_envoy_grpc(f.bytes, target);
    case Service::kGoogleGrpc:
      target.kind = GrpcTarget::Kind::kAddress;
      return is_message(f.bytes);
    case Service::kInitialMetadata:
      return read_metadata(f.bytes, target);
    case Service::kRetryPolicy:
      target.has_retry_policy = true;
      return is_message(f.bytes);
    default:
      return true;
  }
}

}  // namespace

std::optional<GrpcTarget> read_grpc_service(std::string_view bytes) {
  GrpcTarget target;
  ProtoReader reader(bytes);
  for (ProtoField f; reader.next(f);)
    if (f.is_bytes() && !read_field(f, target)) return std::nullopt;
  if (!reader.ok()) return std::nullopt;
  return target;
}

}  // namespace inlay::host
