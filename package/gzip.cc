// SPDX-License-Identifier: Apache-2.0
#include <zlib.h>

#include <array>
#include <memory>

#include "package/deflate.h"

namespace inlay::package {
namespace {

// Magic, method 8, no flags, no time, "slowest", made on an unknown system.
constexpr std::array<char, 10> kHead = {'\x1f', '\x8b', 8, 0, 0, 0, 0, 0, 2, '\xff'};

void append_u32(std::string& out, uint32_t value) {
  for (unsigned shift = 0; shift < 32; shift += 8) out += static_cast<char>(value >> shift & 0xff);
}

Error broken(const z_stream& stream) {
  const std::string why = stream.msg != nullptr ? stream.msg : "it ends too early";
  return {ErrorCode::kInvalidArgument, "it is no whole gzip file: " + why, {}};
}

// Reads one member, from stream.next_in on.
Result<> inflate_member(z_stream& stream, std::string& out, size_t limit) {
  std::array<char, 65536> chunk;
  for (;;) {
    stream.next_out = reinterpret_cast<Bytef*>(chunk.data());
    stream.avail_out = static_cast<uInt>(chunk.size());
    const int status = ::inflate(&stream, Z_NO_FLUSH);
    if (status != Z_OK && status != Z_STREAM_END) return broken(stream);
    out.append(chunk.data(), chunk.size() - stream.avail_out);
    if (out.size() > limit) {
      return Error{ErrorCode::kResourceExhausted, "there is more in it than " + std::to_string(limit) + " bytes", {}};
    }
    if (status == Z_STREAM_END) return {};
    if (stream.avail_in == 0 && stream.avail_out != 0) return broken(stream);
  }
}

}  // namespace

std::string gzip(std::span<const uint8_t> input) {
  std::string out(kHead.data(), kHead.size());
  out += deflate(input);
  append_u32(out, static_cast<uint32_t>(::crc32_z(0, input.data(), input.size())));
  append_u32(out, static_cast<uint32_t>(input.size()));
  return out;
}

Result<std::string> gunzip(std::span<const uint8_t> input, size_t limit) {
  constexpr int kGzipOnly = 15 + 16;
  if (input.size() > UINT32_MAX) return Error{ErrorCode::kResourceExhausted, "a layer of over 4 GiB", {}};
  z_stream stream = {};
  if (::inflateInit2(&stream, kGzipOnly) != Z_OK) return Error{ErrorCode::kInternal, "zlib did not start", {}};
  const std::unique_ptr<z_stream, int (*)(z_stream*)> end(&stream, &::inflateEnd);
  stream.next_in = const_cast<Bytef*>(input.data());  // zlib only reads it
  stream.avail_in = static_cast<uInt>(input.size());
  std::string out;
  do {
    if (auto read = inflate_member(stream, out, limit); !read) return std::move(read).error();
  } while (stream.avail_in != 0 && ::inflateReset(&stream) == Z_OK);
  return out;
}

}  // namespace inlay::package
