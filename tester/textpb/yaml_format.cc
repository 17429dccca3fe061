// SPDX-License-Identifier: Apache-2.0
#include "tester/textpb/yaml_format.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "document/scalars.h"
#include "document/source.h"

namespace inlay::tester::textpb {
namespace {

using document::Source;
using Kind = Source::Kind;

class Converter {
 public:
  explicit Converter(const std::string& path) : path_(path) {}

  TextMessage message(const Source& map, std::span<const FieldRow> schema) {
    TextMessage made;
    for (const Source::Entry& entry : map.entries) {
      const auto row = std::find_if(schema.begin(), schema.end(), [&](const auto& r) { return r.name == entry.key; });
      const auto line = entry.place.line;
      if (row == schema.end()) {  // which check() says
        made.fields.push_back({entry.key, line, TextField::Kind::kWord, {}, {}});
      } else if (!row->repeated) {
        add_field(made, *row, *entry.value, line);
      } else if (entry.value->kind != Kind::kList) {
        wrong(line, "`" + entry.key + "` is a list: each of its items begins with `- `");
      } else {
        for (const auto& item : entry.value->items) add_field(made, *row, *item, item->place.line);
      }
    }
    return made;
  }
  std::vector<Error> take_mistakes() { return std::move(mistakes_); }

 private:
  void wrong(size_t line, std::string what) {
    mistakes_.push_back({ErrorCode::kInvalidArgument, std::move(what), path_ + ":" + std::to_string(line)});
  }

  void add_field(TextMessage& to, const FieldRow& row, const Source& value, size_t line) {
    TextField field{std::string(row.name), line, TextField::Kind::kMessage, {}, {}};
    if (row.type == Type::kMessage) {
      if (value.kind != Kind::kMap) return wrong(line, "`" + field.name + "` is a map: `" + example(row) + "`");
      field.message = message(value, row.message);
    } else {
      if (value.kind != Kind::kScalar)
        return wrong(line, "`" + field.name + "` is one value, no list or map, and not empty");
      scalar(field, row.type, value.text);
    }
    to.fields.push_back(std::move(field));
  }

  static std::string example(const FieldRow& row) {
    return std::string(row.name) + ": {" + std::string(row.message.front().name) + ": ...}";
  }

  // In the words of the text format; what is none of them stays as it is, and check() says so.
  static void scalar(TextField& field, Type type, const std::string& text) {
    field.kind = TextField::Kind::kWord;
    field.text = text;
    if (type == Type::kString || type == Type::kBytes) field.kind = TextField::Kind::kString;
    if (type == Type::kBool) {
      if (const auto flag = document::parse_bool(text)) field.text = *flag ? "true" : "false";
      return;
    }
    if (const auto number = document::parse_uint(text); number && field.kind == TextField::Kind::kWord) {
      field.kind = TextField::Kind::kNumber;
      field.text = std::to_string(*number);
    }
  }

  const std::string& path_;
  std::vector<Error> mistakes_;
};

Error joined(const std::vector<Error>& mistakes) {
  Error all = mistakes[0];
  for (size_t i = 1; i < mistakes.size(); ++i) all.message += "\n" + mistakes[i].where + ": " + mistakes[i].message;
  return all;
}

Error joined(const document::Diagnostics& diagnostics, const std::string& path) {
  std::vector<Error> mistakes;
  for (const document::Diagnostic& one : diagnostics.list()) {
    if (one.severity != document::Diagnostic::Severity::kError) continue;
    const uint32_t line = std::max(one.place.line, 1u);
    mistakes.push_back({ErrorCode::kInvalidArgument, one.message, path + ":" + std::to_string(line)});
  }
  if (mistakes.empty()) mistakes.push_back({ErrorCode::kInvalidArgument, "it cannot be read as YAML", path + ":1"});
  return joined(mistakes);
}

}  // namespace

Result<TextMessage> read_yaml_format(std::string_view text, const std::string& path, std::span<const FieldRow> schema) {
  document::Diagnostics diagnostics;
  const auto tree = document::parse_source(text, path.ends_with(".json"), path, diagnostics, "a test suite");
  if (tree == nullptr) return joined(diagnostics, path);
  if (tree->kind != Kind::kMap) {
    return Error{ErrorCode::kInvalidArgument, "a test suite is a map: `test:` and below it a list of tests",
                 path + ":1"};
  }
  Converter converter(path);
  TextMessage message = converter.message(*tree, schema);
  if (const auto mistakes = converter.take_mistakes(); !mistakes.empty()) return joined(mistakes);
  return message;
}

}  // namespace inlay::tester::textpb
