// SPDX-License-Identifier: Apache-2.0
#pragma once

// Source: the tree of a YAML or JSON text with the place of every node, free of any YAML library. Immutable once
// parsed; any thread may read it. It owns its texts, so that the file's text need not be kept.
//
//     // "9901" of "admin: {port: 9901}"
//     std::string port_of(std::string_view yaml) {
//       Diagnostics diagnostics;
//       const auto tree = parse_source(yaml, false, "envoy.yaml", diagnostics);
//       if (!tree) return diagnostics.to_string();  // "envoy.yaml:1:8: error: ..."
//       const Source* const admin = tree->find("admin");  // valid as long as `tree`
//       const Source* const port = admin != nullptr ? admin->find("port") : nullptr;
//       return port != nullptr ? port->text : "";
//     }
//
// Aliases share their anchor's node, so the tree is a DAG without cycles; its size with every alias expanded is bounded
// (kMaxNodes), as are its depth (kMaxDepth) and the text (kMaxSourceBytes): beyond them there is an error. Keys tagged
// !ignore are left out.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "document/diagnostics.h"

namespace inlay::document {

constexpr size_t kMaxSourceBytes = size_t{64} << 20;
constexpr size_t kMaxNodes = 500'000;
constexpr size_t kMaxDepth = 100;

// Source is one node, of the kind that its members are marked with.
struct Source {
  enum class Kind : uint8_t { kNull, kScalar, kList, kMap } kind = Kind::kNull;
  struct Entry {
    std::string key;
    Place place;  // the key's
    std::shared_ptr<const Source> value;
  };

  Place place;
  bool quoted = false;                               // kScalar: a string whatever it looks like
  std::string text;                                  // kScalar
  std::vector<std::shared_ptr<const Source>> items;  // kList
  std::vector<Entry> entries;                        // kMap, in the file's order, keys unique
  size_t expanded = 1;                               // nodes of this tree with aliases expanded

  // Of a map: the value at `key`, nullptr if there is none; nullptr for any other kind. Walks over the entries.
  const Source* find(std::string_view key) const;
};

// Parses the first document of `text`. nullptr after an error, which is in `diagnostics`. Warns of duplicate keys (the
// last one wins, as in Envoy). `json`: the text is JSON (escaped surrogate pairs are then understood). `expected` is
// what an empty file should have been.
std::shared_ptr<const Source> parse_source(std::string_view text, bool json, const std::string& file,
                                           Diagnostics& diagnostics, std::string_view expected = "an Envoy bootstrap");

}  // namespace inlay::document
