// SPDX-License-Identifier: Apache-2.0
#pragma once

// Step: something that a client or an upstream does, or time that goes by.

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "tester/expectation.h"
#include "tester/words.h"

namespace inlay::tester {

// A response that an upstream gives.
struct Answer {
  std::string status = "200";
  Fields headers;
  std::string body;
  Fields trailers;
};

struct Upstream {
  enum class Behaviour : uint8_t {
    kAnswers,  // every request, with `answer`, as soon as it is complete
    kWaits,    // for the case's steps
    kRefuses,  // connections
    kResets,   // closes the connection instead of an answer
    kAccepts,  // connections, as bytes without a protocol: for the case's steps
  };
  std::string name;
  Behaviour behaviour = Behaviour::kAnswers;
  Answer answer;
};

struct Step {
  enum class Act : uint8_t {
    kRequest,
    kBody,
    kTrailers,
    kConnects,
    kSends,
    kCloses,
    kResets,
    kStops,
    kReads,
    kAnswers,
    kHead,
    kContinues,
    kBecomes,  // an upstream does otherwise from now on
    kWait,     // no more than that time goes by
  };
  std::string title;  // the line as it stands
  std::string place;  // "slow.case:12"
  std::string actor;  // "client", "client2", an upstream; empty for kWait
  Act act = Act::kWait;
  bool of_client = false;
  std::string method;  // of a request
  std::string path;
  Fields fields;      // of a head, or trailers
  std::string text;   // a body, bytes
  Answer answer;      // kAnswers, kHead
  Upstream upstream;  // kBecomes
  bool chunked = false;
  bool end = false;
  std::chrono::milliseconds time{0};  // that goes by behind it
  bool waits = false;                 // `time` was said, if only 0
  // What is expected when it is over; of what was seen since the last step that has some.
  std::vector<Expectation> expectations;
};

// "client" or "client2" to "client9".
bool is_client(std::string_view word);

// The line of a step, whose first word is a client, an upstream or `wait`. Errors: kInvalidArgument with what would be
// right.
Result<Step> parse_step(const std::string& line, std::vector<Word> words);

// "200 name=value "body" trailer:name=value" from the given word on.
Result<Answer> parse_answer(const std::vector<Word>& words, size_t from);

// "250ms", "30s", "5m", "1h"; kInvalidArgument for what is none, and more than a thousand days.
Result<std::chrono::milliseconds> parse_time(std::string_view text);

}  // namespace inlay::tester
