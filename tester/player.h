// SPDX-License-Identifier: Apache-2.0
#pragma once

// Player: runs a case's steps in a world, and holds what is seen against the case's expectations.

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "tester/contradiction.h"
#include "tester/world.h"

namespace inlay::tester {

// An expectation that was not met.
struct Failure {
  std::string place;  // of its line
  std::string line;
  std::string why;
  std::string seen;  // the transcript that it looked at, with the last of those that look at the same
};

class Player {
 public:
  // `c` is the world's; steps change its upstreams. `expected`: the steps that must be seen, which tells a world
  // without an end of its own when to go on.
  Player(Case& c, World& world, Transcript& transcript, std::vector<std::string> expected)
      : case_(c), world_(world), transcript_(transcript), expected_(std::move(expected)) {}

  // A step is over when this makes the same of what is seen and of what must be seen.
  void compare_through(std::function<std::string(const std::string&)> rule);
  // Or when this says so.
  void compare_with(std::function<bool(const std::string& expected, const std::string& seen)> agree) {
    agree_ = std::move(agree);
  }

  // What an upstream answers may come late, on sockets: its step waits for it.
  void wait_for_requests() { waits_for_requests_ = true; }

  // Errors: what cannot be started.
  Result<Unit> play();

  const std::vector<Failure>& failures() const { return failures_; }

 private:
  void perform(const Step& step);
  void client_step(const Step& step);
  void upstream_step(const Step& step);
  bool answer(const Step& step);
  void show_stats();
  Result<Unit> not_started(const Error& error);
  void settle();
  bool expects(const std::string& step) const;
  void check(const std::vector<Expectation>& group);

  Case& case_;
  World& world_;
  Transcript& transcript_;
  std::vector<std::string> expected_;
  std::function<std::string(const std::string&)> rule_;
  std::function<bool(const std::string&, const std::string&)> agree_;
  size_t checked_ = 0;  // the first step that no expectation has looked at
  bool waits_for_requests_ = false;
  std::vector<Failure> failures_;
};

}  // namespace inlay::tester
