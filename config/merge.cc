// SPDX-License-Identifier: Apache-2.0
#include "config/merge.h"

#include <algorithm>
#include <utility>

#include "config/support.h"

namespace inlay::config {
namespace {

using Kind = FieldKind;

bool is_message(const TreeNode& node) {
  return node.message != nullptr && node.any_type.empty() && !node.is_list && !node.is_map;
}

std::shared_ptr<const document::Source> merge_structs(const document::Source& one, const document::Source& two) {
  auto merged = std::make_shared<document::Source>(one);
  for (const document::Source::Entry& entry : two.entries) {
    const auto same = std::find_if(merged->entries.begin(), merged->entries.end(),
                                   [&](const document::Source::Entry& old) { return old.key == entry.key; });
    if (same == merged->entries.end())
      merged->entries.push_back(entry);
    else
      *same = entry;
  }
  return merged;
}

class Merge {
 public:
  explicit Merge(Tree& into) : into_(into) {}

  void message(TreeNode& one, TreeNode& two) {
    for (TreeNode* child : two.children) field(one, *child);
  }

 private:
  void field(TreeNode& message_node, TreeNode& node) {
    auto& fields = message_node.children;
    const std::string& oneof = node.field->oneof;
    if (!oneof.empty()) {
      std::erase_if(fields,
                    [&](const TreeNode* other) { return other->field != node.field && other->field->oneof == oneof; });
    }
    const auto found =
        std::find_if(fields.begin(), fields.end(), [&](const TreeNode* other) { return other->field == node.field; });
    if (found == fields.end()) {
      node.parent = &message_node;
      fields.push_back(&node);
      return;
    }
    TreeNode& old = **found;
    if (node.is_list) {
      append(old, node);
    } else if (node.is_map) {
      entries(old, node);
    } else if (is_message(old) && is_message(node)) {
      message(old, node);
    } else if (node.field->kind == Kind::kStruct && old.source != nullptr && node.source != nullptr) {
      into_.merged.push_back(merge_structs(*old.source, *node.source));
      old.source = into_.merged.back().get();
    } else if (!is_default(node)) {
      node.parent = &message_node;
      *found = &node;
    }
  }

  // An item keeps its number, which is that in its own text.
  static void append(TreeNode& list, TreeNode& more) {
    for (TreeNode* item : more.children) {
      item->parent = &list;
      list.children.push_back(item);
    }
  }

  static void entries(TreeNode& map, TreeNode& more) {
    for (TreeNode* entry : more.children) {
      entry->parent = &map;
      const auto same = std::find_if(map.children.begin(), map.children.end(),
                                     [&](const TreeNode* old) { return old->key == entry->key; });
      if (same == map.children.end())
        map.children.push_back(entry);
      else
        *same = entry;
    }
  }

  Tree& into_;
};

}  // namespace

void merge_tree(Tree& into, Tree from, uint32_t file) {
  auto kept = std::make_shared<Tree>(std::move(from));
  for (TreeNode& node : kept->nodes) node.place.file = file;
  into.others.push_back(kept);
  // The roots are nodes of these trees, which are ours to change.
  auto* one = const_cast<TreeNode*>(into.root);
  auto* two = const_cast<TreeNode*>(kept->root);
  if (one != nullptr && two != nullptr) Merge(into).message(*one, *two);
}

}  // namespace inlay::config
