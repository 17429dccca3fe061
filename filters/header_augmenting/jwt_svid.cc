// SPDX-License-Identifier: Apache-2.0
#include "filters/header_augmenting/jwt_svid.h"

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/grpc_prefix.h"
#include "filters/header_augmenting/text_builder.h"

namespace inlay::header_augmenting {
namespace {

void add_varint(TextBuilder& out, size_t value) {
  for (; value >= 0x80; value >>= 7) out.add(static_cast<char>(value | 0x80));
  out.add(static_cast<char>(value));
}

// add_string: a field with a length, of a number below 16.
void add_string(TextBuilder& out, uint32_t field, std::string_view text) {
  out.add(static_cast<char>(field << 3 | 2));
  add_varint(out, text.size());
  out.add(text);
}

[[gnu::noinline]] bool take_varint(std::string_view& rest, uint64_t& value) {
  value = 0;
  for (uint32_t shift = 0; shift < 64 && !rest.empty(); shift += 7) {
    const auto byte = static_cast<unsigned char>(rest.front());
    rest.remove_prefix(1);
    value |= uint64_t{byte & 0x7fu} << shift;
    if (byte < 0x80) return true;
  }
  return false;
}

// find_field: the first field of `message` with that number and a length; empty if there is none, or the message is
// malformed before it.
[[gnu::noinline]] std::string_view find_field(std::string_view message, uint32_t field) {
  for (uint64_t tag = 0, size = 0; take_varint(message, tag);) {
    const auto type = static_cast<uint32_t>(tag & 7);
    size = type == 1 ? 8 : 4;  // of a fixed number of bytes
    if (type == 0 || type == 2) {
      if (!take_varint(message, size)) break;
      if (type == 0) continue;
    } else if (type != 1 && type != 5) {
      break;
    }
    if (size > message.size()) break;
    const std::string_view content = message.substr(0, static_cast<size_t>(size));
    if (tag == (field << 3 | 2)) return content;
    message.remove_prefix(content.size());
  }
  return {};
}

}  // namespace

std::string_view svid_request(const JwtSvid& wanted, Arena& arena) {
  TextBuilder message;
  for (const std::string_view audience : wanted.audience) add_string(message, 1, audience);
  if (!wanted.spiffe_id.empty()) add_string(message, 2, wanted.spiffe_id);
  const std::string_view text = message.view();
  const std::span<char> frame = arena.array<char>(kGrpcPrefix + text.size());
  write_grpc_prefix(frame.data(), text.size());
  text.copy(frame.data() + kGrpcPrefix, text.size());
  return {frame.data(), frame.size()};
}

std::string_view read_svid(std::string_view body) {
  if (body.size() < kGrpcPrefix) return {};
  const GrpcPrefix prefix = read_grpc_prefix(body.data());
  body.remove_prefix(kGrpcPrefix);
  if (prefix.flags != 0 || prefix.size != body.size()) return {};
  return find_field(find_field(body, 1), 2);
}

}  // namespace inlay::header_augmenting
