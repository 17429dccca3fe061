// SPDX-License-Identifier: Apache-2.0
#include "tester/play.h"

#include <utility>
#include <vector>

namespace inlay::tester {

Play::Play(const Case& c, engine::EngineKind engine, FindModule find_module, std::chrono::milliseconds call_budget,
           std::string expected)
    : case_(c),
      run_{case_,
           engine,
           transcript_,
           std::move(find_module),
           c.call_budget.value_or(call_budget),
           scratch_.path(),
           std::move(expected),
           nullptr,
           Protocol::kHttp1,
           {}} {
  std::vector<std::string> actors;
  for (const Upstream& u : c.upstreams) actors.push_back(u.name);
  actors.emplace_back("client");
  for (char number = '2'; number <= '9'; ++number) actors.push_back(std::string("client") + number);
  actors.emplace_back(kAccessLog);
  transcript_.set_actors(std::move(actors));
}

Player Play::player(World& world) {
  std::vector<std::string> steps = split_steps(run_.expected);
  if (!case_.shows("start")) steps.insert(steps.begin(), "");
  return {case_, world, transcript_, std::move(steps)};
}

std::string Play::seen() const {
  std::string text = transcript_.text();
  if (case_.shows("start")) return text;
  const size_t second = text.find("\n== ");
  return second == std::string::npos ? "" : text.substr(second + 1);
}

}  // namespace inlay::tester
