// SPDX-License-Identifier: Apache-2.0
#pragma once

// Player: runs a case's steps in a world.

#include <functional>
#include <map>
#include <set>
#include <string>

#include "base/result.h"
#include "conformance/world.h"

namespace inlay::conformance {

class Player {
 public:
  // `expected`: the steps that must be seen, which tells a world without an end of its own when to go on.
  Player(const Case& c, World& world, Transcript& transcript, std::vector<std::string> expected)
      : case_(c), world_(world), transcript_(transcript), expected_(std::move(expected)) {}

  // A step is over when this makes the same of what is seen and of what must be seen.
  void compare_through(std::function<std::string(const std::string&)> rule);

  // Errors: what cannot be started, or a step that is none, with its line.
  Result<Unit> play();

 private:
  struct Client {
    bool chunked = false;
  };
  Result<Unit> perform(const Step& step);
  Result<Unit> client_step(const Step& step);
  Result<Unit> upstream_step(const Step& step);
  Result<Unit> request(const Step& step, const std::string& client);
  Result<Unit> not_started(const Error& error);
  void settle();
  bool expects(const std::string& step) const;

  const Case& case_;
  World& world_;
  Transcript& transcript_;
  std::vector<std::string> expected_;
  std::function<std::string(const std::string&)> rule_;
  std::map<std::string, Client> clients_;
};

}  // namespace inlay::conformance
