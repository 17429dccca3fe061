// SPDX-License-Identifier: Apache-2.0
#include "tester/textpb/suite_file.h"

#include <re2/re2.h>

#include <algorithm>
#include <filesystem>
#include <limits>
#include <map>
#include <utility>

#include "tester/textpb/schema.h"
#include "tester/textpb/text_format.h"
#include "tester/textpb/yaml_format.h"

namespace inlay::tester::textpb {
namespace {

const TextField* find(const TextMessage& message, std::string_view name) {
  for (const TextField& field : message.fields) {
    if (field.name == name) return &field;
  }
  return nullptr;
}

std::string text_of(const TextMessage& message, std::string_view name) {
  const TextField* const field = find(message, name);
  return field == nullptr ? "" : field->text;
}

std::optional<uint64_t> number_of(const TextMessage& message, std::string_view name) {
  const TextField* const field = find(message, name);
  uint64_t number = 0;
  if (field == nullptr || !read_integer(field->text, 0, std::numeric_limits<uint64_t>::max(), number)) return {};
  return number;
}

bool flag_of(const TextMessage& message, std::string_view name) {
  bool value = false;
  return read_bool(text_of(message, name), value) && value;
}

// Reads what the schema has found right, and adds the mistakes that it cannot know.
class SuiteReader {
 public:
  explicit SuiteReader(std::string path) { suite_.path = std::move(path); }

  TestSuite read(const TextMessage& message) {
    if (const TextField* const env = find(message, "env")) read_env(env->message);
    bool benchmarks = false;
    for (const TextField& field : message.fields) {
      if (field.name != "test") continue;
      suite_.tests.push_back(test(field));
      benchmarks |= suite_.tests.back().benchmark;
    }
    if (suite_.tests.empty()) add(1, "it has no test; `test { name: \"...\" }` is one");
    if (benchmarks) suite_.passed_over.push_back("benchmarks are not run; what their tests expect is checked");
    return std::move(suite_);
  }
  std::vector<Error> take_mistakes() { return std::move(mistakes_); }

 private:
  void add(size_t line, std::string what) {
    mistakes_.push_back({ErrorCode::kInvalidArgument, std::move(what), suite_.path + ":" + std::to_string(line)});
  }

  void read_env(const TextMessage& env) {
    suite_.wasm_path = text_of(env, "wasm_path");
    suite_.config_path = text_of(env, "config_path");
    suite_.time_secs = number_of(env, "time_secs").value_or(0);
    if (const int level = read_log_level(text_of(env, "log_level")); level > 0) {
      suite_.log_level = static_cast<abi::LogLevel>(level - 1);
    }
    if (find(env, "log_path") != nullptr) {
      suite_.passed_over.push_back("`log_path` is not written to; a test that fails shows its log");
    }
    if (find(env, "num_additional_streams") != nullptr || find(env, "additional_stream_advance_rate") != nullptr) {
      suite_.passed_over.push_back("additional streams are for benchmarks, which are not run");
    }
  }

  PhaseTest test(const TextField& field) {
    const TextMessage& from = field.message;
    PhaseTest test;
    test.line = field.line;
    test.name = text_of(from, "name");
    if (test.name.empty()) add(field.line, "a test has a name: `name: \"...\"`");
    // Google's samples have two tests of one name (samples/redirect).
    if (const size_t before = names_[test.name]++; before > 0) test.name += " #" + std::to_string(before + 1);
    test.benchmark = flag_of(from, "benchmark");
    test.num_chunks = number_of(from, "num_chunks");
    test.chunk_size = number_of(from, "chunk_size");
    for (const TextField& part : from.fields) {
      if (part.name == "properties")
        test.properties.emplace_back(text_of(part.message, "path"), text_of(part.message, "value"));
      if (part.name == "request_headers") test.request_headers = invocation(part);
      if (part.name == "response_headers") test.response_headers = invocation(part);
      if (part.name == "request_body") test.request_body.push_back(invocation(part));
      if (part.name == "response_body") test.response_body.push_back(invocation(part));
      if (part.name == "plugin_init") test.plugin_init = expectation(part);
      if (part.name == "stream_init") test.stream_init = expectation(part);
      if (part.name == "stream_destroy") test.stream_destroy = expectation(part);
    }
    check_chunks(test);
    return test;
  }

  void check_chunks(const PhaseTest& test) {
    if (!test.num_chunks && !test.chunk_size) return;
    for (const auto* bodies : {&test.request_body, &test.response_body}) {
      if (bodies->size() < 2) continue;
      add(bodies->at(1).line,
          "a test that cuts bodies in pieces has one `request_body` and one `response_body`, each the whole body");
    }
  }

