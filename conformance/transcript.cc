// SPDX-License-Identifier: Apache-2.0
#include "conformance/transcript.h"

#include <algorithm>
#include <utility>

namespace inlay::conformance {

void Transcript::begin_step(std::string title) {
  steps_.push_back({std::move(title), {}, {}});
}

void Transcript::guest(std::string line, int thread) {
  steps_.back().guests[thread].push_back(std::move(line));
}

void Transcript::line(const std::string& actor, std::string text) {
  events(actor).push_back({Event::Kind::kLine, std::move(text), false});
}

void Transcript::head(const std::string& actor, std::string text) {
  events(actor).push_back({Event::Kind::kHead, std::move(text), false});
}

void Transcript::append(Event::Kind kind, const std::string& actor, std::string_view bytes) {
  if (bytes.empty()) return;
  auto& all = events(actor);
  if (all.empty() || all.back().kind != kind || all.back().end) all.push_back({kind, "", false});
  all.back().text += bytes;
}

void Transcript::body(const std::string& actor, std::string_view bytes) {
  append(Event::Kind::kBody, actor, bytes);
}

void Transcript::bytes(const std::string& actor, std::string_view bytes) {
  append(Event::Kind::kBytes, actor, bytes);
}

void Transcript::end(const std::string& actor) {
  auto& all = events(actor);
  if (all.empty() || all.back().end) return all.push_back({Event::Kind::kLine, "end", true});
  all.back().end = true;
}

std::string Transcript::render(const StepSeen& step) const {
  std::string text = "== " + step.title + "\n";
  for (const auto& [thread, lines] : step.guests) {
    for (const std::string& line : lines) text += line + "\n";
  }
  for (const std::string& actor : actors_) {
    const auto seen = step.others.find(actor);
    if (seen == step.others.end()) continue;
    for (const Event& event : seen->second) {
      text += actor + " ";
      if (event.kind == Event::Kind::kBody) {
        text += "got body " + quote(event.text);
      } else if (event.kind == Event::Kind::kBytes) {
        text += "got " + quote(event.text);
      } else {
        text += event.text;
      }
      const bool says_end = event.end && event.text != "end";
      text += says_end ? " end\n" : "\n";
    }
  }
  return text;
}

std::string Transcript::text() const {
  std::string text;
  for (const StepSeen& step : steps_) text += render(step);
  return text;
}

std::vector<std::string> split_steps(std::string_view transcript) {
  std::vector<std::string> steps;
  while (!transcript.empty()) {
    const size_t end = transcript.find("\n== ");
    const size_t size = end == std::string_view::npos ? transcript.size() : end + 1;
    steps.emplace_back(transcript.substr(0, size));
    transcript.remove_prefix(size);
  }
  return steps;
}

namespace {

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const size_t end = text.find('\n');
    lines.push_back(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return lines;
}

}  // namespace

// By the longest common subsequence; transcripts are short.
std::string difference(std::string_view expected, std::string_view seen) {
  const auto a = lines_of(expected);
  const auto b = lines_of(seen);
  std::vector<std::vector<size_t>> common(a.size() + 1, std::vector<size_t>(b.size() + 1));
  for (size_t i = a.size(); i-- > 0;) {
    for (size_t j = b.size(); j-- > 0;) {
      common[i][j] = a[i] == b[j] ? common[i + 1][j + 1] + 1 : std::max(common[i + 1][j], common[i][j + 1]);
    }
  }
  std::string text;
  size_t i = 0;
  size_t j = 0;
  while (i < a.size() || j < b.size()) {
    if (i < a.size() && j < b.size() && a[i] == b[j]) {
      text.append("  ").append(a[i++]).append("\n");
      ++j;
    } else if (i < a.size() && (j == b.size() || common[i + 1][j] >= common[i][j + 1])) {
      text.append("- ").append(a[i++]).append("\n");
    } else {
      text.append("+ ").append(b[j++]).append("\n");
    }
  }
  return text;
}

}  // namespace inlay::conformance
