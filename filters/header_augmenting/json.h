// SPDX-License-Identifier: Apache-2.0
#pragma once

// Json: a parsed JSON text (RFC 8259), read-only. Made for untrusted input: the parser is iterative, nesting is
// bounded, text that is not UTF-8 and anything after the value are refused. Numbers are kept as they were written.
//
//     auto json = Json::parse(body);
//     if (!json || json->root().type != Json::Type::kObject) return ...;
//     for (const Json::Node* n = json->first(json->root()); n != nullptr; n = json->next(*n)) use(n->key, n->text);

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "sdk/bytes.h"

namespace inlay::header_augmenting {

class Json {
 public:
  enum class Type : uint8_t { kNull, kFalse, kTrue, kNumber, kString, kArray, kObject };

  struct Node {
    std::string_view key;   // in an object; views live as long as the Json
    std::string_view text;  // a string, decoded; a number, as written
    uint32_t next = 0;      // index of the next sibling, 0 for none
    bool has_children = false;
    Type type = Type::kNull;
  };

  struct ParseError {
    size_t offset = 0;  // where in the text
  };

  static constexpr size_t kMaxDepth = 32;

  static Result<Json, ParseError> parse(std::string_view text);

  const Node& root() const { return nodes_.front(); }
  // first, next: the members of an object or array, in their order; nullptr at the end.
  const Node* first(const Node& node) const { return node.has_children ? &node + 1 : nullptr; }
  const Node* next(const Node& node) const { return node.next == 0 ? nullptr : &nodes_[node.next]; }

  // type_name: "a string", "an object", ... for messages.
  static const char* type_name(Type type);

 private:
  friend class JsonBuilder;
  sdk::Bytes text_;  // the decoded strings, never longer than the text they came from
  std::vector<Node> nodes_;
};

}  // namespace inlay::header_augmenting
