// SPDX-License-Identifier: Apache-2.0
#pragma once

// Suggestions for misspelt names.

#include <cstddef>
#include <string_view>

#include "sdk/text.h"

namespace inlay::header_augmenting {

// edit_distance: how many characters have to be added, removed or changed to make `b` of `a` (Levenshtein). Names above
// 63 characters count as far away.
size_t edit_distance(std::string_view a, std::string_view b);

// Suggestion: what may have been meant by a name that is none of those considered.
class Suggestion {
 public:
  explicit Suggestion(std::string_view wrong) : wrong_(wrong) { all_.add("one of"); }
  void consider(std::string_view name);
  // text: the nearest name with a question mark, or all names if none is near. As long as this object and the names.
  std::string_view text() const { return (nearest_.view().empty() ? all_ : nearest_).view(); }

 private:
  std::string_view wrong_;
  size_t least_ = 4;  // further away is no misspelling
  sdk::Line nearest_;
  sdk::Line all_;
};

}  // namespace inlay::header_augmenting
