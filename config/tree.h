// SPDX-License-Identifier: Apache-2.0
#pragma once

// Tree: a bootstrap after the generic check: every field known, every scalar of its type, every Any resolved. The
// family builders read it through View. Nodes live as long as their Tree.

#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "config/field_table.h"
#include "document/diagnostics.h"
#include "document/source.h"

namespace inlay::config {

// TreeNode is one value. What holds what: kBool and kEnum `integer`, signed integers `integer`, unsigned `number`,
// kDouble `real`, kString and kBytes `text`, kDuration `duration`, messages, lists and maps `children`; Struct and
// Value only `source`.
struct TreeNode {
  const TreeNode* parent = nullptr;
  const FieldType* field = nullptr;  // the field that this is a value of (lists and maps, and each of their items)
  std::string step;                  // how the parent's path continues: ".name", "[2]", "[\"key\"]"
  std::string key;                   // in a map: the key
  document::Place place;
  const document::Source* source = nullptr;

  bool is_list = false;
  bool is_map = false;
  const MessageType* message = nullptr;  // a message, or an Any whose type the table has
  std::string any_type;                  // an Any: the full name, also when the table does not have it
  std::vector<TreeNode*> children;

  int64_t integer = 0;
  uint64_t number = 0;
  double real = 0;
  std::string text;
  std::chrono::nanoseconds duration{0};

  // static_resources.listeners[0].name
  std::string path() const;
  // A message's field that is set, else nullptr.
  const TreeNode* find(std::string_view name) const;
};

struct Tree {
  std::shared_ptr<const document::Source> source;
  std::deque<TreeNode> nodes;
  const TreeNode* root = nullptr;
  // What was merged into this one (config/merge.h), and Structs made of two.
  std::vector<std::shared_ptr<const Tree>> others;
  std::vector<std::shared_ptr<const document::Source>> merged;
};

// Reporter puts diagnostics at nodes.
class Reporter {
 public:
  Reporter(std::string file, document::Diagnostics& sink) : files_({{std::move(file), "", ""}}), sink_(sink) {}
  // Of several texts: the one that places with the next number are in.
  void add_file(std::string file) { files_.push_back({std::move(file), "", ""}); }
  // Paths in the last one that begin with `from` begin with `to` for who reads them.
  void rename(std::string from, std::string to) {
    files_.back().from = std::move(from);
    files_.back().to = std::move(to);
  }
  void error(document::Place place, std::string path, std::string message);
  void warning(document::Place place, std::string path, std::string message);
  void error(const TreeNode& node, std::string message) { error(node.place, node.path(), std::move(message)); }
  void warning(const TreeNode& node, std::string message) { warning(node.place, node.path(), std::move(message)); }

 private:
  struct File {
    std::string name;
    std::string from;  // rename()
    std::string to;
  };
  void add(document::Diagnostic::Severity severity, document::Place place, std::string path, std::string message);

  std::vector<File> files_;
  document::Diagnostics& sink_;
};

// Checks `source` against the message `type`. All faults are reported; faulty fields are left out
// of the tree. `allow_unknown`: an unknown field is a warning.
Tree check_tree(std::shared_ptr<const document::Source> source, const MessageType& type, bool allow_unknown,
                Reporter& report);

// Reports each duration that is negative: Envoy has no use for one.
void check_durations(const Tree& tree, Reporter& report);

}  // namespace inlay::config
