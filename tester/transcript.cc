// SPDX-License-Identifier: Apache-2.0
#include "tester/transcript.h"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <utility>

namespace inlay::tester {

void Transcript::begin_step(std::string title) {
  steps_.push_back({std::move(title), {}, {}});
}

void Transcript::guest(std::string line, int thread) {
  steps_.back().guests[thread].push_back(std::move(line));
}

void Transcript::guest(LogEntry entry, int thread) {
  if (entry.shown.empty()) return;
  guest(entry.shown, thread);
  entry.step = step();
  log_.push_back(std::move(entry));
}

void Transcript::line(const std::string& actor, std::string text) {
  events(actor).push_back({Event::Kind::kLine, std::move(text)});
}

void Transcript::head(const std::string& actor, std::string text, Message message) {
  events(actor).push_back({Event::Kind::kHead, std::move(text)});
  message.step = step();
  messages_[actor].push_back(std::move(message));
}

Message* Transcript::last_message(const std::string& actor) {
  auto& all = messages_[actor];
  if (all.empty() || all.back().complete) return nullptr;
  all.back().step = step();
  return &all.back();
}

void Transcript::append(Event::Kind kind, const std::string& actor, std::string_view bytes) {
  if (bytes.empty()) return;
  auto& all = events(actor);
  if (all.empty() || all.back().kind != kind || all.back().end) all.push_back({kind, ""});
  all.back().text += bytes;
}

void Transcript::body(const std::string& actor, std::string_view bytes) {
  append(Event::Kind::kBody, actor, bytes);
  if (bytes.empty()) return;
  if (Message* const message = last_message(actor)) message->body += bytes;
}

void Transcript::trailers(const std::string& actor, std::string text, Fields trailers) {
  events(actor).push_back({Event::Kind::kLine, std::move(text), false, true});
  if (Message* const message = last_message(actor)) message->trailers = std::move(trailers);
}

void Transcript::bytes(const std::string& actor, std::string_view bytes) {
  append(Event::Kind::kBytes, actor, bytes);
  if (bytes.empty()) return;
  Message* message = last_message(actor);
  if (message == nullptr) {
    messages_[actor].push_back({.bytes = true, .step = step()});
    message = &messages_[actor].back();
  }
  message->body += bytes;
}

void Transcript::end(const std::string& actor) {
  if (Message* const message = last_message(actor)) message->complete = true;
  auto& all = events(actor);
  if (all.empty() || all.back().end) return all.push_back({Event::Kind::kLine, "end", true, true});
  all.back().end = true;
}

std::string Transcript::render(const StepSeen& step) const {
  std::string text = "== " + step.title + "\n";
  for (const auto& [thread, lines] : step.guests) {
    for (const std::string& line : lines) text += line + "\n";
  }
  const auto show = [&](const std::string& actor, const std::vector<Event>& events) {
    for (const Event& event : events) {
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
  };
  for (const auto& [actor, events] : step.others) {
    if (std::count(actors_.begin(), actors_.end(), actor) == 0) show(actor, events);
  }
  for (const std::string& actor : actors_) {
    if (const auto seen = step.others.find(actor); seen != step.others.end()) show(actor, seen->second);
  }
  return text;
}

std::string Transcript::text() const {
  std::string text;
  for (const StepSeen& step : steps_) text += render(step);
  return text;
}

std::string Transcript::text_from(size_t step) const {
  std::string text;
  for (size_t i = step; i < steps_.size(); ++i) text += render(steps_[i]);
  return text;
}

std::vector<Message> Transcript::messages(const std::string& actor, size_t from) const {
  const auto all = messages_.find(actor);
  std::vector<Message> found;
  if (all == messages_.end()) return found;
  std::copy_if(all->second.begin(), all->second.end(), std::back_inserter(found),
               [from](const Message& message) { return message.step >= from; });
  return found;
}

std::vector<std::string> Transcript::lines(const std::string& actor, size_t from) const {
  std::vector<std::string> found;
  for (size_t i = from; i < steps_.size(); ++i) {
    const auto seen = steps_[i].others.find(actor);
    if (seen == steps_[i].others.end()) continue;
    for (const Event& event : seen->second) {
      if (event.kind == Event::Kind::kLine && !event.of_message) found.push_back(event.text);
    }
  }
  return found;
}

std::vector<LogEntry> Transcript::log(size_t from) const {
  std::vector<LogEntry> found;
  std::copy_if(log_.begin(), log_.end(), std::back_inserter(found),
               [from](const LogEntry& entry) { return entry.step >= from; });
  return found;
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

constexpr size_t kMostCompared = 25'000'000;  // pairs of lines

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

// By the longest common subsequence; what is too long for that is shown as a whole.
std::string difference(std::string_view expected, std::string_view seen) {
  const auto a = lines_of(expected);
  const auto b = lines_of(seen);
  const bool short_enough = (a.size() + 1) * (b.size() + 1) <= kMostCompared;
  std::vector<std::vector<uint32_t>> common;
  if (short_enough) common.assign(a.size() + 1, std::vector<uint32_t>(b.size() + 1));
  for (size_t i = short_enough ? a.size() : 0; i-- > 0;) {
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
    } else if (i < a.size() && (j == b.size() || !short_enough || common[i + 1][j] >= common[i][j + 1])) {
      text.append("- ").append(a[i++]).append("\n");
    } else {
      text.append("+ ").append(b[j++]).append("\n");
    }
  }
  return text;
}

std::string near_changes(std::string_view difference, size_t around) {
  const auto lines = lines_of(difference);
  std::vector<bool> shown(lines.size());
  for (size_t i = 0; i < lines.size(); ++i) {
    if (lines[i].starts_with("  ")) continue;
    const size_t end = std::min(lines.size(), i + around + 1);
    for (size_t k = i - std::min(i, around); k < end; ++k) shown[k] = true;
  }
  std::string text;
  for (size_t i = 0; i < lines.size(); ++i) {
    if (shown[i]) text.append(lines[i]).append("\n");
    if (!shown[i] && (i == 0 || shown[i - 1])) text += "  ...\n";
  }
  return text;
}

}  // namespace inlay::tester
