// SPDX-License-Identifier: Apache-2.0
#pragma once

// Finds the names of commands in what a Redis client sends, however it is cut into pieces. Arguments are passed over
// and never kept: a value may be 512 MB long.

#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

struct CommandName {
  std::string_view text;     // "FLUSHALL"
  size_t begin, end;         // what stands for it in the data, with its length: "$8\r\nFLUSHALL\r\n"
  std::string_view refused;  // what to put there instead
};

class CommandReader {
 public:
  // Why next() found no more: all of the data has been read; a line or a name is cut off, so that the rest is needed
  // with it; this is not Redis's protocol.
  enum class Stop : uint8_t { kEnd, kCut, kBroken };

  // The next name in `data`, which is the same in every call.
  std::optional<CommandName> next(std::string_view data) {
    for (;;) {
      if (!skip(data)) return stop(Stop::kEnd);
      const size_t line_end = data.find("\r\n", at_);
      if (line_end == std::string_view::npos)
        return stop(data.size() - at_ > kLongestLine ? Stop::kBroken : Stop::kCut);
      const std::string_view line = data.substr(at_, line_end - at_);
      const size_t after = line_end + 2;
      if (arguments_ == 0) {
        if (!line.starts_with('*')) return inline_command(line, after);
        const auto count = number(line.substr(1));
        if (!count) return stop(Stop::kBroken);
        arguments_ = *count;
        at_name_ = true;
        at_ = after;
        continue;
      }
      const auto length = line.starts_with('$') ? number(line.substr(1)) : std::nullopt;
      if (!length) return stop(Stop::kBroken);
      const bool name = std::exchange(at_name_, false) && *length <= kLongestLine;
      if (name && data.size() - after < *length + 2) {
        at_name_ = true;
        return stop(Stop::kCut);
      }
      --arguments_;
      if (!name) {
        at_ = after;
        skip_ = *length + 2;
        continue;
      }
      const size_t begin = std::exchange(at_, after + *length + 2);
      return CommandName{data.substr(after, *length), begin, at_, "$7\r\nREFUSED\r\n"};
    }
  }

  Stop stopped() const { return stop_; }
  // Ready for the data behind what has been read.
  CommandReader rest() const {
    CommandReader reader = *this;
    reader.at_ = 0;
    return reader;
  }

 private:
  static constexpr size_t kLongestLine = 1024;
  static constexpr uint64_t kLargest = uint64_t{1} << 30;

  std::nullopt_t stop(Stop why) {
    stop_ = why;
    return std::nullopt;
  }

  // Passes over the rest of an argument; false if the data ends there.
  bool skip(std::string_view data) {
    const size_t n = skip_ < data.size() - at_ ? static_cast<size_t>(skip_) : data.size() - at_;
    at_ += n;
    skip_ -= n;
    return at_ < data.size();
  }

  // A command as one types it: "PING", words with blanks between.
  std::optional<CommandName> inline_command(std::string_view line, size_t after) {
    const size_t begin = std::exchange(at_, after);
    const std::string_view word = line.substr(0, line.find(' '));
    return CommandName{word, begin, begin + word.size(), word.empty() ? "" : "REFUSED"};
  }

  static std::optional<uint64_t> number(std::string_view digits) {
    uint64_t n = 0;
    for (const char c : digits) {
      if (c < '0' || c > '9' || n > kLargest) return std::nullopt;
      n = n * 10 + static_cast<uint64_t>(c - '0');
    }
    if (digits.empty() || n > kLargest) return std::nullopt;
    return n;
  }

  size_t at_ = 0;           // in the data
  uint64_t skip_ = 0;       // bytes of an argument, with its line break
  uint64_t arguments_ = 0;  // of the command under way
  bool at_name_ = false;
  Stop stop_ = Stop::kEnd;
};

// Whether `word` stands in `words`, which are separated by blanks. Upper and lower case are the same.
inline bool has_word(std::string_view words, std::string_view word) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  while (!words.empty()) {
    const size_t end = words.find(' ') < words.size() ? words.find(' ') : words.size();
    bool same = end == word.size() && end > 0;
    for (size_t i = 0; same && i < end; ++i) same = lower(words[i]) == lower(word[i]);
    if (same) return true;
    words.remove_prefix(end < words.size() ? end + 1 : end);
  }
  return false;
}
