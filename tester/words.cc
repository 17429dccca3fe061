// SPDX-License-Identifier: Apache-2.0
#include "tester/words.h"
#include "base/ascii.h"

namespace inlay::tester {
namespace {

constexpr size_t kLongestShown = 120;
constexpr size_t kShownOfLong = 24;
constexpr size_t kMostBytes = 16 << 20;  // of a repeated text

Error bad(std::string message) {
  return {ErrorCode::kInvalidArgument, std::move(message), ""};
}

Result<char> read_escape(std::string_view line, size_t& at) {
  switch (const char c = line[at++]) {
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    case '0':
      return '\0';
    case '"':
    case '\\':
      return c;
    case 'x':
      if (at + 2 <= line.size() && hex_value(line[at]) >= 0 && hex_value(line[at + 1]) >= 0) {
        const int value = hex_value(line[at]) << 4 | hex_value(line[at + 1]);
        at += 2;
        return static_cast<char>(value);
      }
      [[fallthrough]];
    default:
      return bad(R"(an escape that is none of: \n \r \t \0 \" \\ \xHH)");
  }
}

// `at` stands behind the opening mark, and afterwards behind the closing one and its "*N".
Result<std::string> read_quoted(std::string_view line, size_t& at) {
  std::string value;
  for (;;) {
    if (at >= line.size()) return bad("a quotation mark that has no other: the text does not end on this line");
    const char c = line[at++];
    if (c == '"') break;
    if (c != '\\') {
      value += c;
      continue;
    }
    if (at >= line.size()) return bad("a quotation mark that has no other: the text does not end on this line");
    INLAY_TRY(const char escaped, read_escape(line, at));
    value += escaped;
  }
  if (at >= line.size() || line[at] != '*') return value;
  size_t times = 0;
  const size_t begin = ++at;
  for (; at < line.size() && is_digit(line[at]) && times <= kMostBytes; ++at) {
    times = times * 10 + static_cast<size_t>(line[at] - '0');
  }
  if (at == begin) return bad("behind a text and `*` stands how often: \"x\"*1000");
  if (times > kMostBytes || value.size() * times > kMostBytes) return bad("a text of more than 16 MiB");
  std::string repeated;
  for (size_t i = 0; i < times; ++i) repeated += value;
  return repeated;
}

}  // namespace

Result<std::vector<Word>> split_words(std::string_view line) {
  std::vector<Word> words;
  for (size_t at = 0; at < line.size();) {
    if (line[at] == ' ') {
      ++at;
      continue;
    }
    Word word;
    word.quoted = line[at] == '"';
    while (at < line.size() && line[at] != ' ') {
      if (line[at] != '"') {
        word.text += line[at++];
        continue;
      }
      INLAY_TRY(const std::string part, read_quoted(line, ++at));
      word.text += part;
    }
    words.push_back(std::move(word));
  }
  return words;
}

bool split_field(const std::string& word, std::string& name, std::string& value) {
  const size_t equals = word.find('=', 1);
  if (word.empty() || equals == std::string::npos) return false;
  name = word.substr(0, equals);
  value = word.substr(equals + 1);
  return true;
}

std::string quote(std::string_view text) {
  const bool cut = text.size() > kLongestShown;
  std::string out = "\"";
  for (const char c : text.substr(0, cut ? kShownOfLong : text.size())) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '\n') {
      out += "\\n";
    } else if (c == '\r') {
      out += "\\r";
    } else if (c == '"' || c == '\\') {
      out += {'\\', c};
    } else if (byte < 0x20 || byte >= 0x7f) {
      append_hex(out += "\\x", c);
    } else {
      out += c;
    }
  }
  out += '"';
  if (cut) out += "...(" + std::to_string(text.size()) + " bytes)";
  return out;
}

}  // namespace inlay::tester
