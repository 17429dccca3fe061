// SPDX-License-Identifier: Apache-2.0
#include "filters/header_augmenting/template.h"

#include "filters/header_augmenting/texts.h"
#include "sdk/text.h"

namespace inlay::header_augmenting {
namespace {

// is_key: whether `step` of a pointer, in which ~0 is "~" and ~1 is "/", is `key`.
bool is_key(std::string_view step, std::string_view key) {
  size_t at = 0;
  for (size_t i = 0; i < step.size(); ++i, ++at) {
    char c = step[i];
    if (c == '~' && i + 1 < step.size()) c = step[++i] == '1' ? '/' : '~';
    if (at == key.size() || key[at] != c) return false;
  }
  return at == key.size();
}

bool is_index(std::string_view step, size_t index) {
  sdk::Line line;
  return line.add(uint64_t{index}).view() == step;
}

}  // namespace

bool is_template(std::string_view text) {
  for (size_t at = 0; at + 1 < text.size(); ++at) {
    if (text[at] != '{' || text[at + 1] != '/') continue;
    while (at < text.size() && text[at] != '}') ++at;
    if (at == text.size()) return false;
  }
  return true;
}

const Json::Node* find(const Json& json, std::string_view pointer) {
  const Json::Node* node = &json.root();
  take_to(pointer, '/');
  for (bool more = true; more && node != nullptr;) {
    const size_t size = pointer.size();
    const std::string_view step = take_to(pointer, '/');
    more = step.size() != size;
    const bool array = node->type == Json::Type::kArray;
    size_t index = 0;
    node = json.first(*node);
    while (node != nullptr && !(array ? is_index(step, index++) : is_key(step, node->key))) node = json.next(*node);
  }
  return node;
}

void render_text(std::string_view text, std::string_view value, TextBuilder& out) {
  static constexpr std::string_view kText = "{text}";
  while (!text.empty()) {
    const bool found = text.starts_with(kText);
    out.add(found ? value : text.substr(0, 1));
    text.remove_prefix(found ? kText.size() : 1);
  }
}

bool render(std::string_view text, const Json& json, TextBuilder& out) {
  while (!text.empty()) {
    if (!text.starts_with("{/")) {
      out.add(text[0]);
      text.remove_prefix(1);
      continue;
    }
    text.remove_prefix(1);
    const Json::Node* const node = find(json, take_to(text, '}'));
    if (node == nullptr || node->text.empty()) return false;
    out.add(node->text);
  }
  return true;
}

}  // namespace inlay::header_augmenting
