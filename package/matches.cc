// SPDX-License-Identifier: Apache-2.0
#include "package/matches.h"

#include <algorithm>

namespace inlay::package {
namespace {

constexpr size_t kWindow = 32768;
constexpr size_t kLeast = 3;
constexpr size_t kMost = 258;
constexpr size_t kTries = 2048;      // earlier places that are looked at for each position
constexpr size_t kFarThree = 4096;   // three bytes from farther away cost more than as they stand
constexpr size_t kGoodEnough = 128;  // no better one is looked for at the next position

struct Match {
  size_t length = 0;
  size_t distance = 0;
};

// Finder knows the earlier places of each group of three bytes, the latest first.
class Finder {
 public:
  explicit Finder(std::span<const uint8_t> input) : input_(input), first_(kHashes, kNone), next_(kWindow, kNone) {}

  // Remembers a position. All positions are to be given, in order.
  void add(size_t at) {
    if (at + kLeast > input_.size()) return;
    size_t& first = first_[hash(at)];
    next_[at % kWindow] = first;
    first = at;
  }

  // The longest match for what begins at `at`, which has not been added yet. Of equal ones the nearest.
  Match find(size_t at) const {
    Match best;
    if (at + kLeast > input_.size()) return best;
    const size_t most = std::min(kMost, input_.size() - at);
    size_t candidate = first_[hash(at)];
    for (size_t tries = 0; tries < kTries && candidate != kNone && at - candidate <= kWindow; ++tries) {
      // Only one that also agrees where the best one ends can be longer.
      if (input_[candidate + best.length] == input_[at + best.length]) {
        const size_t length = common(candidate, at, most);
        if (length > best.length) best = {length, at - candidate};
        if (best.length == most) break;
      }
      const size_t earlier = next_[candidate % kWindow];
      if (earlier != kNone && earlier >= candidate) break;  // it has been written over
      candidate = earlier;
    }
    return best.length < kLeast || (best.length == kLeast && best.distance > kFarThree) ? Match{} : best;
  }

 private:
  static constexpr size_t kHashes = 32768;
  static constexpr size_t kNone = ~size_t{0};

  size_t hash(size_t at) const {
    const uint32_t three = input_[at] | uint32_t{input_[at + 1]} << 8 | uint32_t{input_[at + 2]} << 16;
    return (three * 2654435761u) >> 17;
  }

  size_t common(size_t a, size_t b, size_t most) const {
    size_t length = 0;
    while (length < most && input_[a + length] == input_[b + length]) ++length;
    return length;
  }

  std::span<const uint8_t> input_;
  std::vector<size_t> first_;
  std::vector<size_t> next_;
};

}  // namespace

std::vector<Token> find_matches(std::span<const uint8_t> input) {
  std::vector<Token> tokens;
  Finder finder(input);
  Match match = finder.find(0);
  for (size_t at = 0; at < input.size();) {
    finder.add(at);
    // A longer match that begins one byte later is worth that byte.
    const Match later = match.length >= kGoodEnough ? Match{} : finder.find(at + 1);
    if (match.length == 0 || later.length > match.length) {
      tokens.push_back({0, input[at]});
      match = later;
      ++at;
      continue;
    }
    tokens.push_back({static_cast<uint16_t>(match.length), static_cast<uint16_t>(match.distance)});
    for (size_t i = 1; i < match.length; ++i) finder.add(at + i);
    at += match.length;
    match = finder.find(at);
  }
  return tokens;
}

}  // namespace inlay::package
