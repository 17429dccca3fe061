// SPDX-License-Identifier: Apache-2.0
#include "tester/textpb/text_format.h"

#include <optional>
#include <utility>

#include "base/ascii.h"
#include "base/printable.h"

namespace inlay::tester::textpb {
namespace {

constexpr size_t kDeepest = 100;

bool begins_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

void append_utf8(std::string& out, uint32_t code) {
  if (code < 0x80) {
    out += static_cast<char>(code);
    return;
  }
  const int more = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
  out += static_cast<char>((0xf00 >> (more + 1)) | (code >> (6 * more)));
  for (int i = more - 1; i >= 0; --i) out += static_cast<char>(0x80 | ((code >> (6 * i)) & 0x3f));
}

class Reader {
 public:
  Reader(std::string_view text, const std::string& path) : text_(text), path_(path) {}

  Result<TextMessage> all() {
    TextMessage message = fields('\0', 0);
    if (wrong_) return *std::move(wrong_);
    return message;
  }

 private:
  bool at_end() const { return at_ == text_.size(); }
  char next() const { return at_end() ? '\0' : text_[at_]; }

  void fail(std::string message) { fail_at(line_, std::move(message)); }
  void fail_at(size_t line, std::string message) {
    if (!wrong_) wrong_ = Error{ErrorCode::kInvalidArgument, std::move(message), path_ + ":" + std::to_string(line)};
    at_ = text_.size();
  }

  void skip_blanks() {
    for (; !at_end(); ++at_) {
      if (next() == '#') {
        while (!at_end() && next() != '\n') ++at_;
        if (at_end()) return;
      }
      if (next() == '\n') {
        ++line_;
      } else if (next() != ' ' && next() != '\t' && next() != '\r' && next() != '\v' && next() != '\f') {
        return;
      }
    }
  }

  bool take(char c) {
    skip_blanks();
    if (at_end() || next() != c) return false;
    ++at_;
    return true;
  }

  // What stands next, for a message.
  std::string here() const {
    if (at_end()) return "the file ends";
    size_t end = at_ + 1;
    while (end < text_.size() && end < at_ + 20 && (begins_name(text_[end]) || is_digit(text_[end]))) ++end;
    return "`" + one_line(text_.substr(at_, end - at_)) + "` stands";
  }

  std::string word() {
    const size_t begin = at_;
    while (!at_end() && (begins_name(next()) || is_digit(next()))) ++at_;
    return std::string(text_.substr(begin, at_ - begin));
  }

  // Up to `close`; 0 is the end of the file.
  TextMessage fields(char close, size_t depth) {
    TextMessage message;
    const size_t begun = line_;
    if (depth > kDeepest) fail("messages are nested more than " + std::to_string(kDeepest) + " deep");
    for (;;) {
      skip_blanks();
      if (wrong_) return message;
      if (at_end()) {
        if (close != '\0') fail_at(begun, std::string("this message does not end: a `") + close + "` is missing");
        return message;
      }
      if (close != '\0' && take(close)) return message;
      field(message, depth);
      if (!take(',')) take(';');
    }
  }

  void field(TextMessage& message, size_t depth) {
    TextField made;
    made.line = line_;
    if (next() == '[') return fail("extensions and Any are not known here; a field has a plain name");
    if (!begins_name(next())) return fail(here() + " where a field's name has to");
    made.name = word();
    const bool colon = take(':');
    skip_blanks();
    if (take('[')) return list(message, made, depth);
    if (!colon && next() != '{' && next() != '<') {
      return fail("behind `" + made.name + "` " + here() + "; `" + made.name + ": VALUE` or `" + made.name +
                  " { ... }` would be a field");
    }
    value(made, depth);
    message.fields.push_back(std::move(made));
  }

  void list(TextMessage& message, const TextField& of, size_t depth) {
    if (take(']')) return;
    do {
      TextField item = of;
      skip_blanks();
      item.line = line_;
      value(item, depth);
      if (wrong_) return;
      message.fields.push_back(std::move(item));
    } while (take(','));
    if (!take(']')) fail("in the list of `" + of.name + "` " + here() + " where `,` or `]` has to");
  }

