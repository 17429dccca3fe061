// SPDX-License-Identifier: Apache-2.0
#include "tester/textpb/schema.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <limits>
#include <map>
#include <set>

#include "base/printable.h"
#include "config/field_table.h"

namespace inlay::tester::textpb {
namespace {

using Kind = TextField::Kind;

constexpr bool kRepeated = true;

constexpr FieldRow kMatcher[] = {{"invert", Type::kBool},
                                 {"exact", Type::kBytes, false, {}, 1},
                                 {"regex", Type::kString, false, {}, 1},
                                 {"file", Type::kString, false, {}, 1}};
constexpr FieldRow kHeader[] = {{"key"}, {"value", Type::kBytes}};
constexpr FieldRow kInput[] = {
    {"header", Type::kMessage, kRepeated, kHeader}, {"content", Type::kBytes}, {"file", Type::kString}};
constexpr FieldRow kImmediate[] = {
    {"http_status", Type::kUnsigned32}, {"grpc_status", Type::kUnsigned32}, {"details", Type::kString}};
constexpr FieldRow kExpectation[] = {
    {"has_header", Type::kMessage, kRepeated, kHeader}, {"no_header", Type::kMessage, kRepeated, kHeader},
    {"headers", Type::kMessage, kRepeated, kMatcher},   {"body", Type::kMessage, kRepeated, kMatcher},
    {"immediate", Type::kMessage, false, kImmediate},   {"log", Type::kMessage, kRepeated, kMatcher}};
constexpr FieldRow kInvocation[] = {{"input", Type::kMessage, false, kInput},
                                    {"result", Type::kMessage, false, kExpectation}};
constexpr FieldRow kProperty[] = {{"path"}, {"value", Type::kBytes}};
constexpr FieldRow kTest[] = {{"name"},
                              {"benchmark", Type::kBool},
                              {"num_chunks", Type::kSigned, false, {}, 1},
                              {"chunk_size", Type::kSigned, false, {}, 1},
                              {"properties", Type::kMessage, kRepeated, kProperty},
                              {"request_headers", Type::kMessage, false, kInvocation},
                              {"request_body", Type::kMessage, kRepeated, kInvocation},
                              {"response_headers", Type::kMessage, false, kInvocation},
                              {"response_body", Type::kMessage, kRepeated, kInvocation},
                              {"plugin_init", Type::kMessage, false, kExpectation},
                              {"stream_init", Type::kMessage, false, kExpectation},
                              {"stream_destroy", Type::kMessage, false, kExpectation}};
constexpr FieldRow kEnv[] = {{"test_path"},
                             {"wasm_path"},
                             {"config_path"},
                             {"log_level", Type::kLogLevel},
                             {"log_path"},
                             {"time_secs", Type::kSeconds},
                             {"num_additional_streams", Type::kUnsigned64},
                             {"additional_stream_advance_rate", Type::kUnsigned64}};
constexpr FieldRow kSuite[] = {{"env", Type::kMessage, false, kEnv}, {"test", Type::kMessage, kRepeated, kTest}};

constexpr std::array<std::string_view, 7> kLogLevels = {"UNDEFINED", "TRACE", "DEBUG",   "INFO",
                                                        "WARN",      "ERROR", "CRITICAL"};

constexpr uint64_t kLatestSecond = 9'000'000'000;  // whose nanoseconds are an int64_t

// What would be right; empty where the value is.
std::string wanted(const TextField& field, Type type) {
  uint64_t number = 0;
  bool flag = false;
  constexpr uint64_t kMost = std::numeric_limits<uint64_t>::max();
  switch (type) {
    case Type::kString:
    case Type::kBytes:
      return field.kind == Kind::kString ? "" : "a string in quotation marks";
    case Type::kBool:
      return field.kind != Kind::kString && read_bool(field.text, flag) ? "" : "true or false";
    case Type::kSigned:
      return field.kind == Kind::kNumber && read_integer(field.text, 1, 1u << 31, number) && number > 0
                 ? ""
                 : "a number of at least 1";
    case Type::kUnsigned32:
    case Type::kUnsigned64: {
      const uint64_t most = type == Type::kUnsigned32 ? std::numeric_limits<uint32_t>::max() : kMost;
      return field.kind == Kind::kNumber && read_integer(field.text, 0, most, number) ? "" : "a number, not below 0";
    }
    case Type::kSeconds:
      return field.kind == Kind::kNumber && read_integer(field.text, 0, kLatestSecond, number)
                 ? ""
                 : "a number of seconds from 0 to " + std::to_string(kLatestSecond);
    case Type::kLogLevel:
      return field.kind != Kind::kString && read_log_level(field.text) >= 0
                 ? ""
                 : "TRACE, DEBUG, INFO, WARN, ERROR or CRITICAL";
    case Type::kMessage:
      return field.kind == Kind::kMessage ? "" : "a message in braces";
  }
  return "";
}

std::string unknown(const TextField& field, std::span<const FieldRow> schema) {
  std::vector<std::string_view> names;
  std::string all;
  for (const FieldRow& row : schema) {
    names.push_back(row.name);
    all.append(all.empty() ? "" : ", ").append(row.name);
  }
  const std::string near = config::nearest(field.name, names);
  return "`" + field.name + "` is no field here; " +
         (near.empty() ? "there are: " + all : "did you mean `" + near + "`?");
}

class Checker {
 public:
  explicit Checker(const std::string& path) : path_(path) {}

