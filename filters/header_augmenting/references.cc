// SPDX-License-Identifier: Apache-2.0
#include "filters/header_augmenting/references.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>

#include "filters/header_augmenting/features.h"
#include "filters/header_augmenting/texts.h"

namespace inlay::header_augmenting {
namespace {

constexpr char kMark = '\0';

std::string_view expand(std::string_view text, Pairs values, Arena& arena) {
  TextBuilder out;
  for (Piece piece; next_piece(text, piece);) {
    if (!piece.is_reference) out.add(piece.text);
    for (const abi::Pair& value : values) {
      if (piece.is_reference && is_same(value.key, piece.text)) out.add(value.value);
    }
  }
  return arena.copy(out.view());
}

enum class Kind : uint8_t { kText, kTexts, kPairs };

struct TextField {
  const char* key;
  Kind kind;
  uint16_t offset;  // in a SourceConfig
};

constexpr uint16_t of_oauth2(size_t offset) {
  return static_cast<uint16_t>(offsetof(SourceConfig, oauth2) + offset);
}

constexpr uint16_t of_signing(size_t offset) {
  return of_oauth2(offsetof(OAuth2, signing) + offset);
}

constexpr TextField kTextFields[] = {
    {"oauth2.client_id", Kind::kText, of_oauth2(offsetof(OAuth2, client_id))},
    {"oauth2.client_secret", Kind::kText, of_oauth2(offsetof(OAuth2, client_secret))},
    {"oauth2.client_assertion", Kind::kText, of_oauth2(offsetof(OAuth2, client_assertion))},
    {"oauth2.client_assertion_type", Kind::kText, of_oauth2(offsetof(OAuth2, client_assertion_type))},
    {"oauth2.signing.key", Kind::kText, of_signing(offsetof(OAuth2::Signing, key))},
    {"oauth2.signing.kid", Kind::kText, of_signing(offsetof(OAuth2::Signing, kid))},
    {"oauth2.signing.audience", Kind::kText, of_signing(offsetof(OAuth2::Signing, audience))},
    {"oauth2.username", Kind::kText, of_oauth2(offsetof(OAuth2, username))},
    {"oauth2.password", Kind::kText, of_oauth2(offsetof(OAuth2, password))},
    {"oauth2.refresh_token", Kind::kText, of_oauth2(offsetof(OAuth2, refresh_token))},
    {"oauth2.subject.token", Kind::kText, of_oauth2(offsetof(OAuth2, subject) + offsetof(Party, token))},
    {"oauth2.actor.token", Kind::kText, of_oauth2(offsetof(OAuth2, actor) + offsetof(Party, token))},
    {"oauth2.scopes", Kind::kTexts, of_oauth2(offsetof(OAuth2, scopes))},
    {"oauth2.audience", Kind::kTexts, of_oauth2(offsetof(OAuth2, audience))},
    {"oauth2.resource", Kind::kTexts, of_oauth2(offsetof(OAuth2, resource))},
    {"oauth2.endpoint_params", Kind::kPairs, of_oauth2(offsetof(OAuth2, endpoint_params))},
    {"request_headers", Kind::kPairs, offsetof(SourceConfig, request_headers)},
    {"body", Kind::kText, offsetof(SourceConfig, body)},
};
// So that offsetof says where a member is.
static_assert(std::is_standard_layout_v<SourceConfig>);

template <class T>
T& at(SourceConfig& source, const TextField& field) {
  return *reinterpret_cast<T*>(reinterpret_cast<char*>(&source) + field.offset);
}

template <class T>
void copy(std::span<T>& list, Arena& arena) {
  if (list.empty()) return;
  const std::span<T> copied = arena.array<T>(list.size());
  for (size_t i = 0; i < list.size(); ++i) copied[i] = list[i];
  list = copied;
}

class Filler final : public TextVisitor {
 public:
  Filler(Pairs values, Arena& arena) : values_(values), arena_(arena) {}
  void text(const char*, std::string_view, std::string_view& text) override {
    if (has_marks(text)) text = expand(text, values_, arena_);
  }

 private:
  Pairs values_;
  Arena& arena_;
};

}  // namespace

void add_reference(TextBuilder& out, std::string_view name) {
  out.add(kMark).add(name).add(kMark);
}

void add_literal(TextBuilder& out, std::string_view text) {
  for (const char c : text) {
    out.add(c);
    if (c == kMark) out.add(c);
  }
}

bool next_piece(std::string_view& rest, Piece& piece) {
  if (rest.empty()) return false;
  const size_t mark = rest.find(kMark);
  if (mark != 0) {
    piece = {rest.substr(0, mark), false};
    rest.remove_prefix(piece.text.size());
    return true;
  }
  const size_t end = rest.find(kMark, 1);
  if (end == std::string_view::npos) {  // no text that was made here
    rest = {};
    return false;
  }
  piece = {rest.substr(1, end - 1), true};
  if (piece.text.empty()) piece = {rest.substr(0, 1), false};
  rest.remove_prefix(end + 1);
  return true;
}

void for_each_text(SourceConfig& source, TextVisitor& visitor) {
  for (const TextField& field : kTextFields) {
    if (field.kind == Kind::kText) visitor.text(field.key, {}, at<std::string_view>(source, field));
    if (field.kind == Kind::kTexts) {
      for (std::string_view& text : at<Texts>(source, field)) visitor.text(field.key, {}, text);
    }
    if (field.kind == Kind::kPairs) {
      for (abi::Pair& pair : at<Pairs>(source, field)) visitor.text(field.key, pair.key, pair.value);
    }
  }
}

void fill_in(SourceConfig& source, Pairs values, Arena& arena) {
  if (!has(kReferences)) return;
  source.values = values;
  for (const TextField& field : kTextFields) {
    if (field.kind == Kind::kTexts) copy(at<Texts>(source, field), arena);
    if (field.kind == Kind::kPairs) copy(at<Pairs>(source, field), arena);
  }
  Filler filler(values, arena);
  for_each_text(source, filler);
}

}  // namespace inlay::header_augmenting
