// SPDX-License-Identifier: Apache-2.0
#include "filters/header_augmenting/config_reader.h"

#include <cstring>
#include <optional>

#include "filters/header_augmenting/config.h"
#include "filters/header_augmenting/duration.h"
#include "filters/header_augmenting/header_rules.h"
#include "filters/header_augmenting/references.h"
#include "filters/header_augmenting/suggestion.h"
#include "filters/header_augmenting/text_builder.h"
#include "sdk/log.h"

namespace inlay::header_augmenting {
namespace {

constexpr std::string_view kVariable = "${env:";
constexpr std::string_view kReference = "${source:";
constexpr std::string_view kLiteral = "$${";  // stands for "${"

template <class T>
bool put(char* out, const T& value) {
  std::memcpy(out, static_cast<const void*>(&value), sizeof value);
  return true;
}

bool is_word(std::string_view text) {
  for (const char c : text) {
    if (static_cast<unsigned char>(c) <= ' ' || c == '\x7f') return false;
  }
  return !text.empty();
}

// without_line_breaks: what a shell would make of a file or a program's output: the text without those at its end.
std::string_view without_line_breaks(std::string_view text) {
  while (text.ends_with('\n') || text.ends_with('\r')) text.remove_suffix(1);
  return text;
}

bool is_line(std::string_view text) {
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < ' ' || c == '\x7f') return false;
  }
  return true;
}

// all_literals: whether `holds` for all of `text` but its references.
bool all_literals(std::string_view text, bool (*holds)(std::string_view)) {
  for (Piece piece; next_piece(text, piece);) {
    if (!piece.is_reference && !holds(piece.text)) return false;
  }
  return true;
}

std::optional<uint64_t> whole_number(std::string_view text, uint64_t max) {
  uint64_t number = 0;
  if (text.empty() || text.size() > 18) return std::nullopt;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    number = number * 10 + static_cast<uint64_t>(c - '0');
  }
  return number <= max ? std::optional(number) : std::nullopt;
}

bool put_number(const Json::Node& node, uint64_t min, uint64_t max, char* out) {
  if (node.type != Json::Type::kNumber) return false;
  const auto number = whole_number(node.text, max);
  return number && *number >= min && put(out, *number);
}

bool put_duration(std::string_view text, uint64_t min, char* out) {
  const auto duration = parse_duration(text);
  return duration && *duration >= min && put(out, *duration);
}

bool put_share(std::string_view text, char* out) {
  Share share;
  if (text.ends_with('%')) {
    const auto percent = whole_number(text.substr(0, text.size() - 1), 100);
    share.percent = percent.value_or(0);
    return percent && put(out, share);
  }
  const auto duration = parse_duration(text);
  share.ms = duration.value_or(0);
  return duration && put(out, share);
}

// add_path: "sources[1].refresh.every".
void add_path(sdk::Line& line, const Place& place) {
  if (place.parent == nullptr) return;
  add_path(line, *place.parent);
  if (place.key.data() == nullptr) {
    line.add("[").add(uint64_t{place.index}).add("]");
    return;
  }
  if (place.parent->parent != nullptr) line.add(".");
  line.add(place.key.substr(0, 64));
}

}  // namespace

void Report::add(const Place& place, std::string_view found, std::string_view wanted) {
  sdk::Line line;
  line.add("configuration: ");
  add_path(line, place);
  if (place.parent != nullptr) line.add(": ");
  line.add("found ").add(found).add(", expected ").add(wanted);
  sdk::Line safe;  // keys and values come from outside: a log line is one line
  for (const char& c : line.view()) safe.add(c < ' ' && c >= 0 ? std::string_view("?") : std::string_view(&c, 1));
  sdk::log(sdk::LogLevel::kError, safe.view());
  empty_ = false;
}

uint32_t ConfigReader::object(const Place& place, const Json::Node& node, const Schema& schema, char* out) {
  uint32_t seen = 0;
  for (const Json::Node* member = json_.first(node); member != nullptr; member = json_.next(*member)) {
    const Place at = {&place, member->key};
    size_t row = 0;
    while (row < schema.fields.size() && schema.fields[row].key != member->key) ++row;
    if (row == schema.fields.size()) {
      Suggestion suggestion(member->key);
      for (const Field& field : schema.fields) suggestion.consider(field.key);
      report_.add(at, "an unknown key", suggestion.text());
    } else if ((seen >> row & 1) != 0) {
      report_.add(at, "the key twice", "it once");
    } else {
      seen |= 1u << row;
      const Field& field = schema.fields[row];
      refers_ = field.refers;
      value(at, *member, field, out + field.offset);
    }
  }
  for (size_t row = 0; row < schema.fields.size(); ++row) {
    const Field& field = schema.fields[row];
    if (!field.required || (seen >> row & 1) != 0) continue;
    report_.add({&place, field.key}, "nothing", expected(field.kind));
    put(out + field.offset, std::string_view(""));  // given as far as all further checks go
  }
  return seen;
}

