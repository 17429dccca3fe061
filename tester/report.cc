// SPDX-License-Identifier: Apache-2.0
#include "tester/report.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <map>
#include <string_view>

#include "base/printable.h"

namespace inlay::tester {
namespace {

using Kind = TestResult::Kind;

constexpr std::string_view kRed = "\x1b[31m";
constexpr std::string_view kGreen = "\x1b[32m";
constexpr std::string_view kBold = "\x1b[1m";
constexpr std::string_view kPlain = "\x1b[0m";

std::string painted(std::string_view text, std::string_view with, bool colour) {
  if (!colour) return std::string(text);
  return std::string(with).append(text).append(kPlain);
}

template <class F>
void for_each_line(std::string_view text, F f) {
  while (!text.empty()) {
    const size_t end = text.find('\n');
    f(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
}

// With the lines of a difference in their colours.
std::string indented(std::string_view text, std::string_view by, bool colour) {
  std::string out;
  for_each_line(text, [&](std::string_view line) {
    const std::string shown = one_line(line);
    const bool removed = line.starts_with("- ");
    out.append(by).append(removed || line.starts_with("+ ") ? painted(shown, removed ? kRed : kGreen, colour) : shown);
    out += '\n';
  });
  return out;
}

// The beginning and the end of what is long.
std::string shortened(std::string_view text) {
  constexpr size_t kBothEnds = 25;
  const auto lines = static_cast<size_t>(std::count(text.begin(), text.end(), '\n'));
  if (lines <= 2 * kBothEnds) return std::string(text);
  std::string out;
  size_t at = 0;
  for_each_line(text, [&](std::string_view line) {
    if (at == kBothEnds) out += "... (" + std::to_string(lines - 2 * kBothEnds) + " more lines)\n";
    if (at < kBothEnds || at >= lines - kBothEnds) out.append(line).append("\n");
    ++at;
  });
  return out;
}

std::string text_of(const Problem& problem, bool colour) {
  std::string text;
  bool first = true;
  for_each_line(problem.what, [&](std::string_view line) {
    text += first ? "  " : "    ";
    if (std::exchange(first, false) && !problem.place.empty()) text += problem.place + ": ";
    text += one_line(line) + "\n";
  });
  if (!problem.seen.empty()) text += indented(shortened(problem.seen), "      ", colour);
  return text;
}

std::string seconds(std::chrono::nanoseconds took, const char* format) {
  std::array<char, 32> text;
  std::snprintf(text.data(), text.size(), format, std::chrono::duration<double>(took).count());
  return text.data();
}

std::string milliseconds(std::chrono::nanoseconds took) {
  std::array<char, 32> text;
  std::snprintf(text.data(), text.size(), "%.3f ms", std::chrono::duration<double, std::milli>(took).count());
  return text.data();
}

// As XML: what it has no way to write becomes a question mark.
std::string xml(std::string_view text) {
  std::string out;
  for (const char c : valid_utf8(text)) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\n':
        out += "&#10;";
        break;
      case '\t':
        out += "&#9;";
        break;
      default:
        out += static_cast<unsigned char>(c) < 0x20 ? '?' : c;
    }
  }
  return out;
}

// How often guests were called, where that was counted.
std::string properties(const TestResult& result) {
  if (!result.calls) return "";
  const CallCounts& calls = *result.calls;
  std::string text = "      <properties>\n";
  const auto add = [&](const char* name, const std::string& value) {
    text += "        <property name=\"" + std::string(name) + "\" value=\"" + value + "\"/>\n";
  };
  add("guest_calls", std::to_string(calls.of_guests));
  add("guest_seconds", seconds(calls.in_guests, "%.9f"));
  add("host_calls", std::to_string(calls.of_host));
  add("host_seconds", seconds(calls.in_host, "%.9f"));
  return text + "      </properties>\n";
}

std::string all_problems(const TestResult& result) {
  std::string text;
  for (const Problem& problem : result.problems) text += text_of(problem, false);
  return text;
}

size_t count(const std::vector<TestResult>& results, Kind kind) {
  size_t n = 0;
  for (const TestResult& result : results) n += result.kind == kind ? 1 : 0;
  return n;
}

}  // namespace

std::string describe(const TestResult& result, bool colour) {
  if (result.kind == Kind::kPassed) return result.written ? result.path + ": a new snapshot; read it\n" : "";
  if (result.kind == Kind::kSkipped) return "";
  std::string text = painted(result.kind == Kind::kWrong ? "WRONG" : "FAILED", kRed, colour) + " " +
                     painted(result.name, kBold, colour) + (result.about.empty() ? "" : ": " + one_line(result.about));
  text += "\n";
  for (const Problem& problem : result.problems) text += text_of(problem, colour);
  return text;
}

std::string calls_of(const TestResult& result) {
  if (!result.calls) return "";
  const CallCounts& calls = *result.calls;
  return result.name + ": " + std::to_string(calls.of_guests) + " guest calls, " + milliseconds(calls.in_guests) +
         "; " + std::to_string(calls.of_host) + " host calls, " + milliseconds(calls.in_host) + "\n";
}

std::string summary(const std::vector<TestResult>& results, std::chrono::nanoseconds took, bool colour) {
  std::string text;
  for (const TestResult& result : results) {
    if (result.kind == Kind::kSkipped) text += "skipped " + result.name + ": " + one_line(result.why_skipped) + "\n";
  }
  const size_t failed = count(results, Kind::kFailed);
  const size_t wrong = count(results, Kind::kWrong);
  const size_t skipped = count(results, Kind::kSkipped);
  std::string line = std::to_string(count(results, Kind::kPassed)) + " passed, " + std::to_string(failed) + " failed";
  if (skipped > 0) line += ", " + std::to_string(skipped) + " skipped";
  if (wrong > 0) line += ", " + std::to_string(wrong) + (wrong == 1 ? " file wrong" : " files wrong");
  const bool well = failed == 0 && wrong == 0;
  return text + painted(line, well ? kGreen : kRed, colour) + " in " + seconds(took, "%.2f s") + "\n";
}

std::string junit(const std::vector<TestResult>& results) {
  std::map<std::string, std::vector<const TestResult*>> files;
  for (const TestResult& result : results) files[result.path].push_back(&result);
  std::string text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n";
  for (const auto& [path, members] : files) {
    size_t failures = 0;
    size_t errors = 0;
    size_t skipped = 0;
    std::string cases;
    for (const TestResult* result : members) {
      cases += "    <testcase classname=\"" + xml(path) + "\" name=\"" + xml(result->name) + "\" time=\"" +
               seconds(result->took, "%.6f") + "\"";
      if (result->kind == Kind::kPassed && !result->calls) {
        cases += "/>\n";
        continue;
      }
      cases += ">\n" + properties(*result);
      if (result->kind == Kind::kPassed) {
        cases += "    </testcase>\n";
        continue;
      }
      const std::string message = xml(result->problems.empty() ? result->why_skipped : result->problems[0].what);
      if (result->kind == Kind::kSkipped) {
        ++skipped;
        cases += "      <skipped message=\"" + message + "\"/>\n";
      } else {
        const bool wrong = result->kind == Kind::kWrong;
        ++(wrong ? errors : failures);
        const std::string element = wrong ? "error" : "failure";
        cases +=
            "      <" + element + " message=\"" + message + "\">" + xml(all_problems(*result)) + "</" + element + ">\n";
      }
      cases += "    </testcase>\n";
    }
    text += "  <testsuite name=\"" + xml(path) + "\" tests=\"" + std::to_string(members.size()) + "\" failures=\"" +
            std::to_string(failures) + "\" errors=\"" + std::to_string(errors) + "\" skipped=\"" +
            std::to_string(skipped) + "\">\n" + cases + "  </testsuite>\n";
  }
  return text + "</testsuites>\n";
}

std::string tap(const std::vector<TestResult>& results) {
  std::string text = "TAP version 14\n1.." + std::to_string(results.size()) + "\n";
  size_t number = 0;
  for (const TestResult& result : results) {
    const bool ok = result.kind == Kind::kPassed || result.kind == Kind::kSkipped;
    std::string name = one_line(result.name);
    for (size_t at = name.find('#'); at != std::string::npos; at = name.find('#', at + 2)) name.insert(at, 1, '\\');
    text += (ok ? "ok " : "not ok ") + std::to_string(++number) + " - " + name;
    if (result.kind == Kind::kSkipped) text += " # SKIP " + one_line(result.why_skipped);
    text += "\n";
    if (ok) continue;
    text += "  ---\n  message: |\n" + indented(all_problems(result), "    ", false) + "  ...\n";
  }
  return text;
}

}  // namespace inlay::tester
