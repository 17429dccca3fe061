// SPDX-License-Identifier: Apache-2.0
#include "tester/contradiction.h"

#include <algorithm>

#include "base/ascii.h"
#include "tester/step.h"

namespace inlay::tester {
namespace {

using Of = Expectation::Of;

constexpr std::string_view kOwnMetrics = "wasmcustom.";
constexpr size_t kShown = 5;  // values of many

// Values that an expectation looks at, and the words for when there is none.
struct Values {
  std::vector<std::string> found;
  std::string none;
};

bool is_response(const Expectation& e) {
  return is_client(e.actor);
}

std::string subject(const Expectation& e) {
  return e.actor == "origin" ? "the upstream" : is_response(e) ? "the " + e.actor : "the cluster " + e.actor;
}

std::string listed(const std::vector<std::string>& values) {
  std::string text;
  for (size_t i = 0; i < values.size() && i < kShown; ++i) text += (i == 0 ? "" : ", ") + quote(values[i]);
  if (values.size() > kShown) text += " and " + std::to_string(values.size() - kShown) + " more";
  return text;
}

// A request's host is :authority to filters, and host on the wire.
std::string canonical(const std::string& name) {
  const std::string folded = lower(name);
  return folded == ":authority" ? "host" : folded;
}

void add_fields(const Fields& fields, const std::string& wanted, std::vector<std::string>& values) {
  for (const auto& [name, value] : fields) {
    if (canonical(name) == canonical(wanted)) values.push_back(value);
  }
}

std::vector<std::string> values_of(const Message& message, const Expectation& e) {
  std::vector<std::string> values;
  switch (e.of) {
    case Of::kStatus:
      return {message.status};
    case Of::kMethod:
      return {message.method};
    case Of::kPath:
      return {message.path};
    case Of::kBody:
      return {message.body};
    case Of::kHeader:
      add_fields(message.fields, e.name, values);
      return values;
    case Of::kTrailer:
      add_fields(message.trailers, e.name, values);
      return values;
    default:
      return {""};
  }
}

std::string what_of(const Expectation& e) {
  switch (e.of) {
    case Of::kHeader:
      return "header " + e.name;
    case Of::kTrailer:
      return "trailer " + e.name;
    case Of::kBody:
      return "body";
    case Of::kStatus:
      return "status";
    case Of::kMethod:
      return "method";
    default:
      return "path";
  }
}

// Of messages.
std::optional<std::string> of_messages(const Expectation& e, const Seen& seen) {
  const std::vector<Message> messages = seen.transcript.messages(e.actor, seen.from);
  const std::string got = subject(e) + " got ";
  const std::string kind = is_response(e) ? "response" : "request";
  if (e.of == Of::kMessage) {
    if (messages.empty() != e.no) return e.no ? got + std::to_string(messages.size()) : got + "no " + kind;
    return std::nullopt;
  }
  if (e.of == Of::kCount) {
    const std::string count = std::to_string(messages.size());
    return e.number.holds(count) ? std::nullopt : std::optional(got + count);
  }
  // Of nothing, nothing is said: not even that something is not so.
  if (messages.empty()) {
    return got + "no " + kind + (e.no ? " at all; `expect no ... " + kind + "` is for that" : "");
  }
  std::vector<std::string> values;
  for (const Message& message : messages) {
    for (std::string& value : values_of(message, e)) values.push_back(std::move(value));
  }
  const auto is_so = [&](const std::string& value) { return e.value.matches(value); };
  if (e.no) {
    const auto wrong = std::find_if(values.begin(), values.end(), is_so);
    if (wrong == values.end()) return std::nullopt;
    return "its " + what_of(e) + " is " + quote(*wrong);
  }
  if (std::any_of(values.begin(), values.end(), is_so)) return std::nullopt;
  if (values.empty()) return got + "no " + what_of(e);
  return "its " + what_of(e) + " is " + listed(values);
}

std::optional<std::string> of_lines(const Expectation& e, const std::vector<std::string>& lines,
                                    const std::string& where) {
  const auto found =
      std::find_if(lines.begin(), lines.end(), [&](const std::string& line) { return e.value.matches(line); });
  if (e.no) return found == lines.end() ? std::nullopt : std::optional(where + " has " + quote(*found));
  if (found != lines.end()) return std::nullopt;
  return lines.empty() ? where + " has no such line, nor any other" : where + " has " + listed(lines);
}

std::optional<std::string> of_log(const Expectation& e, const Seen& seen) {
  std::vector<std::string> lines;
  for (const LogEntry& entry : seen.transcript.log(seen.from)) {
    if (e.name.empty() || e.name == entry.level) lines.push_back(entry.text);
  }
  return of_lines(e, lines, e.name.empty() ? "the log" : "of level " + e.name + " the log");
}

std::optional<std::string> of_metric(const Expectation& e, const Seen& seen) {
  std::string value = seen.stat(e.name);
  if (value == "absent") value = seen.stat(std::string(kOwnMetrics) + e.name);
  if (e.number.holds(value)) return std::nullopt;
  return value == "absent" ? "there is no metric " + e.name : "it is " + value;
}

std::optional<std::string> of_connection(const Expectation& e, const Seen& seen) {
  const std::vector<std::string> lines = seen.transcript.lines(e.actor, seen.from);
  const bool closed = std::any_of(lines.begin(), lines.end(), [](const std::string& line) {
    return line == "got close" || line == "got end" || line == "got reset";
  });
  if (closed != e.no) return std::nullopt;
  return "its connection " + std::string(e.no ? "has ended" : "goes on");
}

std::optional<std::string> of_incidents(const Expectation& e, const Seen& seen) {
  std::vector<std::string> found;
  for (const Incident& incident : incidents(seen.transcript, seen.from)) {
    const bool is_trap = incident.kind == Incident::Kind::kTrap;
    if (is_trap != (e.of == Of::kTrap)) continue;
    if (e.name.empty() || e.name == incident.hazard) found.push_back(incident.line);
  }
  if (found.empty() == e.no) return std::nullopt;
  if (e.no) return "the log has: " + found.front();
  return e.of == Of::kTrap ? "every VM is well" : "there was no such hazard";
}

}  // namespace

std::vector<Incident> incidents(const Transcript& transcript, size_t from) {
  constexpr std::string_view kHazard = " (hazard ";
  std::vector<Incident> found;
  for (const LogEntry& entry : transcript.log(from)) {
    if (entry.who == "envoy") found.push_back({Incident::Kind::kEnvoyEnded, "", entry.text, ""});
    if (entry.who != "host") continue;
    const size_t at = entry.text.rfind(kHazard);
    if (entry.level == "warn" && at != std::string::npos && entry.text.ends_with(')')) {
      std::string name = entry.text.substr(at + kHazard.size());
      name.pop_back();
      found.push_back({Incident::Kind::kHazard, std::move(name), entry.text, ""});
    } else if (entry.level == "error" && entry.text.starts_with("the VM of plugin ") &&
               entry.text.find(" has failed: ") != std::string::npos) {
      found.push_back({Incident::Kind::kTrap, "", entry.text, entry.backtrace});
    }
  }
  return found;
}

std::optional<std::string> contradiction(const Expectation& e, const Seen& seen) {
  switch (e.of) {
    case Of::kLog:
      return of_log(e, seen);
    case Of::kAccessLog:
      return of_lines(e, seen.transcript.lines(kAccessLog, seen.from), "the access log");
    case Of::kMetric:
      return of_metric(e, seen);
    case Of::kClosed:
      return of_connection(e, seen);
    case Of::kHazard:
    case Of::kTrap:
      return of_incidents(e, seen);
    default:
      return of_messages(e, seen);
  }
}

}  // namespace inlay::tester