  Invocation invocation(const TextField& field) {
    Invocation made;
    made.line = made.result.line = field.line;
    if (const TextField* const input = find(field.message, "input")) made.input = read_input(*input);
    if (const TextField* const result = find(field.message, "result")) made.result = expectation(*result);
    return made;
  }

  Input read_input(const TextField& field) {
    Input input;
    input.content = text_of(field.message, "content");
    input.file = text_of(field.message, "file");
    for (const ExpectedHeader& header : headers(field, "header")) input.headers.emplace_back(header.name, header.value);
    const int given = (input.headers.empty() ? 0 : 1) + (input.content.empty() ? 0 : 1) + (input.file.empty() ? 0 : 1);
    if (given > 1) add(field.line, "an input has one of `header`, `content` and `file`");
    return input;
  }

  std::vector<ExpectedHeader> headers(const TextField& field, std::string_view name) {
    std::vector<ExpectedHeader> list;
    for (const TextField& part : field.message.fields) {
      if (part.name != name) continue;
      list.push_back({text_of(part.message, "key"), text_of(part.message, "value"), part.line});
      if (list.back().name.empty()) add(part.line, "`" + part.name + "` has a name: `key: \"...\"`");
    }
    return list;
  }

  std::vector<StringMatcher> matchers(const TextField& field, std::string_view name) {
    std::vector<StringMatcher> list;
    for (const TextField& part : field.message.fields) {
      if (part.name == name) list.push_back(matcher(part));
    }
    return list;
  }

  StringMatcher matcher(const TextField& field) {
    StringMatcher made;
    made.line = field.line;
    made.invert = flag_of(field.message, "invert");
    const TextField* found = nullptr;
    using Kind = StringMatcher::Kind;
    for (const auto& [name, kind] :
         {std::pair("exact", Kind::kExact), std::pair("regex", Kind::kRegex), std::pair("file", Kind::kFile)}) {
      const TextField* const set = find(field.message, name);
      if (set == nullptr) continue;
      found = set;
      made.kind = kind;
      made.text = set->text;
    }
    if (found == nullptr) add(field.line, "`" + field.name + "` has one of `exact`, `regex` and `file`");
    if (made.kind != Kind::kRegex) return made;
    const re2::RE2 regex(made.text, re2::RE2::Quiet);
    if (!regex.ok()) add(found->line, "the regular expression is none: " + regex.error());
    return made;
  }

  Expectation expectation(const TextField& field) {
    Expectation made;
    made.line = field.line;
    made.has_header = headers(field, "has_header");
    made.no_header = headers(field, "no_header");
    made.headers = matchers(field, "headers");
    made.body = matchers(field, "body");
    made.log = matchers(field, "log");
    const TextField* const immediate = find(field.message, "immediate");
    if (immediate == nullptr) return made;
    made.immediate.emplace();
    const auto small = [&](const char* name) -> std::optional<uint32_t> {
      const auto number = number_of(immediate->message, name);
      return number ? std::optional(static_cast<uint32_t>(*number)) : std::nullopt;
    };
    made.immediate->http_status = small("http_status");
    made.immediate->grpc_status = small("grpc_status");
    if (const TextField* const details = find(immediate->message, "details")) made.immediate->details = details->text;
    return made;
  }

  TestSuite suite_;
  std::map<std::string, size_t> names_;  // how often each is there
  std::vector<Error> mistakes_;
};

bool is_yaml(std::string_view path) {
  return path.ends_with(".yaml") || path.ends_with(".yml") || path.ends_with(".json");
}

Error joined(const std::vector<Error>& mistakes) {
  Error all = mistakes[0];
  for (size_t i = 1; i < mistakes.size(); ++i) all.message += "\n" + mistakes[i].where + ": " + mistakes[i].message;
  return all;
}

}  // namespace

bool is_suite_file(std::string_view path) {
  static constexpr std::string_view kEndings[] = {".textpb", ".txtpb", ".textproto", ".pbtxt"};
  return is_yaml(path) ||
         std::any_of(std::begin(kEndings), std::end(kEndings), [&](auto ending) { return path.ends_with(ending); });
}

Result<TestSuite> read_suite(std::string_view text, const std::string& path) {
  INLAY_TRY(const TextMessage message,
            is_yaml(path) ? read_yaml_format(text, path, suite_schema()) : read_text_format(text, path));
  if (const auto mistakes = check(message, suite_schema(), path); !mistakes.empty()) return joined(mistakes);
  SuiteReader reader(path);
  TestSuite suite = reader.read(message);
  if (const auto mistakes = reader.take_mistakes(); !mistakes.empty()) return joined(mistakes);
  return suite;
}

}  // namespace inlay::tester::textpb
