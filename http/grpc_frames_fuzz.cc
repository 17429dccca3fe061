// SPDX-License-Identifier: Apache-2.0
// Any bytes as a gRPC body, whole and cut in two: the same messages come out, none is larger than allowed, and those
// that come make up the body up to where it is refused.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/grpc_prefix.h"
#include "http/grpc_frames.h"

namespace {

using namespace inlay;  // NOLINT: one file, one purpose
using http::GrpcFrames;

constexpr size_t kMost = 300;

struct Seen {
  std::string messages;  // framed anew
  GrpcFrames::Next end = GrpcFrames::Next::kMore;
};

Seen run(std::string_view body, size_t cut) {
  GrpcFrames frames(kMost);
  Seen seen;
  Buffer message;
  for (const std::string_view part : {body.substr(0, cut), body.substr(cut)}) {
    Buffer data;
    data.append(part);
    frames.add(data);
    while ((seen.end = frames.next(message)) == GrpcFrames::Next::kMessage) {
      if (message.size() > kMost) std::abort();
      char prefix[kGrpcPrefix];
      write_grpc_prefix(prefix, message.size());
      seen.messages.append(prefix, kGrpcPrefix).append(message.to_string());
    }
  }
  return seen;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  const std::string_view body(reinterpret_cast<const char*>(bytes), size);
  const Seen whole = run(body, size);
  const Seen cut = run(body, size == 0 ? 0 : bytes[size - 1] % size);
  if (whole.messages != cut.messages || whole.end != cut.end) std::abort();
  if (whole.messages.size() > size) std::abort();
  for (size_t i = 0; i < whole.messages.size(); ++i)  // an empty message may be flagged as compressed
    if (whole.messages[i] != body[i] && body[i] != kGrpcCompressed) std::abort();
  return 0;
}
