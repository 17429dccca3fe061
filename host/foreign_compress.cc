// SPDX-License-Identifier: Apache-2.0
// The foreign functions compress and uncompress: zlib streams. Output is bounded while it is made, so that no small
// input can take the process's memory.

#define ZLIB_CONST
#include <zlib.h>

#include <algorithm>
#include <memory>

#include "host/foreign.h"
#include "host/vm.h"

namespace inlay::host::foreign {
namespace {

using abi::Status;

struct EndInflate {
  void operator()(z_stream* stream) const { inflateEnd(stream); }
};

const Bytef* bytes(std::string_view text) {
  return reinterpret_cast<const Bytef*>(text.data());
}

}  // namespace

Status compress(Vm& vm, std::string_view argument, std::string& result) {
  if (argument.size() > limits::kCompressionBytes) return vm.over_limit(GuestLimit::kCompression);
  uLongf size = compressBound(argument.size());
  result.resize(size);
  const int done = ::compress(reinterpret_cast<Bytef*>(result.data()), &size, bytes(argument), argument.size());
  result.resize(done == Z_OK ? size : 0);
  return done == Z_OK ? Status::kOk : Status::kSerializationFailure;
}

Status uncompress(Vm& vm, std::string_view argument, std::string& result) {
  if (argument.size() > limits::kCompressionBytes) return vm.over_limit(GuestLimit::kCompression);
  z_stream stream{};
  if (inflateInit(&stream) != Z_OK) return Status::kInternalFailure;
  const std::unique_ptr<z_stream, EndInflate> end(&stream);
  stream.next_in = bytes(argument);
  stream.avail_in = static_cast<uInt>(argument.size());
  size_t room = argument.size() * 2 + 64;
  for (;;) {
    result.resize(std::min(room, limits::kCompressionBytes));
    stream.next_out = reinterpret_cast<Bytef*>(result.data()) + stream.total_out;
    stream.avail_out = static_cast<uInt>(result.size() - stream.total_out);
    const int done = inflate(&stream, Z_NO_FLUSH);
    if (done == Z_STREAM_END) break;
    const bool full = stream.avail_out == 0 && (done == Z_OK || done == Z_BUF_ERROR);
    if (!full) return Status::kSerializationFailure;  // broken, or it ends too early
    if (result.size() == limits::kCompressionBytes) return vm.over_limit(GuestLimit::kCompression);
    room = result.size() * 2;
  }
  result.resize(stream.total_out);
  return Status::kOk;
}

}  // namespace inlay::host::foreign
