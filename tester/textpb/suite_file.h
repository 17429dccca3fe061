// SPDX-License-Identifier: Apache-2.0
#pragma once

// Test files of Google's tester for proxy-wasm plugins (GoogleCloudPlatform/service-extensions,
// plugins/test/runner.proto at e9fcee7a35ea, message TestSuite), read as they are. Such a test calls the callbacks of
// one stream in a fixed order and says of each what must have come of it; there is no proxy around the plugin.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "abi/types.h"
#include "base/result.h"
#include "tester/words.h"

namespace inlay::tester::textpb {

// Of texts one of which must be so; or none, where `invert`.
struct StringMatcher {
  enum class Kind : uint8_t { kExact, kRegex, kFile };
  bool invert = false;
  Kind kind = Kind::kExact;
  std::string text;  // a whole text, a regular expression for a whole text, or the path of a file with a whole text
  size_t line = 0;
};

struct Input {
  Fields headers;       // unless `content` or `file` is there
  std::string content;  // headers as HTTP/1 writes them, or a body
  std::string file;     // the same in a file, whose path is looked up beside the test file
};

struct ExpectedHeader {
  std::string name;
  std::string value;
  size_t line = 0;
};

struct Immediate {
  std::optional<uint32_t> http_status;
  std::optional<uint32_t> grpc_status;
  std::optional<std::string> details;
};

struct Expectation {
  std::vector<ExpectedHeader> has_header;
  std::vector<ExpectedHeader> no_header;
  std::vector<StringMatcher> headers;  // each against "name: value"
  std::vector<StringMatcher> body;
  std::vector<StringMatcher> log;
  std::optional<Immediate> immediate;
  size_t line = 0;
};

struct Invocation {
  Input input;
  Expectation result;
  size_t line = 0;
};

struct PhaseTest {
  std::string name;
  size_t line = 0;
  bool benchmark = false;
  std::optional<int64_t> num_chunks;  // at most one of the two
  std::optional<int64_t> chunk_size;
  Fields properties;  // paths with '.' between their parts
  std::optional<Invocation> request_headers;
  std::vector<Invocation> request_body;
  std::optional<Invocation> response_headers;
  std::vector<Invocation> response_body;
  Expectation plugin_init;
  Expectation stream_init;
  Expectation stream_destroy;
};

struct TestSuite {
  std::string path;  // of the test file
  std::string wasm_path;
  std::string config_path;
  abi::LogLevel log_level = abi::LogLevel::kInfo;
  uint64_t time_secs = 0;  // since the Unix epoch
  std::vector<PhaseTest> tests;
  // What is in the file and not done here, each a sentence: benchmarks, a log file.
  std::vector<std::string> passed_over;
};

// Whether a file's name says that it is such a file: .textpb, .txtpb, .textproto, .pbtxt in the text format, .yaml,
// .yml and .json in YAML.
bool is_suite_file(std::string_view path);

// Errors: kInvalidArgument; in its message each mistake on a line of its own, after the first with its place before it
// ("x.textpb:3: ..."), and the first one's place as where.
Result<TestSuite> read_suite(std::string_view text, const std::string& path);

}  // namespace inlay::tester::textpb
