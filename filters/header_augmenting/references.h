// SPDX-License-Identifier: Apache-2.0
#pragma once

// References: ${source:NAME} in a text of the configuration, which stands for the newest value of another source when a
// call is made. In a text that has been read, a reference is its name between two NULs, and NUL itself is two of them;
// a text without a NUL is as it was written.

#include <string_view>

#include "filters/header_augmenting/arena.h"
#include "filters/header_augmenting/config.h"
#include "filters/header_augmenting/text_builder.h"

namespace inlay::header_augmenting {

// Piece: a part of a text.
struct Piece {
  std::string_view text;  // as it is sent, or the name that is referred to
  bool is_reference = false;
};

// add_reference: `name`, which is a token, to a text; add_literal: any other text.
void add_reference(TextBuilder& out, std::string_view name);
void add_literal(TextBuilder& out, std::string_view text);

// next_piece: takes the first piece off `rest`; false if there is none.
bool next_piece(std::string_view& rest, Piece& piece);

// has_marks: whether `text` is other than what is sent.
inline bool has_marks(std::string_view text) {
  return text.find('\0') != std::string_view::npos;
}

// TextVisitor is shown texts of a source.
class TextVisitor {
 public:
  // text: one of them, with its key; `name` is that of a member, if the key has an object.
  virtual void text(const char* key, std::string_view name, std::string_view& text) = 0;

 protected:
  ~TextVisitor() = default;
};

// for_each_text: shows each text of `source` in which references may stand.
void for_each_text(SourceConfig& source, TextVisitor& visitor);

// fill_in: puts `values`, name to value, into the place of the references of `source`, whose lists it replaces by
// copies. What is not among them becomes nothing. What it makes belongs to `arena`.
void fill_in(SourceConfig& source, Pairs values, Arena& arena);

}  // namespace inlay::header_augmenting
