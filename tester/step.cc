// SPDX-License-Identifier: Apache-2.0
#include "tester/step.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/ascii.h"
#include "tester/vocabulary.h"

namespace inlay::tester {
namespace {

using std::chrono::milliseconds;
using Act = Step::Act;

Error bad(std::string message) {
  return {ErrorCode::kInvalidArgument, std::move(message), ""};
}

Error wrong_form(Section section, std::string_view word, const std::string& what) {
  const WordEntry* const entry = find_word(section, word);
  return bad(what + "; the form is: " + std::string(entry->form));
}

bool is_method(std::string_view text) {
  constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
  return !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) {
    return is_upper(c) || is_digit(c) || kMarks.find(c) != std::string_view::npos;
  });
}

// METHOD PATH [chunked] [FIELD=VALUE...] ["BODY"]
Result<Step> parse_request(const std::vector<Word>& words) {
  constexpr std::string_view kForm = "client METHOD PATH [chunked] [FIELD=VALUE...] [\"BODY\"]";
  Step step;
  step.act = Act::kRequest;
  step.method = words[1].text;
  if (!is_method(step.method)) {
    return bad("`" + step.method + "` is neither a method nor what a client does" +
               suggest(Section::kClientStep, step.method));
  }
  if (words.size() < 3) return bad("a request has a path; the form is: " + std::string(kForm));
  step.path = words[2].text;
  bool has_body = false;
  for (size_t i = 3; i < words.size(); ++i) {
    std::string name;
    std::string value;
    if (words[i].quoted) {
      if (std::exchange(has_body, true)) return bad("a request has one body; `client body` sends more of it");
      step.text = words[i].text;
    } else if (words[i].text == "chunked") {
      step.chunked = true;
    } else if (split_field(words[i].text, name, value)) {
      step.fields.emplace_back(name, value);
    } else {
      return bad("`" + words[i].text +
                 "` is neither FIELD=VALUE nor \"a body\" nor `chunked`; the form is: " + std::string(kForm));
    }
  }
  return step;
}

// "TEXT"... [end] from the third word on.
Result<Unit> parse_text(const std::vector<Word>& words, Section section, Step& step) {
  for (size_t i = 2; i < words.size(); ++i) {
    if (words[i].quoted) {
      step.text += words[i].text;
    } else if (words[i].text == "end") {
      step.end = true;
    } else {
      return wrong_form(section, words[1].text, "`" + words[i].text + "` is neither \"text\" nor `end`");
    }
  }
  if (words.size() < 3) return wrong_form(section, words[1].text, "there is nothing to send");
  return Unit{};
}

Result<Unit> parse_fields(const std::vector<Word>& words, Section section, Step& step) {
  for (size_t i = 2; i < words.size(); ++i) {
    std::string name;
    std::string value;
    if (words[i].quoted || !split_field(words[i].text, name, value)) {
      return wrong_form(section, words[1].text, "`" + words[i].text + "` is no FIELD=VALUE");
    }
    step.fields.emplace_back(name, value);
  }
  if (step.fields.empty()) return wrong_form(section, words[1].text, "trailers have at least one field");
  return Unit{};
}

Result<Unit> parse_nothing(const std::vector<Word>& words, Section section) {
  if (words.size() == 2) return Unit{};
  return wrong_form(section, words[1].text, "`" + words[2].text + "` is more than it takes");
}

Act act_of(Name name) {
  switch (name) {
    case Name::kBody:
      return Act::kBody;
    case Name::kTrailers:
      return Act::kTrailers;
    case Name::kConnects:
      return Act::kConnects;
    case Name::kSends:
      return Act::kSends;
    case Name::kCloses:
      return Act::kCloses;
    case Name::kResets:
      return Act::kResets;
    case Name::kStops:
      return Act::kStops;
    case Name::kReads:
      return Act::kReads;
    case Name::kAnswers:
      return Act::kAnswers;
    case Name::kHead:
      return Act::kHead;
    case Name::kContinues:
      return Act::kContinues;
    default:
      return Act::kWait;
  }
}

