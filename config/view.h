// SPDX-License-Identifier: Apache-2.0
#pragma once

// View: how a family builder reads one message of the checked tree. A field that is absent reads as its default, so
// that builders need no null checks. Cheap to copy; lives as long as the Tree.
//
//     listener.name = view.text("name");
//     listener.per_connection_buffer_limit_bytes = view.uint32("per_connection_buffer_limit_bytes", 1 << 20);
//     for (View chain : view.list("filter_chains")) ...
//     if (!view.has("address")) report.error(view, "needs an `address`");

#include <vector>

#include "config/model.h"
#include "config/tree.h"

namespace inlay::config {

class View {
 public:
  View() = default;
  explicit View(const TreeNode* node) : node_(node) {}

  explicit operator bool() const { return node_ != nullptr; }
  // The node; for an absent field an empty one, which has no place.
  const TreeNode& node() const {
    static const TreeNode kAbsent;
    return node_ == nullptr ? kAbsent : *node_;
  }

  View operator[](std::string_view field) const { return View(node_ == nullptr ? nullptr : node_->find(field)); }
  bool has(std::string_view field) const { return static_cast<bool>((*this)[field]); }
  std::vector<View> list(std::string_view field) const;  // also a map's values

  std::string text(std::string_view field) const;  // strings, bytes, an enum's name
  std::vector<std::string> texts(std::string_view field) const;
  bool boolean(std::string_view field, bool otherwise = false) const;
  uint32_t uint32(std::string_view field, uint32_t otherwise = 0) const;
  int64_t int64(std::string_view field, int64_t otherwise = 0) const;
  int64_t enumerator(std::string_view field) const;
  // Rounded up to a millisecond, so that 0 (often "off") is only what was written as 0. Negative values: 0; the builder
  // of the bootstrap rejects them all.
  Milliseconds duration(std::string_view field, Milliseconds otherwise) const;

 private:
  const TreeNode* node_ = nullptr;
};

// google.protobuf.Struct maps of a core.v3.Metadata: filter name to JSON.
Metadata build_metadata(View metadata);
// config/core/v3 Locality.
Locality build_locality(View locality);

}  // namespace inlay::config
