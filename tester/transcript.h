// SPDX-License-Identifier: Apache-2.0
#pragma once

// Transcript: what was seen, step by step; in a step by actor: the guests first, then each upstream, then each client.
// Within an actor the order is that of the events; between actors there is none, because on sockets there is none. It
// is kept twice: as the lines that a snapshot shows, and as messages and lines of the log, for single expectations.

#include <limits>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tester/words.h"

namespace inlay::tester {

// Of lines that no thread of the proxy wrote; they stand behind those that one did.
inline constexpr int kNoThread = std::numeric_limits<int>::max();

// The actor whose lines are those of the access log.
inline constexpr const char* kAccessLog = "log";

// A request that an upstream got, or a response that a client got, as far as it has come; or bytes that are none.
struct Message {
  std::string method{};  // of a request
  std::string path{};
  std::string status{};  // of a response
  Fields fields{};       // pseudo-headers too, where they were seen
  std::string body{};
  Fields trailers{};
  bool bytes = false;  // without a protocol: `body` is all
  bool complete = false;
  size_t step = 0;  // the last one that it got something in
};

// A line of the guests, or of the host about them.
struct LogEntry {
  std::string shown{};  // as a snapshot shows it; empty: not at all
  std::string who{};    // a plugin, "vm", "host"
  std::string level{};  // "warn"
  std::string text{};
  std::string backtrace{};  // behind the text, of a host's line about a trap
  size_t step = 0;
};

class Transcript {
 public:
  void begin_step(std::string title);

  // A line of the guests, as it stands. Those of one thread have an order and stand together.
  void guest(std::string line, int thread = kNoThread);
  void guest(LogEntry entry, int thread);
  // What an upstream or a client got. Body bytes of one step become one line.
  void line(const std::string& actor, std::string text);
  void head(const std::string& actor, std::string text, Message message);
  void body(const std::string& actor, std::string_view bytes);
  void trailers(const std::string& actor, std::string text, Fields trailers);
  // The same of bytes that are no message.
  void bytes(const std::string& actor, std::string_view bytes);
  void end(const std::string& actor);  // of the message

  // Actors in the order in which a step shows them, behind others.
  void set_actors(std::vector<std::string> actors) { actors_ = std::move(actors); }

  std::string text() const;
  // The step that is under way.
  std::string step_text() const { return render(steps_.back()); }
  size_t step() const { return steps_.size() - 1; }

  // What was seen from that step on.
  std::string text_from(size_t step) const;
  // The messages of an actor that got something.
  std::vector<Message> messages(const std::string& actor, size_t from) const;
  // Its lines that are neither of a message nor bytes: "got close", those of the access log.
  std::vector<std::string> lines(const std::string& actor, size_t from) const;
  std::vector<LogEntry> log(size_t from) const;

 private:
  struct Event {
    enum class Kind : uint8_t { kLine, kHead, kBody, kBytes } kind = Kind::kLine;
    std::string text;
    bool end = false;
    bool of_message = false;
  };
  struct StepSeen {
    std::string title;
    std::map<int, std::vector<std::string>> guests;  // by thread
    std::map<std::string, std::vector<Event>> others;
  };
  std::string render(const StepSeen& step) const;
  std::vector<Event>& events(const std::string& actor) { return steps_.back().others[actor]; }
  void append(Event::Kind kind, const std::string& actor, std::string_view bytes);
  Message* last_message(const std::string& actor);

  std::vector<std::string> actors_;
  std::vector<StepSeen> steps_;
  std::map<std::string, std::vector<Message>> messages_;
  std::vector<LogEntry> log_;
};

// A transcript's steps: each from its "== " line to the next.
std::vector<std::string> split_steps(std::string_view transcript);
// Lines of both, "-" only expected, "+" only seen.
std::string difference(std::string_view expected, std::string_view seen);
// Of a difference its changes, with so many lines around each.
std::string near_changes(std::string_view difference, size_t around);

}  // namespace inlay::tester