void ConfigReader::value(const Place& place, const Json::Node& node, const Field& field, char* out) {
  const Kind kind = field.kind;
  bool read = false;
  std::string_view text;
  switch (kind) {
    case Kind::kObject:
      read = node.type == Json::Type::kObject;
      if (read) object(place, node, *field.more.schema, out);
      break;
    case Kind::kObjects:
      read = node.type == Json::Type::kArray;
      if (read) objects(place, node, *field.more.schema, out);
      break;
    case Kind::kTexts:
    case Kind::kWords:
    case Kind::kNames:
    case Kind::kHeaderNames:
      read = strings(place, node, kind, out);
      break;
    case Kind::kParameters:
    case Kind::kHeaders:
      read = pairs(place, node, kind, out);
      break;
    case Kind::kStatuses:
      read = statuses(node, out);
      break;
    default:
      if (!string(place, node, text)) return;
      if (kind == Kind::kChoice && node.type == Json::Type::kString) {
        choice(place, node, text, field, out);
        return;
      }
      read = scalar(node, kind, text, out);
  }
  if (read) return;
  sdk::Line found;
  found.add(Json::type_name(node.type));
  // From kDuration on, no value can be a secret.
  if (kind >= Kind::kDuration && (node.type == Json::Type::kString || node.type == Json::Type::kNumber))
    found.add(" \"").add(node.text.substr(0, 64)).add("\"");
  report_.add(place, found.view(), expected(kind));
}

void ConfigReader::objects(const Place& place, const Json::Node& node, const Schema& schema, char* out) {
  char* element = schema.make(arena_, count(node), out);
  size_t index = 0;
  for (const Json::Node* n = json_.first(node); n != nullptr; n = json_.next(*n), ++index, element += schema.size) {
    value({&place, {}, index}, *n, {"", Kind::kObject, 0, &schema}, element);
  }
}

bool ConfigReader::strings(const Place& place, const Json::Node& node, Kind kind, char* out) {
  const bool single = kind == Kind::kTexts && node.type == Json::Type::kString;
  if (node.type != Json::Type::kArray && !single) return false;
  const Texts texts = arena_.array<std::string_view>(single ? 1 : count(node));
  const auto one_kind = kind == Kind::kTexts ? Kind::kLine : kind == Kind::kWords ? Kind::kWord : Kind::kHeaderName;
  size_t index = 0;
  for (const Json::Node* n = single ? &node : json_.first(node); n != nullptr; n = single ? nullptr : json_.next(*n)) {
    const Place at = {&place, {}, index};
    std::string_view& text = texts[index++];
    value(at, *n, {"", one_kind, 0}, reinterpret_cast<char*>(&text));
    if (kind == Kind::kHeaderNames && is_forbidden(text)) report_.add(at, text, expected(kind));
  }
  return put(out, texts);
}

bool ConfigReader::pairs(const Place& place, const Json::Node& node, Kind kind, char* out) {
  if (node.type != Json::Type::kObject) return false;
  const Pairs pairs = arena_.array<abi::Pair>(count(node));
  size_t index = 0;
  for (const Json::Node* n = json_.first(node); n != nullptr; n = json_.next(*n)) {
    const Place at = {&place, n->key};
    abi::Pair& pair = pairs[index++];
    pair.key = n->key;
    const Kind one_kind = kind == Kind::kParameters ? Kind::kLine : Kind::kText;
    value(at, *n, {"", one_kind, 0}, reinterpret_cast<char*>(&pair.value));
    if (kind == Kind::kParameters) continue;
    pair.key = arena_.lower(n->key);
    if (!is_token(pair.key) || is_forbidden(pair.key)) report_.add(at, "the key", expected(Kind::kHeaderNames));
    const bool safe = refers_ ? all_literals(pair.value, is_safe_value) : is_safe_value(pair.value);
    if (!safe) report_.add(at, "a control character", "none in a header's value");
  }
  return put(out, pairs);
}

bool ConfigReader::statuses(const Json::Node& node, char* out) {
  if (node.type != Json::Type::kArray) return false;
  const auto numbers = arena_.array<uint64_t>(count(node));
  size_t index = 0;
  for (const Json::Node* n = json_.first(node); n != nullptr; n = json_.next(*n)) {
    if (!put_number(*n, 200, 599, reinterpret_cast<char*>(&numbers[index++]))) return false;
  }
  return put(out, numbers);
}

void ConfigReader::choice(const Place& place, const Json::Node& node, std::string_view text, const Field& field,
                          char* out) {
  uint8_t which = 0;
  for (; field.more.choices[which] != nullptr; ++which) {
    if (text != field.more.choices[which]) continue;
    put(out, which);
    return;
  }
  sdk::Line wanted;
  wanted.add(expected(Kind::kChoice));
  for (uint8_t i = 0; i < which; ++i) wanted.add(" ").add(field.more.choices[i]);
  sdk::Line found;
  report_.add(place, found.add("\"").add(node.text.substr(0, 64)).add("\"").view(), wanted.view());
}

