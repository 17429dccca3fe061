// SPDX-License-Identifier: Apache-2.0
#include "document/diagnostics.h"

#include <algorithm>
#include <tuple>

namespace inlay::document {

std::string Diagnostic::to_string() const {
  std::string out = file;
  if (place.line != 0) out += ":" + std::to_string(place.line) + ":" + std::to_string(place.column);
  if (!out.empty()) out += ": ";
  out += severity == Severity::kError ? "error: " : "warning: ";
  if (!path.empty()) out += path + ": ";
  return out + message;
}

void Diagnostics::add(Diagnostic diagnostic) {
  (diagnostic.severity == Diagnostic::Severity::kError ? errors_ : warnings_) += 1;
  if (list_.size() < kMaxKept) list_.push_back(std::move(diagnostic));
}

void Diagnostics::sort() {
  std::stable_sort(list_.begin(), list_.end(), [](const Diagnostic& a, const Diagnostic& b) {
    return std::tie(a.file, a.place.line, a.place.column) < std::tie(b.file, b.place.line, b.place.column);
  });
}

std::string Diagnostics::to_string() const {
  std::string out;
  for (const Diagnostic& diagnostic : list_) out += diagnostic.to_string() + "\n";
  const size_t all = errors_ + warnings_;
  if (all > list_.size()) out += "... and " + std::to_string(all - list_.size()) + " more\n";
  return out;
}

}  // namespace inlay::document