Result<Unit> parse_what_follows(std::vector<Word>& words, Section section, Step& step) {
  switch (step.act) {
    case Act::kBody:
    case Act::kSends:
      return parse_text(words, section, step);
    case Act::kTrailers:
      return parse_fields(words, section, step);
    case Act::kHead:
      if (words.size() > 2 && !words.back().quoted && words.back().text == "end") {
        step.end = true;
        words.pop_back();
      }
      [[fallthrough]];
    case Act::kAnswers: {
      auto answer = parse_answer(words, 2);
      if (!answer) return wrong_form(section, words[1].text, answer.error().message);
      step.answer = *std::move(answer);
      if (step.act == Act::kHead && (!step.answer.body.empty() || !step.answer.trailers.empty())) {
        return bad("a head has neither body nor trailers; `body` and `trailers` are steps of their own");
      }
      return Unit{};
    }
    default:
      return parse_nothing(words, section);
  }
}

// Takes "wait TIME" off the end of another step.
Result<Unit> take_wait(std::vector<Word>& words, Step& step) {
  const size_t size = words.size();
  if (size < 4 || words[size - 2].quoted || words[size - 2].text != "wait") return Unit{};
  INLAY_TRY(step.time, parse_time(words[size - 1].text));
  step.waits = true;
  words.resize(size - 2);
  return Unit{};
}

}  // namespace

bool is_client(std::string_view word) {
  return word == "client" || (word.size() == 7 && word.starts_with("client") && word[6] >= '2' && word[6] <= '9');
}

Result<milliseconds> parse_time(std::string_view text) {
  struct Unit {
    std::string_view name;
    int64_t milliseconds;
  };
  static constexpr std::array<Unit, 4> kUnits = {{{"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}}};
  constexpr int64_t kLongest = int64_t{1000} * 24 * 3'600'000;
  int64_t number = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), number);
  const std::string_view unit = text.substr(static_cast<size_t>(end - text.data()));
  for (const Unit& known : kUnits) {
    if (fault != std::errc() || unit != known.name || number < 0) continue;
    if (number > kLongest / known.milliseconds) return bad("`" + std::string(text) + "` is more than a thousand days");
    return milliseconds(number * known.milliseconds);
  }
  return bad("`" + std::string(text) + "` is no time; one is: 250ms, 30s, 5m, 1h");
}

Result<Answer> parse_answer(const std::vector<Word>& words, size_t from) {
  Answer answer;
  if (from >= words.size()) return bad("a status is missing");
  answer.status = words[from].text;
  // What is no number may be what a case is about; a word of another length is a mistake.
  if (answer.status.size() != 3 || !is_digit(answer.status[0])) {
    return bad("`" + answer.status + "` is no status, as 200 is");
  }
  bool has_body = false;
  for (size_t i = from + 1; i < words.size(); ++i) {
    std::string name;
    std::string value;
    if (words[i].quoted) {
      if (std::exchange(has_body, true)) return bad("an answer has one body");
      answer.body = words[i].text;
    } else if (!split_field(words[i].text, name, value)) {
      return bad("`" + words[i].text + "` is neither FIELD=VALUE nor \"a body\"");
    } else if (name.starts_with("trailer:")) {
      answer.trailers.emplace_back(name.substr(8), value);
    } else {
      answer.headers.emplace_back(name, value);
    }
  }
  return answer;
}

Result<Step> parse_step(const std::string& line, std::vector<Word> words) {
  Step step;
  const std::string actor = words[0].text;
  if (actor == "wait") {
    if (words.size() != 2) return bad("`wait` takes one time: wait 250ms");
    INLAY_TRY(step.time, parse_time(words[1].text));
    step.waits = true;
    step.title = line;
    return step;
  }
  const Section section = is_client(actor) ? Section::kClientStep : Section::kUpstreamStep;
  INLAY_RETURN_IF_ERROR(take_wait(words, step));
  const std::string kActors = section == Section::kClientStep ? "a client" : "an upstream";
  if (words.size() < 2) return bad("what " + kActors + " does is missing" + suggest(section, ""));
  const WordEntry* const known = words[1].quoted ? nullptr : find_word(section, words[1].text);
  if (known != nullptr) {
    step.act = act_of(known->name);
    INLAY_RETURN_IF_ERROR(parse_what_follows(words, section, step));
  } else if (section == Section::kUpstreamStep) {
    return bad("`" + words[1].text + "` is nothing that an upstream does" + suggest(section, words[1].text));
  } else {
    const milliseconds time = step.time;
    const bool waits = step.waits;
    INLAY_TRY(step, parse_request(words));
    step.time = time;
    step.waits = waits;
  }
  step.actor = actor;
  step.of_client = section == Section::kClientStep;
  step.title = line;
  return step;
}

}  // namespace inlay::tester
