// SPDX-License-Identifier: Apache-2.0
#include "tester/textpb/inputs.h"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "base/ascii.h"
#include "base/read_file.h"

namespace inlay::tester::textpb {
namespace {

constexpr size_t kLargestFile = 64 << 20;  // bytes

std::string trimmed(std::string_view text) {
  const size_t begin = std::min(text.find_first_not_of(" \t"), text.size());
  const size_t end = text.find_last_not_of(" \t") + 1;
  return std::string(text.substr(begin, std::max(begin, end) - begin));
}

// The next line, without its end.
std::string_view next_line(std::string_view& text) {
  const size_t end = text.find('\n');
  std::string_view line = text.substr(0, end);
  text.remove_prefix(end == text.npos ? text.size() : end + 1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

Error wrong_line(std::string_view line, const char* right) {
  return {ErrorCode::kInvalidArgument, quote(line) + " is no " + right, ""};
}

// "GET /path HTTP/1.1", or with a whole URI, whose authority then counts.
Result<Fields> request_line(std::string_view line) {
  const size_t first = line.find(' ');
  const size_t last = line.rfind(' ');
  if (first == line.npos || first == last || !line.substr(last + 1).starts_with("HTTP/1.")) {
    return wrong_line(line, "request line; `GET /path HTTP/1.1` is one");
  }
  Fields fields = {{":method", std::string(line.substr(0, first))}};
  std::string_view target = line.substr(first + 1, last - first - 1);
  const size_t scheme = target.find("://");
  if (scheme != target.npos && !target.starts_with('/')) {
    fields.emplace_back(":scheme", target.substr(0, scheme));
    target.remove_prefix(scheme + 3);
    const size_t path = std::min(target.find_first_of("/?"), target.size());
    fields.emplace_back(":path", path < target.size() && target[path] == '/' ? std::string(target.substr(path))
                                                                             : "/" + std::string(target.substr(path)));
    fields.emplace_back(":authority", target.substr(0, path));
  } else if (target.starts_with('/')) {
    fields.emplace_back(":path", target);
  } else {
    return wrong_line(line, "request line; its target begins with `/`, or is a whole URI");
  }
  return fields;
}

Result<Fields> first_line(std::string_view line, bool request) {
  if (request) return request_line(line);
  if (!line.starts_with("HTTP/1.") || line.size() < 12 || line[8] != ' ') {
    return wrong_line(line, "status line; `HTTP/1.1 200 OK` is one");
  }
  return Fields{{":status", std::string(line.substr(9, 3))}};
}

}  // namespace

Result<Fields> parse_headers(std::string_view text, bool request) {
  INLAY_TRY(Fields fields, first_line(next_line(text), request));
  const bool has_authority = fields.back().first == ":authority";
  while (!text.empty()) {
    const std::string_view line = next_line(text);
    if (line.empty()) break;
    const size_t colon = line.find(':');
    if (colon == line.npos || colon == 0) return wrong_line(line, "header; `name: value` is one");
    std::string name = lower(line.substr(0, colon));
    const std::string value = trimmed(line.substr(colon + 1));
    if (request && name == "host") {
      if (!has_authority) fields.emplace_back(":authority", value);
      continue;
    }
    fields.emplace_back(std::move(name), value);
  }
  return fields;
}

std::vector<std::string> in_chunks(const std::string& body, const PhaseTest& test) {
  std::vector<std::string> chunks;
  if (test.num_chunks) {
    const size_t count = std::min(static_cast<size_t>(*test.num_chunks), std::max<size_t>(body.size(), 1));
    const size_t size = body.size() / count;
    for (size_t i = 0; i + 1 < count; ++i) chunks.push_back(body.substr(i * size, size));
    chunks.push_back(body.substr((count - 1) * size));
  } else if (test.chunk_size && !body.empty()) {
    const auto size = static_cast<size_t>(*test.chunk_size);
    for (size_t at = 0; at < body.size(); at += size) chunks.push_back(body.substr(at, size));
  } else {
    chunks.push_back(body);
  }
  return chunks;
}

Result<std::string> read_beside(const TestSuite& suite, const std::string& path) {
  return read_file((std::filesystem::path(suite.path).parent_path() / path).string(), kLargestFile);
}

Result<Fields> input_headers(const TestSuite& suite, const Input& input, bool request) {
  if (input.file.empty() && input.content.empty()) return input.headers;
  if (input.file.empty()) return parse_headers(input.content, request);
  INLAY_TRY(const std::string text, read_beside(suite, input.file));
  return parse_headers(text, request);
}

Result<std::string> input_body(const TestSuite& suite, const Input& input) {
  if (input.file.empty()) return input.content;
  return read_beside(suite, input.file);
}

}  // namespace inlay::tester::textpb
