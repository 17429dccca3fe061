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
#include "filters/header_augmenting/texts.h"
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

Kind kind_of_elements(Kind array) {
  switch (array) {
    case Kind::kObjects:
      return Kind::kObject;
    case Kind::kStatuses:
      return Kind::kStatus;
    case Kind::kTexts:
      return Kind::kLine;
    case Kind::kWords:
      return Kind::kWord;
    default:
      return Kind::kHeaderName;
  }
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

void Report::add_lacking(const Place& place, std::string_view what) {
  sdk::Line found;
  add(place, found.add(what).add(", which header_augmenting_lean.wasm lacks").view(),
      "header_augmenting.wasm, which has it");
}

void Check::must(bool holds, const char* key, const char* what, const char* expected) {
  if (!holds) found(key, what, expected);
}

void Check::found(const char* key, std::string_view value, const char* expected) {
  at_.key = key;
  report_.add(at_, value.substr(0, 64), expected);
}

uint32_t ConfigReader::object(const Place& place, const Json::Node& node, const Schema& schema, char* out) {
  uint32_t seen = 0;
  for (const Json::Node* member = json_.first(node); member != nullptr; member = json_.next(*member)) {
    const Place at = {&place, member->key};
    size_t row = 0;
    while (row < schema.fields.size() && !is_same(schema.fields[row].key, member->key)) ++row;
    if (row == schema.fields.size()) {
      Suggestion suggestion(member->key);
      for (const Field& field : schema.fields) suggestion.consider(field.key);
      report_.add(at, "an unknown key", suggestion.text());
    } else if ((seen >> row & 1) != 0) {
      report_.add(at, "the key twice", "it once");
    } else if (!has(schema.fields[row].needs)) {
      report_.add_lacking(at, "the key");
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
    case Kind::kTexts:
    case Kind::kWords:
    case Kind::kNames:
    case Kind::kHeaderNames:
    case Kind::kStatuses:
      read = array(place, node, field, out);
      break;
    case Kind::kParameters:
    case Kind::kHeaders:
      read = pairs(place, node, kind, out);
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

bool ConfigReader::array(const Place& place, const Json::Node& node, const Field& field, char* out) {
  const bool single = field.kind == Kind::kTexts && node.type == Json::Type::kString;
  if (node.type != Json::Type::kArray && !single) return false;
  const Schema* const schema = field.kind == Kind::kObjects ? field.more.schema : nullptr;
  const size_t size = schema != nullptr               ? schema->size
                      : field.kind == Kind::kStatuses ? sizeof(uint64_t)
                                                      : sizeof(std::string_view);
  const size_t elements = single ? 1 : count(node);
  char* element = static_cast<char*>(arena_.take(elements * size));
  put(out, std::span(element, elements));
  size_t index = 0;
  for (const Json::Node* n = single ? &node : json_.first(node); n != nullptr; n = single ? nullptr : json_.next(*n)) {
    if (schema != nullptr)
      std::memcpy(element, schema->initial, size);
    else
      std::memset(element, 0, size);
    const Place at = {&place, {}, index++};
    value(at, *n, {"", kind_of_elements(field.kind), 0, schema}, element);
    if (field.kind == Kind::kHeaderNames) {
      std::string_view name;
      std::memcpy(static_cast<void*>(&name), element, size);
      if (is_forbidden(name)) report_.add(at, name, expected(field.kind));
    }
    element += size;
  }
  return true;
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
    const bool safe = refers() ? all_literals(pair.value, is_safe_value) : is_safe_value(pair.value);
    if (!safe) report_.add(at, "a control character", "none in a header's value");
  }
  return put(out, pairs);
}

void ConfigReader::choice(const Place& place, const Json::Node& node, std::string_view text, const Field& field,
                          char* out) {
  Suggestion all({});  // of words that mean different things: near ones are no help
  for (uint8_t which = 0; field.more.choices[which] != nullptr; ++which) {
    if (is_same(text, field.more.choices[which])) {
      put(out, which);
      return;
    }
    all.consider(field.more.choices[which]);
  }
  sdk::Line found;
  report_.add(place, found.add("\"").add(node.text.substr(0, 64)).add("\"").view(), all.text());
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
      return has(kExchange) && put_number(node, 1 << 16, 1 << 30, out);
    case Kind::kCount:
      return put_number(node, 1, 1'000'000, out);
    case Kind::kStatusOrPass:
      if (has(kExchange) && node.type == Type::kString && is_same(text, "pass")) return put(out, uint64_t{0});
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
      break;
    case Kind::kLine:
      text = without_line_breaks(text);
      if (refers() ? !all_literals(text, is_line) : !is_line(text)) return false;
      break;
    case Kind::kPath:
      if (!text.starts_with('/')) return false;
      [[fallthrough]];
    case Kind::kWord:
    case Kind::kHost:
      if (!is_word(text)) return false;
      break;
    case Kind::kName:
    case Kind::kHeaderName:
      if (!is_token(text)) return false;
      break;
    case Kind::kStale:
      return is_same(text, "unlimited") ? put(out, kUnlimited) : put_duration(text, 0, out);
    case Kind::kDuration:
      return put_duration(text, 1, out);
    case Kind::kShare:
      return put_share(text, out);
    default:
      return false;
  }
  if (kind == Kind::kHost || kind == Kind::kHeaderName) text = arena_.lower(text);
  return put(out, text);
}

std::string_view ConfigReader::name_of(std::string_view what, std::string_view& rest) {
  if (!rest.starts_with(what)) return {};
  std::string_view behind = rest.substr(what.size());
  const std::string_view name = take_to(behind, '}');
  // Without its "}" it has all that there was.
  if (!is_token(name) || rest.size() == what.size() + name.size()) return {};
  rest = behind;
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
      if (refers() && rest[0] == '\0') {
        add_literal(built, rest.substr(0, 1));
        replaced = true;
      } else {
        built.add(rest[0]);
      }
      rest.remove_prefix(1);
      continue;
    }
    if (const std::string_view source = name_of(kReference, rest); !source.empty()) {
      if (!has(kReferences)) {
        report_.add_lacking(place, "${source:NAME}");
        return false;
      }
      if (!refers()) {
        report_.add(place, "${source:NAME}", "it in oauth2, request_headers or body of a source");
        return false;
      }
      add_reference(built, source);
      replaced = true;
      continue;
    }
    const std::string_view name = name_of(kVariable, rest);
    if (name.empty()) {  // what stands there may be part of a secret
      report_.add(place, "\"${\" that begins no ${env:NAME} or ${source:NAME}", "one of these, or $${ for ${ itself");
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