  void message(const TextMessage& message, std::span<const FieldRow> schema) {
    std::map<std::string_view, size_t> seen;
    std::map<int, std::string_view> chosen;
    for (const TextField& field : message.fields) {
      const auto row = std::find_if(schema.begin(), schema.end(), [&](const auto& r) { return r.name == field.name; });
      if (row == schema.end()) {
        add(field, unknown(field, schema));
        continue;
      }
      if (const size_t before = std::exchange(seen[row->name], field.line); before != 0 && !row->repeated) {
        add(field, "`" + field.name + "` may stand here once, and is on line " + std::to_string(before) + " already");
      }
      if (row->choice != 0) choose(field, *row, chosen);
      if (const std::string right = wanted(field, row->type); !right.empty()) {
        add(field, "`" + field.name + "` is " + right +
                       (field.kind == Kind::kMessage ? "" : ", not `" + one_line(field.text) + "`"));
      } else if (row->type == Type::kMessage) {
        this->message(field.message, row->message);
      }
    }
  }
  std::vector<Error> take() { return std::move(mistakes_); }

 private:
  void add(const TextField& field, std::string what) {
    mistakes_.push_back({ErrorCode::kInvalidArgument, std::move(what), path_ + ":" + std::to_string(field.line)});
  }
  void choose(const TextField& field, const FieldRow& row, std::map<int, std::string_view>& chosen) {
    const auto [other, first] = chosen.emplace(row.choice, row.name);
    if (first || other->second == row.name) return;
    add(field, "`" + field.name + "` and `" + std::string(other->second) + "` are both set; one of them can be");
  }

  const std::string& path_;
  std::vector<Error> mistakes_;
};

}  // namespace

std::span<const FieldRow> suite_schema() {
  return kSuite;
}

std::vector<Error> check(const TextMessage& message, std::span<const FieldRow> schema, const std::string& path) {
  Checker checker(path);
  checker.message(message, schema);
  return checker.take();
}

bool read_integer(const std::string& text, int64_t least, uint64_t most, uint64_t& number) {
  if (text.empty() || text[0] < '0' || text[0] > '9') return false;  // strtoull takes signs and blanks
  char* end = nullptr;
  errno = 0;
  number = std::strtoull(text.c_str(), &end, 0);
  return errno == 0 && *end == '\0' && number <= most && number >= static_cast<uint64_t>(std::max<int64_t>(least, 0));
}

bool read_bool(const std::string& text, bool& value) {
  value = text == "true" || text == "True" || text == "t" || text == "1";
  return value || text == "false" || text == "False" || text == "f" || text == "0";
}

int read_log_level(const std::string& text) {
  const auto found = std::find(kLogLevels.begin(), kLogLevels.end(), text);
  if (found != kLogLevels.end()) return static_cast<int>(found - kLogLevels.begin());
  uint64_t number = 0;
  return read_integer(text, 0, kLogLevels.size() - 1, number) ? static_cast<int>(number) : -1;
}

}  // namespace inlay::tester::textpb
