// SPDX-License-Identifier: Apache-2.0
#include "deploy/render/yaml_text.h"
#include "base/ascii.h"

#include <algorithm>
#include <array>
#include <cstdio>

#include "deploy/render/forms.h"
#include "document/scalars.h"

namespace inlay::deploy {

using document::Source;

namespace {

// Words that some reader takes for a boolean, a null or a number.
bool is_reserved_word(std::string_view text) {
  const std::string folded = lower(text);
  static constexpr std::string_view kWords[] = {"true", "false", "yes", "no", "on", "off", "y", "null", "n", "nan"};
  return std::find(std::begin(kWords), std::end(kWords), folded) != std::end(kWords);
}

// 50m, 64Mi
bool is_quantity_with_unit(std::string_view text) {
  return check_form(Form::kQuantity, text).empty() && !is_digit(text.back());
}

bool is_plain(std::string_view text) {
  if (text.empty() || is_reserved_word(text)) return false;
  if (is_digit(text[0])) return is_ipv4(text) || is_quantity_with_unit(text);
  if (!is_alpha(text[0]) && text[0] != '/' && !text.starts_with("./")) return false;
  constexpr std::string_view kMarks = "_./-:";
  return text.back() != ':' && std::all_of(text.begin(), text.end(), [&](char c) {
           return is_alpha(c) || is_digit(c) || kMarks.find(c) != std::string_view::npos;
         });
}

// Bytes that cannot stand in a YAML text as they are: C0, DEL, and in UTF-8 C1, line separators and the byte order
// mark.
bool is_special(std::string_view character) {
  const auto first = static_cast<unsigned char>(character[0]);
  if (character.size() == 1) return first < 0x20 || first >= 0x7f;
  if (character.size() == 2) return first == 0xc2 && static_cast<unsigned char>(character[1]) < 0xa0;
  return character == "\xe2\x80\xa8" || character == "\xe2\x80\xa9" || character == "\xef\xbb\xbf" ||
         character == "\xef\xbf\xbe" || character == "\xef\xbf\xbf";
}

// The code point of a character of UTF-8.
uint32_t code_point(std::string_view character) {
  const auto byte = [&](size_t i) { return static_cast<uint32_t>(static_cast<unsigned char>(character[i])); };
  switch (character.size()) {
    case 1:
      return byte(0);
    case 2:
      return (byte(0) & 0x1f) << 6 | (byte(1) & 0x3f);
    case 3:
      return (byte(0) & 0x0f) << 12 | (byte(1) & 0x3f) << 6 | (byte(2) & 0x3f);
    default:
      return (byte(0) & 0x07) << 18 | (byte(1) & 0x3f) << 12 | (byte(2) & 0x3f) << 6 | (byte(3) & 0x3f);
  }
}

// A literal that is JSON's and YAML's in double quotes alike.
std::string double_quoted(std::string_view text) {
  std::string out = "\"";
  while (!text.empty()) {
    const size_t length = std::max<size_t>(document::utf8_length(text), 1);
    const std::string_view character = text.substr(0, length);
    text.remove_prefix(length);
    if (character == "\"" || character == "\\") {
      out += '\\';
      out += character;
    } else if (character == "\n") {
      out += "\\n";
    } else if (character == "\t") {
      out += "\\t";
    } else if (is_special(character)) {
      std::array<char, 16> escaped{};
      std::snprintf(escaped.data(), escaped.size(), "\\u%04x", static_cast<unsigned>(code_point(character)));
      out += escaped.data();
    } else {
      out += character;
    }
  }
  return out + '"';
}

bool has_special(std::string_view text) {
  while (!text.empty()) {
    const size_t length = std::max<size_t>(document::utf8_length(text), 1);
    if (is_special(text.substr(0, length))) return true;
    text.remove_prefix(length);
  }
  return false;
}

}  // namespace

std::string yaml_scalar(std::string_view text) {
  if (is_plain(text)) return std::string(text);
  if (has_special(text)) return double_quoted(text);
  std::string out = "'";
  for (char c : text) {
    out += c;
    if (c == '\'') out += c;
  }
  return out + "'";
}

std::string yaml_list(const std::vector<std::string>& items) {
  std::string out = "[";
  for (const std::string& item : items) out += (out.size() == 1 ? "" : ", ") + double_quoted(item);
  return out + "]";
}

bool is_json_number(std::string_view text) {
  size_t at = text.starts_with('-') ? 1 : 0;
  const auto digits = [&] {
    const size_t begin = at;
    while (at < text.size() && is_digit(text[at])) ++at;
    return at - begin;
  };
  const size_t whole = at;
  const size_t count = digits();
  if (count == 0 || (count > 1 && text[whole] == '0')) return false;
  if (at < text.size() && text[at] == '.') {
    ++at;
    if (digits() == 0) return false;
  }
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    ++at;
    if (at < text.size() && (text[at] == '+' || text[at] == '-')) ++at;
    if (digits() == 0) return false;
  }
  return at == text.size();
}

