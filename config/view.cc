// SPDX-License-Identifier: Apache-2.0
#include "config/view.h"

#include "config/scalar_check.h"

namespace inlay::config {

std::vector<View> View::list(std::string_view field) const {
  std::vector<View> out;
  if (View list = (*this)[field])
    for (const TreeNode* child : list.node().children) out.emplace_back(child);
  return out;
}

std::string View::text(std::string_view field) const {
  const View value = (*this)[field];
  return value ? value.node().text : std::string();
}

std::vector<std::string> View::texts(std::string_view field) const {
  std::vector<std::string> out;
  for (View item : list(field)) out.push_back(item.node().text);
  return out;
}

bool View::boolean(std::string_view field, bool otherwise) const {
  const View value = (*this)[field];
  return value ? value.node().integer != 0 : otherwise;
}

uint32_t View::uint32(std::string_view field, uint32_t otherwise) const {
  const View value = (*this)[field];
  return value ? static_cast<uint32_t>(value.node().number) : otherwise;
}

int64_t View::int64(std::string_view field, int64_t otherwise) const {
  const View value = (*this)[field];
  return value ? value.node().integer : otherwise;
}

int64_t View::enumerator(std::string_view field) const {
  return int64(field, 0);
}

Milliseconds View::duration(std::string_view field, Milliseconds otherwise) const {
  const View value = (*this)[field];
  if (!value) return otherwise;
  if (value.node().duration.count() <= 0) return Milliseconds(0);
  return std::chrono::ceil<Milliseconds>(value.node().duration);
}

Locality build_locality(View locality) {
  return {locality.text("region"), locality.text("zone"), locality.text("sub_zone")};
}

Metadata build_metadata(View metadata) {
  Metadata out;
  for (View filter : metadata.list("filter_metadata"))
    if (filter.node().source != nullptr) out.emplace_back(filter.node().key, to_json(*filter.node().source));
  return out;
}

}  // namespace inlay::config
