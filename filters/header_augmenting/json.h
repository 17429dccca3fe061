// SPDX-License-Identifier: Apache-2.0
#pragma once

// Json: a parsed JSON text (RFC 8259), read-only. Made for untrusted input: the parser is iterative, nesting is
// bounded, text that is not UTF-8 and anything after the value are refused. Numbers are kept as they were written.
// It is the filter's own, since RapidJSON's takes 6 KB of a module that has a budget (RATIONALE.md); json_test.cc
// compares the two.
//
//     auto json = Json::parse(body);
//     if (!json || json->root().type != Json::Type::kObject) return ...;
//     for (const Json::Node* n = json->first(json->root()); n != nullptr; n = json->next(*n)) use(n->key, n->text);

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <utility>

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

  Json(Json&& other) noexcept : text_(std::move(other.text_)), nodes_(std::exchange(other.nodes_, nullptr)) {}
  Json& operator=(Json&& other) noexcept {
    std::swap(text_, other.text_);
    std::swap(nodes_, other.nodes_);
    return *this;
  }
  ~Json() { std::free(nodes_); }

  const Node& root() const { return *nodes_; }
  // first, next: the members of an object or array, in their order; nullptr at the end.
  const Node* first(const Node& node) const { return node.has_children ? &node + 1 : nullptr; }
  const Node* next(const Node& node) const { return node.next == 0 ? nullptr : &nodes_[node.next]; }

  // type_name: "a string", "an object", ... for messages.
  static const char* type_name(Type type);

 private:
  friend class JsonParser;
  Json() = default;

  sdk::Bytes text_;        // a copy of the text, in which strings have been decoded in place
  Node* nodes_ = nullptr;  // the root first; children follow their parent directly
};

}  // namespace inlay::header_augmenting
