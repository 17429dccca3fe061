// SPDX-License-Identifier: Apache-2.0
#include "dynamic_module/body_copy.h"

#include <algorithm>
#include <string_view>
#include <vector>

namespace inlay::dynamic_module {
namespace {

// The pieces of a body, behind those that are in `all`.
void add_chunks(envoy::Filter* filter, envoy::BodyType type, std::vector<envoy::View>& all) {
  const size_t count = envoy::http_get_body_chunks_size(filter, type);
  const size_t before = all.size();
  all.resize(before + count);
  if (count > 0 && !envoy::http_get_body_chunks(filter, type, all.data() + before)) all.resize(before);
}

std::vector<envoy::View> pieces_of(const Buffer& buffer) {
  std::vector<iovec> pieces(buffer.size() / Buffer::kBlockSize + 16);
  size_t count = buffer.iovecs(pieces.data(), pieces.size());
  while (count == pieces.size()) {
    pieces.resize(2 * pieces.size());
    count = buffer.iovecs(pieces.data(), pieces.size());
  }
  std::vector<envoy::View> views;
  for (size_t i = 0; i < count; ++i)
    views.emplace_back(std::string_view(static_cast<const char*>(pieces[i].iov_base), pieces[i].iov_len));
  return views;
}

// Whether two lists of pieces are the same bytes.
bool same_bytes(const std::vector<envoy::View>& one, const std::vector<envoy::View>& other) {
  auto a = one.begin();
  auto b = other.begin();
  std::string_view left;
  std::string_view right;
  for (;;) {
    while (left.empty() && a != one.end()) left = *a++;
    while (right.empty() && b != other.end()) right = *b++;
    if (left.empty() || right.empty()) return left.empty() && right.empty();
    const size_t size = std::min(left.size(), right.size());
    if (left.substr(0, size) != right.substr(0, size)) return false;
    left.remove_prefix(size);
    right.remove_prefix(size);
  }
}

}  // namespace

// What a filter before us has held back comes as received, and is the very buffer that is held.
void BodyCopy::begin(envoy::Filter* filter, bool buffering) {
  const auto is_held =
      request_ ? envoy::http_received_buffered_request_body : envoy::http_received_buffered_response_body;
  in_hook_ = true;
  is_held_ = is_held(filter);
  with_held_ = buffering && !is_held_;
  if (!with_held_) return forget();
  if (!loaded_) return;
  std::vector<envoy::View> chunks;
  add_chunks(filter, received(), chunks);
  for (const envoy::View& chunk : chunks) content_.append(chunk);
}

size_t BodyCopy::size(envoy::Filter* filter) const {
  return (with_held_ ? envoy::http_get_body_size(filter, buffered()) : 0) +
         envoy::http_get_body_size(filter, received());
}

bool BodyCopy::over_limit(envoy::Filter* filter) const {
  if (!with_held_ || envoy::http_get_buffer_limit == nullptr) return false;
  const uint64_t limit = envoy::http_get_buffer_limit(filter);
  return limit > 0 && size(filter) > limit;
}

Buffer& BodyCopy::read(envoy::Filter* filter) {
  if (loaded_) return content_;
  std::vector<envoy::View> chunks;
  if (with_held_ || !in_hook_) add_chunks(filter, buffered(), chunks);
  if (in_hook_) add_chunks(filter, received(), chunks);
  content_.clear();
  for (const envoy::View& chunk : chunks) content_.append(chunk);
  loaded_ = true;
  return content_;
}

void BodyCopy::write_back(envoy::Filter* filter) {
  if (!loaded_ || in_transit_) return;
  const bool held = with_held_ || !in_hook_;
  std::vector<envoy::View> chunks;
  if (held) add_chunks(filter, buffered(), chunks);
  if (in_hook_) add_chunks(filter, received(), chunks);
  const auto pieces = pieces_of(content_);
  if (same_bytes(pieces, chunks)) return;
  if (held) envoy::http_drain_body(filter, buffered(), envoy::http_get_body_size(filter, buffered()));
  if (in_hook_) envoy::http_drain_body(filter, received(), envoy::http_get_body_size(filter, received()));
  for (const envoy::View& piece : pieces) envoy::http_append_body(filter, in_hook_ ? received() : buffered(), piece);
}

// What is held from now on begins with what was held before, if the guest has not seen that.
void BodyCopy::end(envoy::Filter* filter, bool held) {
  in_hook_ = false;
  in_transit_ = held;
  if (!held) return forget();
  if (!loaded_ || with_held_ || is_held_) return;
  std::vector<envoy::View> chunks;
  add_chunks(filter, buffered(), chunks);
  for (auto chunk = chunks.rbegin(); chunk != chunks.rend(); ++chunk) content_.prepend(*chunk);
}

void BodyCopy::forget() {
  loaded_ = false;
  content_.clear();
}

}  // namespace inlay::dynamic_module
