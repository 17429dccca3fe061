// SPDX-License-Identifier: Apache-2.0
#include "tester/source.h"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <set>
#include <utility>

#include "base/ascii.h"
#include "base/read_file.h"
#include "config/field_table.h"
#include "tester/words.h"

namespace inlay::tester {
namespace {

constexpr size_t kDeepest = 8;  // files that include one another
constexpr size_t kMostRows = 10'000;
constexpr size_t kMostBytes = 16 << 20;  // of all lines, once values are filled in
constexpr std::string_view kExpectations = "#### expect";

Error wrong(const SourceLine& line, std::string message) {
  return {ErrorCode::kInvalidArgument, std::move(message), line.place()};
}

std::vector<SourceLine> split_lines(const std::string& path, std::string_view text) {
  const auto file = std::make_shared<const std::string>(path);
  std::vector<SourceLine> lines;
  while (!text.empty()) {
    const size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.starts_with(kExpectations)) break;
    lines.push_back({std::string(line), file, lines.size() + 1});
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return lines;
}

// Whether a line begins with the word.
bool begins(std::string_view line, std::string_view word) {
  return line.starts_with(word) && (line.size() == word.size() || line[word.size()] == ' ');
}

bool is_name(std::string_view text) {
  return !text.empty() && !is_digit(text[0]) &&
         std::all_of(text.begin(), text.end(), [](char c) { return is_alphanumeric(c) || c == '_'; });
}

constexpr const char* kNotInValues = "a value that is filled in has no line ends or other control characters";

bool fits(std::string_view value) {
  return std::none_of(value.begin(), value.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20; });
}

// Includer puts the lines of included files in the place of their `include`.
class Includer {
 public:
  explicit Includer(Errors& errors) : errors_(errors) {}

  void add(const std::string& path, std::string_view text) {
    open_.push_back(std::filesystem::path(path).lexically_normal());
    for (SourceLine& line : split_lines(path, text)) {
      if (begins(line.text, "include")) {
        include(line);
      } else {
        look_for_separator(line);
        lines.push_back(std::move(line));
      }
    }
    open_.pop_back();
  }

  std::vector<SourceLine> lines;

 private:
  // `#### expct` would be a comment, and the snapshot below it steps.
  void look_for_separator(const SourceLine& line) {
    constexpr std::string_view kMark = "#### ";
    if (!line.text.starts_with(kMark)) return;
    const std::string word = line.text.substr(kMark.size(), line.text.find(' ', kMark.size()) - kMark.size());
    if (config::nearest(word, std::vector<std::string_view>{"expect"}).empty()) return;
    errors_.push_back(
        wrong(line, "`" + word + "` begins no snapshot; did you mean `" + std::string(kExpectations) + "`?"));
  }

  void include(const SourceLine& line) {
    const auto words = split_words(line.text);
    if (!words) return errors_.push_back(wrong(line, words.error().message));
    if (words->size() != 2) return errors_.push_back(wrong(line, "`include` takes one file: include common.case"));
    namespace fs = std::filesystem;
    const std::string path = (fs::path(*line.file).parent_path() / (*words)[1].text).lexically_normal();
    if (std::find(open_.begin(), open_.end(), path) != open_.end()) {
      return errors_.push_back(wrong(line, path + " includes itself"));
    }
    if (open_.size() == kDeepest) {
      return errors_.push_back(wrong(line, "files include one another more than 8 deep"));
    }
    auto text = read_regular_file(path, kMostBytes);
    if (!text) {
      return errors_.push_back(wrong(line, "the file to be included: " + text.error().to_string() +
                                               "; its path is relative to the file that includes it"));
    }
    bytes_ += text->size();
    if (bytes_ > kMostBytes) return errors_.push_back(wrong(line, "the files are larger than 16 MiB together"));
    add(path, *text);
  }

  Errors& errors_;
  std::vector<std::string> open_;
  size_t bytes_ = 0;
};

// A table: `rows NAME...`, and an indented line for each row.
struct Table {
  SourceLine head;
  std::vector<std::string> names;
  std::vector<std::pair<SourceLine, std::vector<Word>>> rows;
};

using Parameters = std::map<std::string, std::string>;

// Filler takes `let` and `rows` out of the lines, and fills in values.
class Filler {
 public:
  Filler(std::vector<SourceLine> lines, Errors& errors) : lines_(std::move(lines)), errors_(errors) { take_table(); }

  std::vector<Row> fill() {
    if (!table_) return {fill_row("", {})};
    std::vector<Row> rows;
    for (const auto& [line, words] : table_->rows) {
      Parameters values;
      for (size_t i = 0; i < words.size(); ++i) values[table_->names[i]] = words[i].text;
      const size_t begin = line.text.find_first_not_of(' ');
      const size_t errors = errors_.size();
      rows.push_back(fill_row(line.text.substr(begin), std::move(values)));
      if (errors_.size() > errors) break;  // the other rows have the same
    }
    return rows;
  }

 private:
  void take_table() {
    std::vector<SourceLine> others;
    for (size_t i = 0; i < lines_.size(); ++i) {
      if (!begins(lines_[i].text, "rows")) {
        others.push_back(std::move(lines_[i]));
        continue;
      }
      if (table_) {
        errors_.push_back(
            wrong(lines_[i], "a second table; a case has one, and the first is at " + table_->head.place()));
      }
      const size_t errors = errors_.size();
      Table table{lines_[i], {}, {}};
      read_names(table);
      for (; i + 1 < lines_.size() && (lines_[i + 1].text.starts_with("  ") || lines_[i + 1].text.empty()); ++i) {
        if (!lines_[i + 1].text.empty()) read_row(table, lines_[i + 1]);
      }
      if (table.rows.empty() && errors_.size() == errors)
        errors_.push_back(wrong(table.head, "the table has no rows; each is an indented line"));
      if (!table_) table_ = std::move(table);
    }
    lines_ = std::move(others);
  }

