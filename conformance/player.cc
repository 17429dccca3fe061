// SPDX-License-Identifier: Apache-2.0
#include "conformance/player.h"

#include <chrono>
#include <optional>

#include "conformance/wire.h"

namespace inlay::conformance {
namespace {

Error bad(const Case& c, const Step& step, std::string message) {
  return {ErrorCode::kInvalidArgument, std::move(message), c.path + ":" + std::to_string(step.line)};
}

bool is(const Step& step, size_t word, std::string_view text) {
  return word < step.words.size() && !step.words[word].quoted && step.words[word].text == text;
}

// The name=value words from `from` on.
Fields fields_of(const Step& step, size_t from) {
  Fields fields;
  for (size_t i = from; i < step.words.size(); ++i) {
    std::string name;
    std::string value;
    if (split_field(step.words[i].text, name, value)) fields.emplace_back(name, value);
  }
  return fields;
}

// The text behind a verb, and whether "end" follows it.
std::pair<std::string, bool> body_of(const Step& step) {
  std::string text;
  bool end = false;
  for (size_t i = 2; i < step.words.size(); ++i) {
    if (step.words[i].quoted) {
      text += step.words[i].text;
    } else if (step.words[i].text == "end") {
      end = true;
    }
  }
  return {text, end};
}

std::optional<std::chrono::milliseconds> milliseconds_of(const Word& word) {
  if (word.quoted || !word.text.ends_with("ms")) return {};
  return std::chrono::milliseconds(std::atoi(word.text.c_str()));
}

// "... wait 100ms": what comes by then is the step's, however late a busy machine is with it.
std::optional<std::chrono::milliseconds> wait_behind(const Step& step) {
  const size_t size = step.words.size();
  return size > 2 && is(step, size - 2, "wait") ? milliseconds_of(step.words[size - 1]) : std::nullopt;
}

}  // namespace

Result<Unit> Player::play() {
  transcript_.begin_step("start");
  auto started = world_.start();
  if (!started) return not_started(started.error());
  if (case_.shows("start")) settle();
  for (const Step& step : case_.steps) {
    transcript_.begin_step(step.title);
    INLAY_RETURN_IF_ERROR(perform(step));
    if (const auto time = wait_behind(step)) world_.wait(*time);
    settle();
  }
  if (!case_.stats.empty()) {
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
  transcript_.begin_step("end");
  world_.finish();
  return Unit{};
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
  return i < expected_.size() && (rule_ ? rule_(step) : step) == expected_[i];
}

void Player::compare_through(std::function<std::string(const std::string&)> rule) {
  rule_ = std::move(rule);
  for (std::string& step : expected_) step = rule_(step);
}

Result<Unit> Player::perform(const Step& step) {
  const std::string& what = step.words[0].text;
  if (what.starts_with("client")) return client_step(step);
  if (what == "wait") {
    const auto time = step.words.size() == 2 ? milliseconds_of(step.words[1]) : std::nullopt;
    if (!time) return bad(case_, step, "wait Nms");
    world_.wait(*time);
    return Unit{};
  }
  if (case_.upstream(what) != nullptr) return upstream_step(step);
  return bad(case_, step, "a step begins with client, an upstream's name, or wait");
}

Result<Unit> Player::client_step(const Step& step) {
  const std::string& client = step.words[0].text;
  if (is(step, 1, "body")) {
    const auto [text, end] = body_of(step);
    std::string bytes = clients_[client].chunked ? chunk(text) : text;
    if (end && clients_[client].chunked) bytes += "0\r\n\r\n";
    world_.client_sends(client, bytes, "");
  } else if (is(step, 1, "trailers")) {
    world_.client_sends(client, "0\r\n" + field_lines(fields_of(step, 2)) + "\r\n", "");
  } else if (is(step, 1, "connects")) {
    world_.client_sends(client, "", "");
  } else if (is(step, 1, "sends")) {
    std::string bytes;
    for (size_t i = 2; i < step.words.size() && !is(step, i, "wait"); ++i) bytes += step.words[i].text;
    world_.client_sends(client, bytes, bytes.substr(0, bytes.find(' ')));
  } else if (is(step, 1, "closes") || is(step, 1, "resets")) {
    world_.client_closes(client, is(step, 1, "resets"));
  } else if (is(step, 1, "stops") || is(step, 1, "reads")) {
    world_.client_reads(client, is(step, 1, "reads"));
  } else {
    return request(step, client);
  }
  return Unit{};
}

// client METHOD PATH [chunked] [NAME=VALUE...] ["BODY"]
Result<Unit> Player::request(const Step& step, const std::string& client) {
  if (step.words.size() < 3) return bad(case_, step, "client METHOD PATH [chunked] [NAME=VALUE...] [\"BODY\"]");
  const std::string& method = step.words[1].text;
  Fields fields = fields_of(step, 3);
  std::string body;
  bool chunked = false;
  for (size_t i = 3; i < step.words.size(); ++i) {
    if (step.words[i].quoted) body = step.words[i].text;
    if (!step.words[i].quoted && step.words[i].text == "chunked") chunked = true;
  }
  if (!has_field(fields, "host")) fields.insert(fields.begin(), {"host", "test"});
  if (chunked) fields.emplace_back("transfer-encoding", "chunked");
  if (!body.empty() && !chunked && !has_field(fields, "content-length")) {
    fields.emplace_back("content-length", std::to_string(body.size()));
  }
  clients_[client].chunked = chunked;
  std::string bytes = method + " " + step.words[2].text + " HTTP/1.1\r\n" + field_lines(fields) + "\r\n";
  bytes += chunked && !body.empty() ? chunk(body) + "0\r\n\r\n" : body;
  world_.client_sends(client, bytes, method);
  return Unit{};
}

Result<Unit> Player::upstream_step(const Step& step) {
  const std::string& upstream = step.words[0].text;
  bool taken = false;
  if (is(step, 1, "answers") || is(step, 1, "head")) {
    const bool whole = is(step, 1, "answers");
    auto words = step.words;
    bool end = whole;
    if (!whole && is(step, step.words.size() - 1, "end")) {
      end = true;
      words.pop_back();
    }
    INLAY_TRY(const Answer answer, parse_answer(words, 2));
    const bool rest = whole && (!answer.body.empty() || !answer.trailers.empty());
    taken = world_.upstream_head(upstream, answer, end && !rest, !whole || !answer.trailers.empty());
    if (taken && whole && !answer.body.empty()) {
      taken = world_.upstream_body(upstream, answer.body, answer.trailers.empty());
    }
    if (taken && !answer.trailers.empty()) taken = world_.upstream_trailers(upstream, answer.trailers);
  } else if (is(step, 1, "body") || is(step, 1, "sends")) {
    const auto [text, end] = body_of(step);
    taken = world_.upstream_body(upstream, text, end);
  } else if (is(step, 1, "closes")) {
    taken = world_.upstream_body(upstream, "", true);
  } else if (is(step, 1, "trailers")) {
    taken = world_.upstream_trailers(upstream, fields_of(step, 2));
  } else if (is(step, 1, "resets")) {
    taken = world_.upstream_resets(upstream);
  } else if (is(step, 1, "continues")) {
    taken = world_.upstream_continues(upstream);
  } else {
    return bad(case_, step, "an upstream's steps: answers, head, body, trailers, resets, continues, sends, closes");
  }
  if (!taken) transcript_.line(upstream, "has no request to answer, nor a connection");
  return Unit{};
}

}  // namespace inlay::conformance