namespace {

// A scalar that is no string, as JSON and YAML both write it; "" for a string.
std::string literal_of(const Source& source) {
  if (source.kind == Source::Kind::kNull) return "null";
  if (source.quoted) return "";
  if (const auto boolean = document::parse_bool(source.text)) return *boolean ? "true" : "false";
  return is_json_number(source.text) ? source.text : "";
}

bool is_scalar(const Source& source) {
  return source.kind == Source::Kind::kNull || source.kind == Source::Kind::kScalar;
}

class JsonWriter {
 public:
  explicit JsonWriter(const EditText& edit) : edit_(edit) {}

  void write(const Source& source, size_t indent) {
    if (is_scalar(source)) {
      const std::string literal = literal_of(source);
      out += literal.empty() ? double_quoted(edit_(source.text)) : literal;
    } else if (source.kind == Source::Kind::kList) {
      list(source, indent);
    } else {
      map(source, indent);
    }
  }

  std::string out;

 private:
  static std::string break_line(size_t indent) { return "\n" + std::string(indent, ' '); }

  void list(const Source& source, size_t indent) {
    const bool flat =
        std::all_of(source.items.begin(), source.items.end(), [](const auto& item) { return is_scalar(*item); });
    const char* separator = "";
    out += '[';
    for (const auto& item : source.items) {
      out += separator + (flat ? (*separator == '\0' ? "" : " ") : break_line(indent + 2));
      separator = ",";
      write(*item, indent + 2);
    }
    out += (flat ? "" : break_line(indent)) + "]";
  }

  void map(const Source& source, size_t indent) {
    const char* separator = "";
    out += '{';
    for (const Source::Entry& entry : source.entries) {
      out += separator + break_line(indent + 2) + double_quoted(entry.key) + ": ";
      separator = ",";
      write(*entry.value, indent + 2);
    }
    out += (source.entries.empty() ? "" : break_line(indent)) + "}";
  }

  const EditText& edit_;
};

class YamlWriter {
 public:
  explicit YamlWriter(const EditText& edit) : edit_(edit) {}

  void write(const Source& source, size_t indent) {
    if (source.kind == Source::Kind::kList) {
      for (const auto& item : source.items) {
        start_line(indent);
        out += "-";
        value(*item, indent + 2, true);
      }
    } else {
      for (const Source::Entry& entry : source.entries) {
        start_line(indent);
        out += yaml_scalar(entry.key) + ":";
        value(*entry.value, indent + 2, false);
      }
    }
  }

  std::string out;

 private:
  void start_line(size_t indent) {
    if (!continues_) out += std::string(indent, ' ');
    continues_ = false;
  }

  void value(const Source& source, size_t indent, bool in_list) {
    if (is_scalar(source)) {
      const std::string literal = literal_of(source);
      out += " " + (literal.empty() ? yaml_scalar(edit_(source.text)) : literal) + "\n";
    } else if (source.items.empty() && source.entries.empty()) {
      out += source.kind == Source::Kind::kList ? " []\n" : " {}\n";
    } else {
      continues_ = in_list;  // the first key stands on the dash's line
      out += in_list ? " " : "\n";
      write(source, source.kind == Source::Kind::kList && !in_list ? indent - 2 : indent);
    }
  }

  const EditText& edit_;
  bool continues_ = false;
};

}  // namespace

std::string pretty_json(const Source& source, const EditText& edit) {
  JsonWriter writer(edit);
  writer.write(source, 0);
  return std::move(writer.out);
}

std::string block_yaml(const Source& source, const EditText& edit) {
  YamlWriter writer(edit);
  writer.write(source, 0);
  return std::move(writer.out);
}

}  // namespace inlay::deploy
