// SPDX-License-Identifier: Apache-2.0
#pragma once

// The wire form of a header map (proxy-wasm/spec v0.2.1, "Serialization"): a little-endian u32 count; for each pair the
// u32 sizes of key and value; then for each pair the key, a NUL, the value, a NUL. An empty map may also be no bytes at
// all. Used by host and guest. Any bytes may be read: nothing is read outside of them, and malformed ones are refused
// as a whole. Nothing is allocated, and nothing is kept between calls.
//
//     using namespace inlay::abi;
//     std::string without_cookies(std::string_view bytes) {
//       std::vector<Pair> kept;  // views into `bytes`
//       auto reader = PairsReader::open(bytes);
//       if (!reader) return {};  // malformed
//       for (Pair p; reader->next(p);) {
//         if (p.key != "cookie") kept.push_back(p);
//       }
//       std::string out(pairs_size(kept), '\0');
//       write_pairs(kept, out.data());
//       return out;
//     }

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <optional>
#include <string_view>

namespace inlay::abi {

// Pair views a key and a value; the bytes belong to whoever owns the map.
struct Pair {
  std::string_view key;
  std::string_view value;
};

namespace detail {

// little_endian: a number to or from the order of bytes on the wire.
inline uint32_t little_endian(uint32_t value) {
  if constexpr (std::endian::native == std::endian::little) return value;
  return __builtin_bswap32(value);
}

inline uint32_t load_u32(const char* at) {
  uint32_t value = 0;
  std::memcpy(&value, at, sizeof value);
  return little_endian(value);
}

inline char* store_u32(char* at, uint32_t value) {
  value = little_endian(value);
  std::memcpy(at, &value, sizeof value);
  return at + sizeof value;
}

inline char* store_text(char* at, std::string_view text) {
  if (!text.empty()) std::memcpy(at, text.data(), text.size());
  at[text.size()] = '\0';
  return at + text.size() + 1;
}

}  // namespace detail

// PairsReader walks a serialised map that open() has checked as a whole, so that next() cannot fail half-way. A copy
// goes on from where the original is, on its own.
class PairsReader {
 public:
  // open: a reader over `bytes`, which must outlive it and the pairs that it yields; nullopt if the sizes do not fit
  // the bytes or a NUL is missing. Keys and values may be empty, and may have NULs in them. Bytes after the last pair
  // are ignored here; hosts refuse them. Takes time in proportion to the pairs, not to their bytes.
  static std::optional<PairsReader> open(std::string_view bytes) {
    if (bytes.empty()) return PairsReader(bytes, 0);
    if (bytes.size() < 4) return std::nullopt;
    const uint32_t count = detail::load_u32(bytes.data());
    if (count > (bytes.size() - 4) / 10) return std::nullopt;  // a pair takes two sizes and two NULs at least
    size_t at = 4 + size_t{count} * 8;
    for (uint32_t i = 0; i < count; ++i) {
      for (uint32_t half = 0; half < 2; ++half) {
        const size_t size = detail::load_u32(bytes.data() + 4 + size_t{i} * 8 + half * 4);
        if (at >= bytes.size() || size > bytes.size() - at - 1 || bytes[at + size] != '\0') return std::nullopt;
        at += size + 1;
      }
    }
    return PairsReader(bytes, count);
  }

  // size: how many pairs there are in all, those that next() has yielded included.
  uint32_t size() const { return count_; }

  // next: puts the next pair into `pair`, in the order of the wire. False when there is none left; `pair` stays as it
  // is then.
  bool next(Pair& pair) {
    if (index_ == count_) return false;
    const char* sizes = bytes_.data() + 4 + size_t{index_} * 8;
    const size_t key_size = detail::load_u32(sizes);
    const size_t value_size = detail::load_u32(sizes + 4);
    pair.key = bytes_.substr(at_, key_size);
    pair.value = bytes_.substr(at_ + key_size + 1, value_size);
    at_ += key_size + value_size + 2;
    ++index_;
    return true;
  }

 private:
  PairsReader(std::string_view bytes, uint32_t count) : bytes_(bytes), count_(count), at_(4 + size_t{count} * 8) {}

  std::string_view bytes_;
  uint32_t count_;
  uint32_t index_ = 0;
  size_t at_;
};

// pairs_size: how many bytes write_pairs writes for `pairs`, a range of things with `.key` and `.value` that convert to
// std::string_view: 4 for none.
template <class Range>
size_t pairs_size(const Range& pairs) {
  size_t size = 4;
  for (const auto& p : pairs) size += 8 + std::string_view(p.key).size() + std::string_view(p.value).size() + 2;
  return size;
}

// write_pairs: writes the wire form at `out`, which has room for pairs_size(pairs) bytes; returns the end. The range is
// walked twice. Each key and value is shorter than 4 GiB, and there are fewer than 2^32 pairs.
template <class Range>
char* write_pairs(const Range& pairs, char* out) {
  uint32_t count = 0;
  for ([[maybe_unused]] const auto& p : pairs) ++count;
  char* sizes = detail::store_u32(out, count);
  char* at = sizes + size_t{count} * 8;
  for (const auto& p : pairs) {
    for (const std::string_view text : {std::string_view(p.key), std::string_view(p.value)}) {
      sizes = detail::store_u32(sizes, static_cast<uint32_t>(text.size()));
      at = detail::store_text(at, text);
    }
  }
  return at;
}

}  // namespace inlay::abi