  void value(TextField& field, size_t depth) {
    skip_blanks();
    if (take('{') || take('<')) {
      field.kind = TextField::Kind::kMessage;
      field.message = fields(text_[at_ - 1] == '{' ? '}' : '>', depth + 1);
    } else if (next() == '"' || next() == '\'') {
      field.kind = TextField::Kind::kString;
      while (!wrong_ && (next() == '"' || next() == '\'')) {
        string(field.text);
        skip_blanks();
      }
    } else {
      number_or_word(field);
    }
  }

  void number_or_word(TextField& field) {
    if (take('-')) {
      field.text = "-";
      skip_blanks();
    }
    const bool number = is_digit(next()) || next() == '.';
    field.kind = number ? TextField::Kind::kNumber : TextField::Kind::kWord;
    const size_t begin = at_;
    if (number) {
      while (!at_end() && (begins_name(next()) || is_digit(next()) || next() == '.' ||
                           ((next() == '+' || next() == '-') && (text_[at_ - 1] == 'e' || text_[at_ - 1] == 'E')))) {
        ++at_;
      }
    } else if (begins_name(next())) {
      word();
    }
    field.text += text_.substr(begin, at_ - begin);
    if (at_ == begin) fail("behind `" + field.name + ":` " + here() + " where a value has to");
  }

  void string(std::string& out) {
    const size_t begun = line_;
    const char quote = text_[at_++];
    while (!at_end() && next() != quote) {
      if (next() == '\n') break;
      if (next() == '\\') {
        escape(out);
        if (wrong_) return;
      } else {
        out += text_[at_++];
      }
    }
    if (at_end() || next() != quote) {
      return fail_at(begun, std::string("this string does not end on its line: a ") + quote +
                                " is missing; a line end in it is \\n");
    }
    ++at_;
  }

  void escape(std::string& out) {
    ++at_;  // the backslash
    if (at_end()) return;
    const char c = text_[at_++];
    static constexpr std::string_view kPlain = "abfnrtv\\'\"?";
    static constexpr std::string_view kMeant = "\a\b\f\n\r\t\v\\'\"?";
    if (const size_t known = kPlain.find(c); known != kPlain.npos) {
      out += kMeant[known];
    } else if (c >= '0' && c <= '7') {
      --at_;
      out += static_cast<char>(digits(3, 8));
    } else if (c == 'x' || c == 'X') {
      if (hex_value(next()) < 0) return fail("\\x needs one or two hexadecimal digits behind it");
      out += static_cast<char>(digits(2, 16));
    } else if (c == 'u' || c == 'U') {
      unicode(out, c == 'u' ? 4 : 8);
    } else {
      fail("`\\" + one_line(std::string(1, c)) + "` is no escape; a backslash itself is \\\\");
    }
  }

  void unicode(std::string& out, size_t count) {
    const size_t begin = at_;
    const uint32_t code = digits(count, 16);
    if (at_ - begin != count || code > 0x10ffff) {
      return fail("\\u needs four hexadecimal digits behind it, and \\U eight of a character that there is");
    }
    append_utf8(out, code);
  }

  uint32_t digits(size_t most, uint32_t base) {
    uint32_t value = 0;
    for (size_t i = 0; i < most && !at_end(); ++i, ++at_) {
      const int digit = hex_value(next());
      if (digit < 0 || static_cast<uint32_t>(digit) >= base) break;
      value = value * base + static_cast<uint32_t>(digit);
    }
    return value;
  }

  std::string_view text_;
  const std::string& path_;
  size_t at_ = 0;
  size_t line_ = 1;
  std::optional<Error> wrong_;
};

}  // namespace

Result<TextMessage> read_text_format(std::string_view text, const std::string& path) {
  return Reader(text, path).all();
}

}  // namespace inlay::tester::textpb
