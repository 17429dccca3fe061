// SPDX-License-Identifier: Apache-2.0
#pragma once

// Suggestions for misspelt names.

#include <array>
#include <cstddef>
#include <string_view>

namespace inlay::header_augmenting {

// edit_distance: how many characters have to be added, removed or changed to make `b` of `a` (Levenshtein). Names above
// 63 characters count as far away.
inline size_t edit_distance(std::string_view a, std::string_view b) {
  constexpr size_t kMax = 64;
  if (a.size() >= kMax || b.size() >= kMax) return kMax;
  std::array<size_t, kMax> row{};
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t change = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      const size_t shift = 1 + (row[j] < row[j - 1] ? row[j] : row[j - 1]);
      row[j] = change < shift ? change : shift;
    }
  }
  return row[b.size()];
}

}  // namespace inlay::header_augmenting
