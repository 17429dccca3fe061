// SPDX-License-Identifier: Apache-2.0
#include "package/gzip.h"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <memory>

namespace inlay::package {
namespace {

constexpr int kGzipOnly = 15 + 16;  // the largest window, and gzip's head and end around it

// Magic, method 8, no flags, no time, no extra flags, made on an unknown system.
constexpr std::array<char, 10> kHead = {'\x1f', '\x8b', 8, 0, 0, 0, 0, 0, 0, '\xff'};

// The lowest byte first.
void append_number(std::string& out, uint32_t value, unsigned bytes) {
  for (unsigned i = 0; i < bytes; ++i) out += static_cast<char>(value >> (8 * i) & 0xff);
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

std::string gzip_stored(std::span<const uint8_t> input) {
  constexpr size_t kMaxBlock = 65535;
  std::string out(kHead.data(), kHead.size());
  std::span<const uint8_t> rest = input;
  do {
    const auto block = rest.first(std::min(rest.size(), kMaxBlock));
    rest = rest.subspan(block.size());
    const auto length = static_cast<uint32_t>(block.size());
    out += rest.empty() ? '\1' : '\0';  // whether it is the last one; type 0
    append_number(out, length, 2);
    append_number(out, ~length, 2);
    out.append(reinterpret_cast<const char*>(block.data()), block.size());
  } while (!rest.empty());
  append_number(out, static_cast<uint32_t>(::crc32_z(0, input.data(), input.size())), 4);
  append_number(out, static_cast<uint32_t>(input.size()), 4);
  return out;
}

Result<std::string> gzip_compressed(std::span<const uint8_t> input) {
  z_stream stream = {};
  if (input.size() > UINT32_MAX ||
      ::deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, kGzipOnly, MAX_MEM_LEVEL, Z_DEFAULT_STRATEGY) != Z_OK)
    return Error{ErrorCode::kInternal, "zlib did not start", {}};
  const std::unique_ptr<z_stream, int (*)(z_stream*)> end(&stream, &::deflateEnd);
  std::string out(::deflateBound(&stream, static_cast<uLong>(input.size())), '\0');
  stream.next_in = const_cast<Bytef*>(input.data());  // zlib only reads it
  stream.avail_in = static_cast<uInt>(input.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  if (::deflate(&stream, Z_FINISH) != Z_STREAM_END) return Error{ErrorCode::kInternal, "zlib did not finish", {}};
  out.resize(stream.total_out);
  return out;
}

Result<std::string> gunzip(std::span<const uint8_t> input, size_t limit) {
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