  void read_names(Table& table) {
    const auto words = split_words(table.head.text);
    if (!words) return errors_.push_back(wrong(table.head, words.error().message));
    for (size_t i = 1; i < words->size(); ++i) {
      const std::string& name = (*words)[i].text;
      if (!is_name(name)) errors_.push_back(wrong(table.head, "`" + name + "` is no name of letters, digits and _"));
      if (std::count(table.names.begin(), table.names.end(), name) > 0) {
        errors_.push_back(wrong(table.head, "a second column `" + name + "`"));
      }
      table.names.push_back(name);
    }
    if (table.names.empty()) errors_.push_back(wrong(table.head, "the columns' names are missing: rows path status"));
  }

  void read_row(Table& table, const SourceLine& line) {
    if (table.names.empty()) return;  // which is said
    auto words = split_words(line.text);
    if (!words) return errors_.push_back(wrong(line, words.error().message));
    if (!words->empty() && (*words)[0].text.starts_with('#') && !(*words)[0].quoted) return;
    if (words->size() != table.names.size()) {
      return errors_.push_back(wrong(line, "the row has " + std::to_string(words->size()) + " values, and the table " +
                                               std::to_string(table.names.size()) + " columns"));
    }
    for (const auto& [other, values] : table.rows) {
      if (other.text == line.text)
        return errors_.push_back(wrong(line, "the row stands twice, here and at " + other.place()));
    }
    for (const Word& word : *words) {
      if (!fits(word.text)) return errors_.push_back(wrong(line, kNotInValues));
    }
    if (table.rows.size() == kMostRows) return errors_.push_back(wrong(line, "more than 10000 rows"));
    table.rows.emplace_back(line, *std::move(words));
  }

  Row fill_row(std::string title, Parameters values) {
    Row row{std::move(title), {}};
    std::set<std::string> columns;
    for (const auto& [name, value] : values) columns.insert(name);
    for (const SourceLine& line : lines_) {
      SourceLine filled = line;
      fill_line(filled, values);
      if (begins(filled.text, "let")) {
        take_let(filled, values, columns);
      } else {
        row.lines.push_back(std::move(filled));
      }
    }
    return row;
  }

  // let NAME = VALUE
  void take_let(const SourceLine& line, Parameters& values, const std::set<std::string>& columns) {
    auto words = split_words(line.text);
    if (!words) return errors_.push_back(wrong(line, words.error().message));
    if (words->size() < 4 || (*words)[2].text != "=") {
      return errors_.push_back(wrong(line, "the form is: let NAME = VALUE"));
    }
    const std::string& name = (*words)[1].text;
    if (!is_name(name)) {
      return errors_.push_back(wrong(line, "`" + name + "` is no name of letters, digits and _"));
    }
    if (columns.contains(name)) return errors_.push_back(wrong(line, "`" + name + "` is a column of the table"));
    const size_t equals = line.text.find('=');
    const size_t begin = std::min(line.text.find_first_not_of(' ', equals + 1), line.text.size());
    const bool quoted = (*words)[3].quoted;
    if (quoted && words->size() > 4) return errors_.push_back(wrong(line, "there is more behind the quoted value"));
    if (!fits((*words)[3].text)) return errors_.push_back(wrong(line, kNotInValues));
    values[name] = quoted ? (*words)[3].text : line.text.substr(begin);
  }

  // {{NAME}}
  void fill_line(SourceLine& line, const Parameters& values) {
    if (line.text.find("{{") == std::string::npos || line.text.starts_with('#')) return;
    std::string out;
    std::string_view rest = line.text;
    for (size_t at = rest.find("{{"); at != std::string_view::npos; at = rest.find("{{")) {
      const size_t end = rest.find("}}", at);
      const std::string name(end == std::string_view::npos ? "" : rest.substr(at + 2, end - at - 2));
      if (!is_name(name)) {  // text like any other
        out += rest.substr(0, at + 2);
        rest.remove_prefix(at + 2);
        continue;
      }
      out += rest.substr(0, at);
      rest.remove_prefix(end + 2);
      if (const auto value = values.find(name); value != values.end()) {
        out += value->second;
      } else {
        errors_.push_back(wrong(line, "there is no parameter `" + name + "` here" + known(name, values)));
      }
    }
    out += rest;
    bytes_ += out.size();
    if (bytes_ > kMostBytes && errors_.empty()) {
      errors_.push_back(wrong(line, "with its values filled in the case is larger than 16 MiB"));
    }
    line.text = bytes_ > kMostBytes ? "" : std::move(out);
  }

  static std::string known(const std::string& name, const Parameters& values) {
    std::vector<std::string_view> names;
    for (const auto& [one, value] : values) names.push_back(one);
    const std::string near = config::nearest(name, names);
    return near.empty() ? "; `let " + name + " = ...` above makes one" : "; did you mean `" + near + "`?";
  }

  std::vector<SourceLine> lines_;
  std::optional<Table> table_;
  Errors& errors_;
  size_t bytes_ = 0;
};

}  // namespace

Error joined(const Errors& errors) {
  Error all = errors.front();
  for (size_t i = 1; i < errors.size(); ++i) all.message += "\n" + errors[i].to_string();
  return all;
}

Result<std::vector<Row>> read_source(const std::string& path, std::string_view text) {
  Errors errors;
  Includer includer(errors);
  includer.add(path, text);
  std::vector<Row> rows = Filler(std::move(includer.lines), errors).fill();
  if (!errors.empty()) return joined(errors);
  return rows;
}

}  // namespace inlay::tester
