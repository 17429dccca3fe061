// SPDX-License-Identifier: Apache-2.0
#include "tester/expected.h"

#include <algorithm>
#include <fstream>
#include <sstream>
#include <utility>

namespace inlay::tester {
namespace {

constexpr std::string_view kSeparator = "#### expect\n";
constexpr std::string_view kHttp2Separator = "#### expect by http2\n";
constexpr std::string_view kEnvoySeparator = "#### expect in envoy ";
constexpr std::string_view kRow = "==== ";

// Where a line begins with that; npos when none does.
size_t find_line(std::string_view text, std::string_view beginning) {
  if (text.starts_with(beginning)) return 0;
  const size_t at = text.find("\n" + std::string(beginning));
  return at == std::string_view::npos ? at : at + 1;
}

// Up to the next line that begins so, which stays.
std::string_view take_until(std::string_view& text, std::string_view beginning) {
  const std::string_view part = text.substr(0, find_line(text, beginning));
  text.remove_prefix(part.size());
  return part;
}

std::string_view take_line(std::string_view& text) {
  const size_t end = text.find('\n');
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return line;
}

Result<Unit> take_rows(std::string_view text, std::vector<Case>& cases) {
  while (!text.empty()) {
    const std::string_view line = take_line(text);
    const std::string_view title = line.starts_with(kRow) ? line.substr(kRow.size()) : "";
    const auto found = std::find_if(cases.begin(), cases.end(), [&](const Case& c) { return c.row == title; });
    const std::string_view transcript = take_until(text, kRow);
    if (found != cases.end()) {
      found->expected = transcript;
      continue;
    }
    return Error{ErrorCode::kInvalidArgument,
                 "the snapshot has `" + std::string(line) +
                     "`, which is no row of the table; `--update` writes the snapshots anew",
                 cases[0].path};
  }
  return Unit{};
}

void take_in_envoy(std::string_view text, Case& c) {
  while (!text.empty()) {
    InEnvoy one;
    std::stringstream versions(std::string(take_line(text).substr(kEnvoySeparator.size())));
    for (std::string version; versions >> version;) one.versions.push_back(version);
    one.transcript = take_until(text, kEnvoySeparator);
    c.in_envoy.push_back(std::move(one));
  }
}

}  // namespace

std::string_view input_of(std::string_view text) {
  return text.substr(0, find_line(text, kSeparator));
}

Result<Unit> take_expectations(std::string_view text, std::vector<Case>& cases) {
  const size_t at = find_line(text, kSeparator);
  if (at == std::string_view::npos) return Unit{};
  text.remove_prefix(at + kSeparator.size());
  std::string_view own = take_until(text, kEnvoySeparator);
  if (!cases[0].row.empty()) return take_rows(own, cases);
  cases[0].expected = take_until(own, kHttp2Separator);
  if (!own.empty()) cases[0].expected_by_http2 = own.substr(kHttp2Separator.size());
  take_in_envoy(text, cases[0]);
  return Unit{};
}

Result<Unit> write_expectations(const std::vector<Case>& cases) {
  const Case& first = cases.front();
  std::ofstream file(first.path);
  file << first.input << kSeparator;
  for (const Case& c : cases) {
    if (!c.row.empty()) file << kRow << c.row << "\n";
    file << c.expected;
  }
  if (!first.expected_by_http2.empty()) file << kHttp2Separator << first.expected_by_http2;
  for (const InEnvoy& one : first.in_envoy) {
    std::string heading(kEnvoySeparator);
    for (const std::string& version : one.versions) heading += version + " ";
    heading.back() = '\n';
    file << heading << one.transcript;
  }
  if (!file.flush()) return Error{ErrorCode::kIo, "cannot be written", first.path};
  return Unit{};
}

Result<Unit> write_expectations(const Case& c) {
  return write_expectations(std::vector<Case>{c});
}

}  // namespace inlay::tester
