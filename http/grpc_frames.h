// SPDX-License-Identifier: Apache-2.0
#pragma once

// GrpcFrames cuts a gRPC body, which comes in any pieces, into its messages (base/grpc_prefix.h). Thread-compatible.
//
//     GrpcFrames frames(4 << 20);
//     frames.add(data);                   // takes all of it
//     for (Buffer message;;) {
//       const GrpcFrames::Next next = frames.next(message);
//       if (next == GrpcFrames::Next::kMore) break;            // the rest is still to come
//       if (next != GrpcFrames::Next::kMessage) return fail();  // and so is every next one
//       take(message);
//     }

#include <cstddef>
#include <cstdint>

#include "base/buffer.h"

namespace inlay::http {

class GrpcFrames {
 public:
  // Messages larger than `max_message` bytes are refused.
  explicit GrpcFrames(size_t max_message) : max_message_(max_message) {}

  void add(Buffer& data) { waiting_.move_from(data); }

  enum class Next : uint8_t {
    kMessage,   // the next message is in `message`, in the place of what was there
    kMore,      // there is none yet
    kTooLarge,  // the prefix announces more than is taken
    kBadFlags,  // the message is compressed, or has a flag that gRPC does not know. An empty one may be "compressed".
  };
  Next next(Buffer& message);

  // Bytes of a message that has not come as a whole.
  size_t waiting() const { return waiting_.size(); }

 private:
  size_t max_message_;
  Buffer waiting_;
};

}  // namespace inlay::http
