// SPDX-License-Identifier: Apache-2.0
#pragma once

// ConfigReader: fills plain structures from JSON by the tables of config_schema.h, and reports every error.

#include <cstdint>
#include <span>
#include <string_view>

#include "filters/header_augmenting/arena.h"
#include "filters/header_augmenting/config_schema.h"
#include "filters/header_augmenting/features.h"
#include "filters/header_augmenting/json.h"
#include "sdk/text.h"

namespace inlay::header_augmenting {

// Place: where in the configuration something stands; a list from the inside out, on the stack.
struct Place {
  const Place* parent = nullptr;
  std::string_view key = {};  // of an object's member
  size_t index = 0;           // of an array's element, if there is no key
};

// Report: the errors so far. Each is one line of the log: the place, what was found, what was expected.
class Report {
 public:
  void add(const Place& place, std::string_view found, std::string_view expected);
  // add_lacking: of `what`, which another module than this one has.
  void add_lacking(const Place& place, std::string_view what);
  bool empty() const { return empty_; }

 private:
  bool empty_ = true;
};

// Check: what the keys of the object at `place` have to fulfil. It is no more than a place, so that a check costs a
// module little; both arguments outlive it.
class Check {
 public:
  Check(const Place& place, Report& report) : at_{&place}, report_(report) {}
  // must: what does not hold is an error of `key`.
  [[gnu::noinline]] void must(bool holds, const char* key, const char* found, const char* expected);
  // found: an error of `key`, with a value.
  [[gnu::noinline]] void found(const char* key, std::string_view value, const char* expected);

 private:
  Place at_;
  Report& report_;
};

class ConfigReader {
 public:
  ConfigReader(const Json& json, std::string_view environment, Arena& arena, Report& report)
      : json_(json), environment_(environment), arena_(arena), report_(report) {}

  // object: reads `node` into the structure at `out`. Gives the keys that were there, bit by bit.
  uint32_t object(const Place& place, const Json::Node& node, const Schema& schema, char* out);

 private:
  void value(const Place& place, const Json::Node& node, const Field& field, char* out);
  bool array(const Place& place, const Json::Node& node, const Field& field, char* out);
  bool pairs(const Place& place, const Json::Node& node, Kind kind, char* out);
  void choice(const Place& place, const Json::Node& node, std::string_view text, const Field& field, char* out);
  bool scalar(const Json::Node& node, Kind kind, std::string_view text, char* out);
  // string: `node`'s text, with the environment's variables in the place of their names, each without line breaks at
  // its end, and references as references.h has them, where they may stand.
  bool string(const Place& place, const Json::Node& node, std::string_view& out);
  // name_of: the NAME of ${what:NAME} at the front of `rest`, taken off; empty if that is no name.
  static std::string_view name_of(std::string_view what, std::string_view& rest);
  bool variable(std::string_view name, std::string_view& out) const;
  size_t count(const Json::Node& node) const;
  // refers: whether ${source:NAME} may stand in the value in hand.
  bool refers() const { return has(kReferences) && refers_; }

  const Json& json_;
  std::string_view environment_;
  Arena& arena_;
  Report& report_;
  bool refers_ = false;
};

}  // namespace inlay::header_augmenting
