// SPDX-License-Identifier: Apache-2.0
#include "http/grpc_frames.h"

#include "base/grpc_prefix.h"

namespace inlay::http {

GrpcFrames::Next GrpcFrames::next(Buffer& message) {
  if (waiting_.size() < kGrpcPrefix) return Next::kMore;
  char bytes[kGrpcPrefix];
  waiting_.copy_out(0, kGrpcPrefix, bytes);
  const GrpcPrefix prefix = read_grpc_prefix(bytes);
  if (prefix.flags > kGrpcCompressed) return Next::kBadFlags;
  if (prefix.size > max_message_) return Next::kTooLarge;
  if (prefix.flags == kGrpcCompressed && prefix.size > 0) return Next::kBadFlags;
  if (waiting_.size() - kGrpcPrefix < prefix.size) return Next::kMore;
  waiting_.drain(kGrpcPrefix);
  message.clear();
  message.move_from(waiting_, prefix.size);
  return Next::kMessage;
}

}  // namespace inlay::http
