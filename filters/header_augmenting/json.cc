// SPDX-License-Identifier: Apache-2.0
#include "filters/header_augmenting/json.h"

#include <cstdlib>
#include <cstring>

namespace inlay::header_augmenting {

// JsonParser walks a copy of the text that ends with a NUL, a character that JSON has nowhere: so nothing has to ask
// where the end is. A decoded string is never longer than it was written, and takes its place.
class JsonParser {
 public:
  JsonParser(Json& json, char* text) : json_(json), at_(text) {}

  const char* at() const { return at_; }

  // run: reads one value and all that is in it, and expects the end.
  bool run(const char* end) {
    if (!value({}, 0)) return false;
    skip_space();
    return at_ == end;
  }

 private:
  void skip_space() {
    while (*at_ == ' ' || *at_ == '\t' || *at_ == '\n' || *at_ == '\r') ++at_;
  }

  // append: one more node.
  bool append(std::string_view key) {
    if (size_ == capacity_) {
      capacity_ = capacity_ == 0 ? 32 : capacity_ * 2;
      void* const nodes = std::realloc(static_cast<void*>(json_.nodes_), capacity_ * sizeof(Json::Node));
      if (nodes == nullptr) return false;
      json_.nodes_ = static_cast<Json::Node*>(nodes);
    }
    Json::Node node;
    node.key = key;
    json_.nodes_[size_++] = node;
    return true;
  }

  // value: what stands here, in so many arrays and objects.
  bool value(std::string_view key, size_t depth) {
    using Type = Json::Type;
    skip_space();
    if (!append(key)) return false;
    Json::Node& node = json_.nodes_[size_ - 1];
    switch (*at_) {
      case '{':
      case '[':
        return depth != Json::kMaxDepth && members(depth + 1);
      case '"':
        node.type = Type::kString;
        return string(node.text);
      case 'n':
        return word("null");
      case 'f':
        node.type = Type::kFalse;
        return word("false");
      case 't':
        node.type = Type::kTrue;
        return word("true");
      default:
        node.type = Type::kNumber;
        return number(node.text);
    }
  }

  // members: those of the object or array that was appended last.
  bool members(size_t depth) {
    const uint32_t self = size_ - 1;
    const bool object = *at_++ == '{';
    const char closing = object ? '}' : ']';
    json_.nodes_[self].type = object ? Json::Type::kObject : Json::Type::kArray;
    skip_space();
    bool more = *at_ != closing;
    if (!more) ++at_;
    for (uint32_t last = self; more;) {
      std::string_view key;
      if (object && !name(key)) return false;
      const uint32_t child = size_;
      if (!value(key, depth)) return false;
      if (last == self)
        json_.nodes_[self].has_children = true;
      else
        json_.nodes_[last].next = child;
      last = child;
      skip_space();
      more = *at_ != closing;
      if (*at_++ != (more ? ',' : closing)) return false;
    }
    return true;
  }

  // name: what stands before a value in an object.
  bool name(std::string_view& out) {
    skip_space();
    if (!string(out)) return false;
    skip_space();
    return *at_++ == ':';
  }

  bool word(const char* text) {
    while (*text != '\0') {
      if (*at_ != *text++) return false;
      ++at_;
    }
    return true;
  }

  bool digits() {
    const char* const begin = at_;
    while (*at_ >= '0' && *at_ <= '9') ++at_;
    return at_ != begin;
  }

  bool number(std::string_view& out) {
    const char* const begin = at_;
    if (*at_ == '-') ++at_;
    if (*at_ == '0')
      ++at_;
    else if (!digits())
      return false;
    if (*at_ == '.') {
      ++at_;
      if (!digits()) return false;
    }
    if ((*at_ | 0x20) == 'e') {
      ++at_;
      if (*at_ == '+' || *at_ == '-') ++at_;
      if (!digits()) return false;
    }
    out = {begin, static_cast<size_t>(at_ - begin)};
    return true;
  }

