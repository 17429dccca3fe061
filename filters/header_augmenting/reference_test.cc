// SPDX-License-Identifier: Apache-2.0
// The tables of keys in docs/reference/header_augmenting.md are made from the tables that the parser reads by, with the
// defaults that it starts from. INLAY_UPDATE=1 in the environment writes them anew.
#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include "filters/header_augmenting/config.h"
#include "filters/header_augmenting/config_schema.h"
#include "filters/header_augmenting/metrics.h"
#include "filters/header_augmenting/reference_rows.h"
#include "sdk/testing/fake_host.h"

namespace inlay::header_augmenting {
namespace {

constexpr const char* kFile = INLAY_SOURCE_DIR "/docs/reference/header_augmenting.md";
constexpr const char* kHead = "| key | value; default | meaning |\n| --- | --- | --- |\n";

std::string text_of_file(const std::filesystem::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string reference() {
  return text_of_file(kFile);
}

template <class T>
T read(const char* at) {
  T value{};
  std::memcpy(static_cast<void*>(&value), at, sizeof value);
  return value;
}

std::string code(const std::string& text) {
  return "`" + text + "`";
}

std::string duration(uint64_t ms) {
  return ms % 1000 == 0 ? std::to_string(ms / 1000) + "s" : std::to_string(ms) + "ms";
}

std::string choices(const char* const* names) {
  std::string text;
  for (; *names != nullptr; ++names) text += (text.empty() ? "" : names[1] == nullptr ? " or " : ", ") + code(*names);
  return text;
}

std::string share(const Share& share) {
  return share.ms != 0 ? duration(share.ms) : std::to_string(share.percent) + "%";
}

// value_of: what a value of the field is, in the reference's words.
std::string value_of(const Field& field) {
  // In the order of Kind.
  static constexpr const char* kWords[] = {"string",
                                           "string",
                                           "word",
                                           "word",
                                           "path",
                                           "name",
                                           "header name",
                                           "string, or array of strings",
                                           "array of words",
                                           "array of header names, or prefixes that end in `*`",
                                           "array of header names",
                                           "object of name to string",
                                           "object of header name to string",
                                           "`true` or `false`",
                                           "duration",
                                           "duration or `unlimited`",
                                           "share",
                                           "seconds or duration",
                                           "1 to 16777216 bytes",
                                           "65536 to 1073741824 bytes",
                                           "1 to 1000000",
                                           "200 to 599",
                                           "200 to 599 or `pass`",
                                           "array of statuses"};
  static_assert(std::size(kWords) == static_cast<size_t>(Kind::kChoice));
  return field.kind == Kind::kChoice ? choices(field.more.choices) : kWords[static_cast<size_t>(field.kind)];
}

// default_of: what stands at `at` in a structure as it is made; empty if there is none.
std::string default_of(const Field& field, const char* at) {
  switch (field.kind) {
    case Kind::kText:
    case Kind::kLine:
    case Kind::kWord:
    case Kind::kHost:
    case Kind::kPath:
    case Kind::kName:
    case Kind::kHeaderName:
    case Kind::kSeconds: {
      std::string text(read<std::string_view>(at));
      if (text.ends_with('\n')) text.pop_back();
      return text.empty() ? "" : code(text);
    }
    case Kind::kDuration:
      return code(duration(read<uint64_t>(at)));
    case Kind::kShare:
      return code(share(read<Share>(at)));
    case Kind::kBytes:
    case Kind::kMemory:
    case Kind::kCount:
    case Kind::kStatus:
    case Kind::kStatusOrPass:
      return code(std::to_string(read<uint64_t>(at)));
    case Kind::kChoice:
      return code(field.more.choices[read<uint8_t>(at)]);
    default:
      return "";
  }
}

struct Row {
  std::string key;
  std::string value;
  std::string fallback;
};

// add_rows: all keys that take a value, as the reference writes them: sources[].refresh.every.
void add_rows(const Schema& schema, const std::string& path, const char* structure, std::vector<Row>& out) {
  for (const Field& field : schema.fields) {
    const std::string key = path + field.key;
    const char* const at = structure + field.offset;
    if (field.kind == Kind::kObject) {
      add_rows(*field.more.schema, key + ".", at, out);
    } else if (field.kind == Kind::kObjects) {
      const Schema& element = *field.more.schema;
      add_rows(element, key + "[].", static_cast<const char*>(element.initial), out);
    } else {
      out.push_back({key, value_of(field), field.required ? "required" : default_of(field, at)});
    }
  }
}

std::vector<Row> rows() {
  const ConfigValues values;
  std::vector<Row> all;
  add_rows(kConfigSchema, "", reinterpret_cast<const char*>(&values), all);
  return all;
}

const ReferenceRow* text_of(const std::string& key) {
  for (const ReferenceRow& row : kReferenceRows) {
    if (row.key == key) return &row;
  }
  return nullptr;
}

std::string section_of(const std::string& key) {
  for (const char* section : {"sources", "rules"}) {
    if (key.starts_with(section)) return section;
  }
  return key.starts_with("header_") ? "short form" : "rest";
}

std::string table(const std::string& section) {
  std::string text = kHead;
  for (const Row& row : rows()) {
    const ReferenceRow* const more = text_of(row.key);
    if (section_of(row.key) != section || more == nullptr) continue;
    const std::string fallback = more->fallback != nullptr ? more->fallback : row.fallback;
    text += "| " + code(row.key) + " | " + row.value + (fallback.empty() ? "" : "; " + fallback) + " | " +
            more->meaning + " |\n";
  }
  return text;
}

TEST(Reference, HasWordsForEveryKeyAndNoOther) {
  std::set<std::string> keys;
  for (const Row& row : rows()) keys.insert(row.key);
  std::set<std::string> texts;
  for (const ReferenceRow& row : kReferenceRows) texts.insert(row.key);
  EXPECT_EQ(texts, keys);
}

TEST(Reference, TablesAreUpToDate) {
  const std::string there = reference();
  std::string made = there;
  for (const char* section : {"short form", "sources", "rules", "rest"}) {
    const std::string mark = std::string("<!-- keys: ") + section + " -->\n";
    const size_t begin = made.find(mark);
    ASSERT_NE(begin, std::string::npos) << section;
    const size_t end = made.find("\n\n", begin);
    made.replace(begin + mark.size(), end + 1 - begin - mark.size(), table(section));
  }
  if (std::getenv("INLAY_UPDATE") != nullptr) std::ofstream(kFile) << made;
  EXPECT_EQ(reference(), made) << "run header_augmenting_tests with INLAY_UPDATE=1";
}

TEST(Reference, NamesEveryMetric) {
  sdk::testing::FakeHost host;
  const std::string text = reference();
  RequestMetrics().define();
  SourceMetrics().define("SOURCE");
  for (const auto& [name, value] : host.metrics) {
    std::string shown = name.substr(std::strlen("header_augmenting."));
    if (shown.starts_with("SOURCE")) shown.replace(0, 6, "<source>");
    EXPECT_NE(text.find(code(shown)), std::string::npos) << shown;
  }
}

// The README's comparison names the tests that show it.
TEST(Readme, NamesTestsThatThereAre) {
  namespace fs = std::filesystem;
  std::string tests;
  for (const char* folder : {"/filters/header_augmenting", "/filters/module_tests", "/tests"}) {
    for (const auto& entry : fs::directory_iterator(INLAY_SOURCE_DIR + std::string(folder))) {
      if (entry.is_regular_file() && entry.path().filename().string().find("test") != std::string::npos)
        tests += text_of_file(entry.path());
    }
  }
  const std::string readme = text_of_file(INLAY_SOURCE_DIR "/filters/header_augmenting/README.md");
  const std::regex name("`([A-Z][A-Za-z]+)\\.([A-Za-z0-9_]+)`");
  size_t named = 0;
  for (std::sregex_iterator at(readme.begin(), readme.end(), name), end; at != end; ++at, ++named) {
    const std::string suite = (*at)[1];
    const std::string test = (*at)[2];
    EXPECT_NE(tests.find(suite), std::string::npos) << suite;
    // A row of the fault matrix has its name in the table.
    const std::string row = test.starts_with("test_") ? "Row(\"" + test.substr(5) + "\"" : "";
    EXPECT_TRUE(tests.find(test) != std::string::npos || tests.find(row) != std::string::npos) << test;
  }
  EXPECT_GE(named, 20u);
}

}  // namespace
}  // namespace inlay::header_augmenting
