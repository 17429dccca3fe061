// SPDX-License-Identifier: Apache-2.0
#pragma once

// Json: a parsed JSON text (RFC 8259), read-only. Made for untrusted input: nesting is bounded, text that is not UTF-8
// and anything after the value are refused. Numbers are kept as they were written. It is the filter's own, since
// RapidJSON's takes 6 KB of a module that has a budget (RATIONALE.md); json_test.cc compares the two.
//
//     Json json;
//     if (!json.parse(body) || json.root().type != Json::Type::kObject) return ...;
//     for (const Json::Node* n = json.first(json.root()); n != nullptr; n = json.next(*n)) use(n->key, n->text);

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

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

  static constexpr size_t kMaxDepth = 32;

  Json() = default;
  Json(const Json&) = delete;
  Json& operator=(const Json&) = delete;
  ~Json() { std::free(nodes_); }

  // parse: once. False if `text` is no JSON; then error_at says where in it, and nothing else may be asked.
  bool parse(std::string_view text);
  size_t error_at() const { return error_at_; }

  const Node& root() const { return *nodes_; }
  // first, next: the members of an object or array, in their order; nullptr at the end.
  const Node* first(const Node& node) const { return node.has_children ? &node + 1 : nullptr; }
  const Node* next(const Node& node) const { return node.next == 0 ? nullptr : &nodes_[node.next]; }

  // type_name: "a string", "an object", ... for messages.
  static const char* type_name(Type type);

 private:
  friend class JsonParser;

  sdk::Bytes text_;        // a copy of the text, in which strings have been decoded in place
  Node* nodes_ = nullptr;  // the root first; children follow their parent directly
  size_t error_at_ = 0;
};

}  // namespace inlay::header_augmenting