// scalar: `text` is the node's, with its variables replaced.
bool ConfigReader::scalar(const Json::Node& node, Kind kind, std::string_view text, char* out) {
  using Type = Json::Type;
  switch (kind) {
    case Kind::kFlag:
      if (node.type != Type::kTrue && node.type != Type::kFalse) return false;
      return put(out, node.type == Type::kTrue ? Presence::kPresent : Presence::kAbsent);
    case Kind::kBytes:
      return put_number(node, 1, 16 << 20, out);
    case Kind::kMemory:
      return put_number(node, 1 << 16, 1 << 30, out);
    case Kind::kCount:
      return put_number(node, 1, 1'000'000, out);
    case Kind::kStatusOrPass:
      if (node.type == Type::kString && text == "pass") return put(out, uint64_t{0});
      [[fallthrough]];
    case Kind::kStatus:
      return put_number(node, 200, 599, out);
    case Kind::kSeconds: {
      uint64_t seconds = 0;
      if (!put_number(node, 0, kMaxDurationMs / 1000, reinterpret_cast<char*>(&seconds))) {
        const auto duration = parse_duration(text);
        if (node.type != Type::kString || !duration) return false;
        seconds = (*duration + 999) / 1000;
      }
      sdk::Line line;
      return put(out, arena_.copy(line.add(seconds).view()));
    }
    default:
      break;
  }
  if (node.type != Type::kString) return false;
  switch (kind) {
    case Kind::kText:
      return put(out, text);
    case Kind::kLine:
      text = without_line_breaks(text);
      return (refers_ ? all_literals(text, is_line) : is_line(text)) && put(out, text);
    case Kind::kPath:
      return text.starts_with('/') && is_word(text) && put(out, text);
    case Kind::kWord:
      return is_word(text) && put(out, text);
    case Kind::kHost:
      return is_word(text) && put(out, arena_.lower(text));
    case Kind::kName:
      return is_token(text) && put(out, text);
    case Kind::kHeaderName:
      return is_token(text) && put(out, arena_.lower(text));
    case Kind::kStale:
      return text == "unlimited" ? put(out, kUnlimited) : put_duration(text, 0, out);
    case Kind::kDuration:
      return put_duration(text, 1, out);
    case Kind::kShare:
      return put_share(text, out);
    default:
      return false;
  }
}

std::string_view ConfigReader::name_of(std::string_view what, std::string_view& rest) {
  if (!rest.starts_with(what)) return {};
  size_t end = what.size();
  while (end < rest.size() && rest[end] != '}') ++end;
  const std::string_view name = rest.substr(what.size(), end - what.size());
  if (end == rest.size() || !is_token(name)) return {};
  rest.remove_prefix(end + 1);
  return name;
}

bool ConfigReader::string(const Place& place, const Json::Node& node, std::string_view& out) {
  out = node.text;
  TextBuilder built;
  bool replaced = false;
  for (std::string_view rest = node.text; !rest.empty();) {
    if (rest.starts_with(kLiteral)) {
      built.add("${");
      rest.remove_prefix(kLiteral.size());
      replaced = true;
      continue;
    }
    if (!rest.starts_with("${")) {
      if (refers_ && rest[0] == '\0') {
        add_literal(built, rest.substr(0, 1));
        replaced = true;
      } else {
        built.add(rest[0]);
      }
      rest.remove_prefix(1);
      continue;
    }
    if (const std::string_view source = name_of(kReference, rest); !source.empty()) {
      if (!refers_) {
        report_.add(place, "${source:NAME}", "it in oauth2, request_headers or body of a source");
        return false;
      }
      add_reference(built, source);
      replaced = true;
      continue;
    }
    const std::string_view name = name_of(kVariable, rest);
    if (name.empty()) {  // what stands there may be part of a secret
      report_.add(place, "\"${\" that begins no ${env:NAME} or ${source:NAME}",
                  "${env:NAME} for a variable, ${source:NAME} for the value of a source, or $${ for ${ itself");
      return false;
    }
    std::string_view value;
    if (!variable(name, value)) {
      sdk::Line found;
      report_.add(place, found.add(kVariable).add(name.substr(0, 64)).add("}, which is not set").view(),
                  "a variable of the VM's environment (vm_config.environment_variables)");
      return false;
    }
    built.add(without_line_breaks(value));
    replaced = true;
  }
  if (replaced) out = arena_.copy(built.view());
  return true;
}

bool ConfigReader::variable(std::string_view name, std::string_view& out) const {
  for (size_t at = 0; at < environment_.size();) {
    const std::string_view entry(environment_.data() + at);  // up to its NUL
    at += entry.size() + 1;
    if (!entry.starts_with(name) || entry.size() == name.size() || entry[name.size()] != '=') continue;
    out = entry.substr(name.size() + 1);
    return true;
  }
  return false;
}

size_t ConfigReader::count(const Json::Node& node) const {
  size_t n = 0;
  for (const Json::Node* child = json_.first(node); child != nullptr; child = json_.next(*child)) ++n;
  return n;
}

}  // namespace inlay::header_augmenting
