// SPDX-License-Identifier: Apache-2.0
#include "filters/header_augmenting/suggestion.h"

#include <array>

#include "filters/header_augmenting/features.h"

namespace inlay::header_augmenting {

size_t edit_distance(std::string_view a, std::string_view b) {
  constexpr size_t kMax = 64;
  if (a.size() >= kMax || b.size() >= kMax) return kMax;
  std::array<size_t, kMax> row;
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

void Suggestion::consider(std::string_view name) {
  all_.add(" ").add(name);
  if (!has(kHints)) return;
  const size_t distance = edit_distance(wrong_, name);
  if (distance >= least_ || distance >= name.size()) return;
  least_ = distance;
  nearest_ = {};
  nearest_.add("\"").add(name).add("\"?");
}

}  // namespace inlay::header_augmenting
