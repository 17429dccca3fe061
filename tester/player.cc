// SPDX-License-Identifier: Apache-2.0
#include "tester/player.h"

#include <algorithm>
#include <utility>

namespace inlay::tester {

using Act = Step::Act;

Result<Unit> Player::play() {
  transcript_.begin_step("start");
  auto started = world_.start();
  if (!started) return not_started(started.error());
  if (case_.shows("start") || !case_.at_start.empty()) settle();
  check(case_.at_start);
  for (const Step& step : case_.steps) {
    transcript_.begin_step(step.title);
    perform(step);
    if (step.waits) world_.wait(step.time);
    settle();
    check(step.expectations);
  }
  show_stats();
  transcript_.begin_step("end");
  world_.finish();
  return Unit{};
}

void Player::show_stats() {
  if (case_.stats.empty()) return;
  transcript_.begin_step("stats");
  std::vector<std::string> lines;
  world_.settle([&] {
    lines = world_.stats(case_.stats);
    std::string text = "== stats\n";
    for (const std::string& line : lines) text += line + "\n";
    return expects(text);
  });
  for (std::string& line : lines) transcript_.guest(std::move(line));
}

// That the proxy does not start may be what a case is about.
Result<Unit> Player::not_started(const Error& error) {
  if (!case_.shows("start")) return error;
  transcript_.guest("the proxy does not start:");
  std::string_view rest = error.message;
  while (!rest.empty()) {
    const size_t end = rest.find('\n');
    transcript_.guest("  " + std::string(rest.substr(0, end)));
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  }
  return Unit{};
}

void Player::settle() {
  world_.settle([&] { return expects(transcript_.step_text()); });
}

bool Player::expects(const std::string& step) const {
  const size_t i = transcript_.step();
  if (i >= expected_.size()) return false;
  return agree_ ? agree_(expected_[i], step) : (rule_ ? rule_(step) : step) == expected_[i];
}

void Player::compare_through(std::function<std::string(const std::string&)> rule) {
  rule_ = std::move(rule);
  for (std::string& step : expected_) step = rule_(step);
}

void Player::check(const std::vector<Expectation>& group) {
  if (group.empty()) return;
  const Seen seen{transcript_, checked_, [this](const std::string& name) {
                    const std::string line = world_.stats({name}).at(0);
                    return line.substr(line.rfind(" = ") + 3);
                  }};
  world_.wait_until([&] {
    return std::none_of(group.begin(), group.end(), [&](const Expectation& e) { return contradiction(e, seen); });
  });
  const size_t before = failures_.size();
  for (const Expectation& expectation : group) {
    auto why = contradiction(expectation, seen);
    if (why) failures_.push_back({expectation.place, expectation.line, *std::move(why), ""});
  }
  if (failures_.size() > before) failures_.back().seen = transcript_.text_from(checked_);
  checked_ = transcript_.step() + 1;
}

void Player::perform(const Step& step) {
  if (step.act == Act::kWait) return;
  if (step.act == Act::kBecomes) return case_.become(step.upstream);
  if (step.of_client) return client_step(step);
  upstream_step(step);
}

void Player::client_step(const Step& step) {
  const std::string& client = step.actor;
  switch (step.act) {
    case Act::kBody:
      return world_.client_body(client, step.text, step.end);
    case Act::kTrailers:
      return world_.client_trailers(client, step.fields);
    case Act::kConnects:
      return world_.client_sends(client, "", "");
    case Act::kSends:
      return world_.client_sends(client, step.text, step.text.substr(0, step.text.find(' ')));
    case Act::kCloses:
    case Act::kResets:
      return world_.client_closes(client, step.act == Act::kResets);
    case Act::kStops:
    case Act::kReads:
      return world_.client_reads(client, step.act == Act::kReads);
    default:
      return world_.client_request(client, step);
  }
}

bool Player::answer(const Step& step) {
  const Answer& answer = step.answer;
  const bool whole = step.act == Act::kAnswers;
  const bool end = whole || step.end;
  const bool rest = whole && (!answer.body.empty() || !answer.trailers.empty());
  bool taken = world_.upstream_head(step.actor, answer, end && !rest, !whole || !answer.trailers.empty());
  if (taken && whole && !answer.body.empty()) {
    taken = world_.upstream_body(step.actor, answer.body, answer.trailers.empty());
  }
  if (taken && !answer.trailers.empty()) taken = world_.upstream_trailers(step.actor, answer.trailers);
  return taken;
}

void Player::upstream_step(const Step& step) {
  const std::string& upstream = step.actor;
  const auto taken = [&] {
    switch (step.act) {
      case Act::kBody:
      case Act::kSends:
        return world_.upstream_body(upstream, step.text, step.end);
      case Act::kCloses:
        return world_.upstream_body(upstream, "", true);
      case Act::kTrailers:
        return world_.upstream_trailers(upstream, step.fields);
      case Act::kResets:
        return world_.upstream_resets(upstream);
      case Act::kContinues:
        return world_.upstream_continues(upstream);
      default:
        return answer(step);
    }
  };
  bool done = taken();
  if (!done && waits_for_requests_) world_.wait_until([&] { return done = taken(); });
  if (!done) transcript_.line(upstream, "has no request to answer, nor a connection");
}

}  // namespace inlay::tester