  bool string(std::string_view& out) {
    if (*at_ != '"') return false;
    char* const begin = ++at_;
    to_ = begin;
    while (*at_ != '"') {
      if (static_cast<unsigned char>(*at_) < ' ' || !(*at_ == '\\' ? escape() : character())) return false;
    }
    ++at_;
    out = {begin, static_cast<size_t>(to_ - begin)};
    return true;
  }

  // character: one character as it stands; UTF-8 as RFC 3629 has it.
  bool character() {
    static constexpr uint32_t kLeast[] = {0, 0x80, 0x800, 0x10000};
    const auto first = static_cast<unsigned char>(*at_++);
    if (first < 0x80) return put(first);
    if (first < 0xc2 || first > 0xf4) return false;
    const uint32_t more = first < 0xe0 ? 1 : first < 0xf0 ? 2 : 3;
    uint32_t point = first & (0x3fu >> more);
    for (uint32_t i = 0; i < more; ++i) {
      const auto next = static_cast<unsigned char>(*at_);
      if ((next & 0xc0) != 0x80) return false;
      ++at_;
      point = point << 6 | (next & 0x3f);
    }
    return point >= kLeast[more] && !is_surrogate(point) && put(point);
  }

  bool escape() {
    static constexpr char kLetters[] = "\"\\/bfnrt";
    static constexpr char kMeaning[] = "\"\\/\b\f\n\r\t";
    const char letter = *++at_;
    if (letter == 'u') return unicode();
    for (size_t i = 0; kLetters[i] != '\0'; ++i) {
      if (letter != kLetters[i]) continue;
      ++at_;
      return put(static_cast<unsigned char>(kMeaning[i]));
    }
    return false;
  }

  // unicode: \uXXXX, or a pair of them for a character above U+FFFF.
  bool unicode() {
    uint32_t point = 0;
    if (!hex(point)) return false;
    if (is_surrogate(point)) {
      uint32_t low = 0;
      if (point >= 0xdc00 || *at_ != '\\' || *++at_ != 'u' || !hex(low) || low < 0xdc00 || low > 0xdfff) return false;
      point = 0x10000 + ((point & 0x3ff) << 10 | (low & 0x3ff));
    }
    return put(point);
  }

  bool hex(uint32_t& out) {
    for (int i = 0; i < 4; ++i) {
      const char c = *++at_;
      const char letter = static_cast<char>(c | 0x20);
      if (c >= '0' && c <= '9')
        out = out << 4 | static_cast<uint32_t>(c - '0');
      else if (letter >= 'a' && letter <= 'f')
        out = out << 4 | static_cast<uint32_t>(letter - 'a' + 10);
      else
        return false;
    }
    ++at_;
    return true;
  }

  static bool is_surrogate(uint32_t point) { return point >> 11 == 0x1b; }

  bool put(uint32_t point) {
    if (point < 0x80) {
      *to_++ = static_cast<char>(point);
      return true;
    }
    if (point > 0x10ffff) return false;
    const uint32_t more = point < 0x800 ? 1 : point < 0x10000 ? 2 : 3;
    *to_++ = static_cast<char>((0x780u >> more & 0xf0) | point >> 6 * more);
    for (uint32_t i = more; i-- != 0;) *to_++ = static_cast<char>(0x80 | (point >> 6 * i & 0x3f));
    return true;
  }

  Json& json_;
  char* at_;
  char* to_ = nullptr;  // where the string in hand is decoded to
  uint32_t size_ = 0;
  uint32_t capacity_ = 0;
};

bool Json::parse(std::string_view text) {
  text_ = sdk::Bytes::allocate(text.size() + 1);
  char* const copy = text_.data();
  if (copy == nullptr) return false;
  text.copy(copy, text.size());
  copy[text.size()] = '\0';
  JsonParser parser(*this, copy);
  const bool read = parser.run(copy + text.size());
  error_at_ = static_cast<size_t>(parser.at() - copy);
  return read;
}

const char* Json::type_name(Type type) {
  static constexpr const char* kNames[] = {"null", "false", "true", "a number", "a string", "an array", "an object"};
  return kNames[static_cast<size_t>(type)];
}

}  // namespace inlay::header_augmenting
