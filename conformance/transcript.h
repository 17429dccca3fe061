// SPDX-License-Identifier: Apache-2.0
#pragma once

// Transcript: what was seen, step by step; in a step by actor: the guests first, then each upstream, then each client.
// Within an actor the order is that of the events; between actors there is none, because on sockets there is none.

#include <limits>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "conformance/words.h"

namespace inlay::conformance {

// Of lines that no thread of the proxy wrote; they stand behind those that one did.
inline constexpr int kNoThread = std::numeric_limits<int>::max();

// The actor whose lines are those of the access log.
inline constexpr const char* kAccessLog = "log";

class Transcript {
 public:
  void begin_step(std::string title);

  // A line of the guests, as it stands. Those of one thread have an order and stand together.
  void guest(std::string line, int thread = kNoThread);
  // What an upstream or a client got. Body bytes of one step become one line.
  void line(const std::string& actor, std::string text);
  void head(const std::string& actor, std::string text);
  void body(const std::string& actor, std::string_view bytes);
  // The same of bytes that are no message.
  void bytes(const std::string& actor, std::string_view bytes);
  void end(const std::string& actor);  // of the message

  // Actors in the order in which a step shows them.
  void set_actors(std::vector<std::string> actors) { actors_ = std::move(actors); }

  std::string text() const;
  // The step that is under way.
  std::string step_text() const { return render(steps_.back()); }
  size_t step() const { return steps_.size() - 1; }

 private:
  struct Event {
    enum class Kind : uint8_t { kLine, kHead, kBody, kBytes } kind = Kind::kLine;
    std::string text;
    bool end = false;
  };
  struct StepSeen {
    std::string title;
    std::map<int, std::vector<std::string>> guests;  // by thread
    std::map<std::string, std::vector<Event>> others;
  };
  std::string render(const StepSeen& step) const;
  std::vector<Event>& events(const std::string& actor) { return steps_.back().others[actor]; }
  void append(Event::Kind kind, const std::string& actor, std::string_view bytes);

  std::vector<std::string> actors_;
  std::vector<StepSeen> steps_;
};

// A transcript's steps: each from its "== " line to the next.
std::vector<std::string> split_steps(std::string_view transcript);
// Lines of both, "-" only expected, "+" only seen.
std::string difference(std::string_view expected, std::string_view seen);

}  // namespace inlay::conformance
