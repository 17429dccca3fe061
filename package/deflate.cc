// SPDX-License-Identifier: Apache-2.0
#include "package/deflate.h"

#include <algorithm>
#include <array>
#include <vector>

#include "package/huffman.h"
#include "package/matches.h"

namespace inlay::package {
namespace {

// RFC 1951, 3.2.5: the first length and distance of each code. A code's extra bits count up to the next one's.
constexpr std::array<uint16_t, 29> kLengths = {3,  4,  5,  6,  7,  8,  9,  10, 11,  13,  15,  17,  19,  23, 27,
                                               31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258};
constexpr std::array<uint16_t, 30> kDistances = {1,    2,    3,    4,    5,    7,    9,    13,    17,    25,
                                                 33,   49,   65,   97,   129,  193,  257,  385,   513,   769,
                                                 1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577};
constexpr size_t kEndOfBlock = 256;
constexpr size_t kLiterals = 286;
constexpr unsigned kMaxBits = 15;

// The extra bits of code `index`; the last length, 258, has none.
unsigned length_extra(size_t index) {
  return index < 8 || index == kLengths.size() - 1 ? 0 : static_cast<unsigned>(index / 4 - 1);
}
unsigned distance_extra(size_t index) {
  return index < 4 ? 0 : static_cast<unsigned>(index / 2 - 1);
}

template <size_t N>
size_t code_of(const std::array<uint16_t, N>& firsts, uint16_t value) {
  return static_cast<size_t>(std::upper_bound(firsts.begin(), firsts.end(), value) - firsts.begin()) - 1;
}

// BitWriter puts numbers behind each other, their lowest bit first.
class BitWriter {
 public:
  void put(uint32_t bits, unsigned count) {
    held_ |= static_cast<uint64_t>(bits) << count_;
    for (count_ += count; count_ >= 8; count_ -= 8, held_ >>= 8) out_ += static_cast<char>(held_ & 0xff);
  }
  void put(const PrefixCode& code, size_t symbol) { put(code.codes[symbol], code.lengths[symbol]); }
  std::string finish() {
    if (count_ > 0) out_ += static_cast<char>(held_ & 0xff);
    return std::move(out_);
  }

 private:
  std::string out_;
  uint64_t held_ = 0;
  unsigned count_ = 0;
};

// RunLength is a symbol of the code in which the codes' lengths are written.
struct RunLength {
  uint8_t symbol = 0;  // a length, or 16: the last one again, 17 and 18: zeros
  uint8_t extra = 0;
  uint8_t extra_bits = 0;
};

std::vector<RunLength> run_lengths(const std::vector<uint8_t>& lengths) {
  std::vector<RunLength> list;
  for (size_t i = 0; i < lengths.size();) {
    const uint8_t length = lengths[i];
    size_t run = 1;
    while (i + run < lengths.size() && lengths[i + run] == length) ++run;
    i += run;
    if (length != 0) {
      list.push_back({length, 0, 0});
      --run;
    }
    while (run >= 3) {
      const size_t most = length != 0 ? 6 : 138;
      const size_t step = std::min(run, most);
      if (length != 0) {
        list.push_back({16, static_cast<uint8_t>(step - 3), 2});
      } else if (step <= 10) {
        list.push_back({17, static_cast<uint8_t>(step - 3), 3});
      } else {
        list.push_back({18, static_cast<uint8_t>(step - 11), 7});
      }
      run -= step;
    }
    list.insert(list.end(), run, {length, 0, 0});
  }
  return list;
}

// The head of a block with codes of its own.
void write_codes(BitWriter& out, const PrefixCode& literals, const PrefixCode& distances) {
  constexpr std::array<uint8_t, 19> kOrder = {16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15};
  const auto used = [](const std::vector<uint8_t>& lengths, size_t least) {
    size_t size = lengths.size();
    while (size > least && lengths[size - 1] == 0) --size;
    return size;
  };
  const size_t literal_count = used(literals.lengths, 257);
  const size_t distance_count = used(distances.lengths, 1);
  std::vector<uint8_t> all(literals.lengths.begin(),
                           literals.lengths.begin() + static_cast<std::ptrdiff_t>(literal_count));
  all.insert(all.end(), distances.lengths.begin(),
             distances.lengths.begin() + static_cast<std::ptrdiff_t>(distance_count));
  const std::vector<RunLength> runs = run_lengths(all);

  std::array<uint32_t, kOrder.size()> counts{};
  for (const RunLength& run : runs) ++counts[run.symbol];
  const PrefixCode code = prefix_code(code_lengths(counts, 7));
  size_t written = kOrder.size();
  while (written > 4 && code.lengths[kOrder[written - 1]] == 0) --written;

  out.put(static_cast<uint32_t>(literal_count - 257), 5);
  out.put(static_cast<uint32_t>(distance_count - 1), 5);
  out.put(static_cast<uint32_t>(written - 4), 4);
  for (size_t i = 0; i < written; ++i) out.put(code.lengths[kOrder[i]], 3);
  for (const RunLength& run : runs) {
    out.put(code, run.symbol);
    out.put(run.extra, run.extra_bits);
  }
}

void write_block(BitWriter& out, std::span<const Token> tokens, bool last) {
  std::array<uint32_t, kLiterals> literal_counts{};
  std::array<uint32_t, kDistances.size()> distance_counts{};
  for (const Token& token : tokens) {
    if (token.length == 0) {
      ++literal_counts[token.distance];
    } else {
      ++literal_counts[kEndOfBlock + 1 + code_of(kLengths, token.length)];
      ++distance_counts[code_of(kDistances, token.distance)];
    }
  }
  ++literal_counts[kEndOfBlock];
  const PrefixCode literals = prefix_code(code_lengths(literal_counts, kMaxBits));
  const PrefixCode distances = prefix_code(code_lengths(distance_counts, kMaxBits));

  out.put(last ? 1 : 0, 1);
  out.put(2, 2);  // codes of its own
  write_codes(out, literals, distances);
  for (const Token& token : tokens) {
    if (token.length == 0) {
      out.put(literals, token.distance);
      continue;
    }
    const size_t length = code_of(kLengths, token.length);
    out.put(literals, kEndOfBlock + 1 + length);
    out.put(token.length - kLengths[length], length_extra(length));
    const size_t distance = code_of(kDistances, token.distance);
    out.put(distances, distance);
    out.put(token.distance - kDistances[distance], distance_extra(distance));
  }
  out.put(literals, kEndOfBlock);
}

}  // namespace

std::string deflate(std::span<const uint8_t> input) {
  constexpr size_t kTokensPerBlock = 16384;
  const std::vector<Token> tokens = find_matches(input);
  BitWriter out;
  std::span<const Token> rest(tokens);
  do {
    const auto block = rest.first(std::min(rest.size(), kTokensPerBlock));
    rest = rest.subspan(block.size());
    write_block(out, block, rest.empty());
  } while (!rest.empty());
  return out.finish();
}

}  // namespace inlay::package
