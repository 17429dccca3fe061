// SPDX-License-Identifier: Apache-2.0
#include "conformance/guests/script.h"

namespace puppet {
namespace {

constexpr size_t kLongestShown = 80;

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

// Reads "..." and what follows it; `at` stands behind the opening mark.
std::string read_quoted(std::string_view text, size_t& at) {
  std::string value;
  for (; at < text.size() && text[at] != '"'; ++at) {
    if (text[at] != '\\' || at + 1 >= text.size()) {
      value += text[at];
      continue;
    }
    switch (const char c = text[++at]) {
      case 'n':
        value += '\n';
        break;
      case 'r':
        value += '\r';
        break;
      case 't':
        value += '\t';
        break;
      case '0':
        value += '\0';
        break;
      case 'x':
        if (at + 2 < text.size()) {
          value += static_cast<char>(hex_digit(text[at + 1]) * 16 + hex_digit(text[at + 2]));
          at += 2;
        }
        break;
      default:
        value += c;
    }
  }
  ++at;
  if (at >= text.size() || text[at] != '*') return value;
  size_t times = 0;
  for (++at; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at) {
    times = times * 10 + static_cast<size_t>(text[at] - '0');
  }
  std::string repeated;
  repeated.reserve(value.size() * times);
  while (times-- > 0) repeated += value;
  return repeated;
}

// Words up to a ';' or the end.
Action read_action(std::string_view text, size_t& at) {
  Action action;
  while (at < text.size() && text[at] != ';') {
    if (text[at] == ' ') {
      ++at;
      continue;
    }
    Word word;
    word.quoted = text[at] == '"';
    while (at < text.size() && text[at] != ' ' && text[at] != ';') {
      if (text[at] == '"') {
        word.text += read_quoted(text, ++at);
      } else {
        word.text += text[at++];
      }
    }
    action.push_back(std::move(word));
  }
  if (at < text.size()) ++at;
  return action;
}

void read_handler(std::string_view line, std::vector<Handler>& handlers) {
  while (!line.empty() && line.front() == ' ') line.remove_prefix(1);
  if (line.substr(0, 3) != "on ") return;
  line.remove_prefix(3);
  const size_t colon = line.find(':');
  if (colon == std::string_view::npos) return;
  const std::string_view head = line.substr(0, colon);
  const size_t space = head.find(' ');
  Handler handler;
  handler.callback = head.substr(0, space);
  if (space != std::string_view::npos) handler.condition = head.substr(space + 1);
  for (size_t at = colon + 1; at < line.size();) {
    Action action = read_action(line, at);
    if (!action.empty()) handler.actions.push_back(std::move(action));
  }
  handlers.push_back(std::move(handler));
}

}  // namespace

std::vector<Handler> parse_script(std::string_view text) {
  std::vector<Handler> handlers;
  while (!text.empty()) {
    const size_t end = text.find('\n');
    read_handler(text.substr(0, end), handlers);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return handlers;
}

std::string quote(std::string_view value) {
  static constexpr char kHex[] = "0123456789abcdef";
  const bool cut = value.size() > kLongestShown;
  std::string text = "\"";
  for (const char c : value.substr(0, cut ? 16 : value.size())) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '\n') {
      text += "\\n";
    } else if (c == '"' || c == '\\') {
      text += '\\';
      text += c;
    } else if (byte < 0x20 || byte >= 0x7f) {
      text += "\\x";
      text += kHex[byte >> 4];
      text += kHex[byte & 15];
    } else {
      text += c;
    }
  }
  text += '"';
  if (cut) text += "...(" + to_text(value.size()) + " bytes)";
  return text;
}

unsigned parse_number(std::string_view text) {
  unsigned number = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') break;
    number = number * 10 + static_cast<unsigned>(c - '0');
  }
  return number;
}

std::string to_text(unsigned long long number) {
  std::string text;
  do text.insert(text.begin(), static_cast<char>('0' + number % 10));
  while ((number /= 10) > 0);
  return text;
}

}  // namespace puppet
