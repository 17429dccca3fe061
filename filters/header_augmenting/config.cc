// SPDX-License-Identifier: Apache-2.0
#include "filters/header_augmenting/config.h"

#include <array>
#include <optional>
#include <span>
#include <utility>

#include "filters/header_augmenting/duration.h"
#include "filters/header_augmenting/json.h"
#include "filters/header_augmenting/suggestion.h"

namespace inlay::header_augmenting {
namespace {

constexpr const char* kADuration = "a duration such as \"250ms\", \"10s\", \"5m\", \"1h30m\" or \"1d\"";

// Reading: what is under construction, and the error if there is one.
struct Reading {
  const Json& json;
  Config config;
  SourceConfig source;
  std::string_view path;  // of the object in hand, with a dot at the end; empty at the top
  std::optional<sdk::Line> error;

  // fail: notes what was found at `node`; the text itself only where it cannot be a secret.
  bool fail(const Json::Node& node, const char* expected, bool show_text = false) {
    sdk::Line& line = start(node.key);
    line.add("found ").add(Json::type_name(node.type));
    if (show_text && node.type >= Json::Type::kNumber && node.type <= Json::Type::kString)
      line.add(" \"").add(node.text.substr(0, 64)).add("\"");
    line.add(", expected ").add(expected);
    return false;
  }

  sdk::Line& start(std::string_view key) {
    sdk::Line& line = error.emplace();
    return line.add("configuration: ").add(path).add(key.substr(0, 64)).add(path.empty() && key.empty() ? "" : ": ");
  }
};

// Key is a row of a table: its name, and what reads it. No reader: the key is known, but not to this version.
struct Key {
  std::string_view name;
  bool (*read)(Reading&, const Json::Node&);
};

bool read_object(Reading& reading, const Json::Node& object, std::span<const Key> keys);

bool is_visible(std::string_view text) {
  for (const char c : text) {
    if (static_cast<unsigned char>(c) <= ' ' || c == '\x7f') return false;
  }
  return !text.empty();
}

bool read_visible(Reading& reading, const Json::Node& node, std::string& out, const char* expected) {
  if (node.type != Json::Type::kString || !is_visible(node.text)) return reading.fail(node, expected);
  out = node.text;
  return true;
}

std::optional<uint64_t> read_whole_number(const Json::Node& node, uint64_t max) {
  if (node.type != Json::Type::kNumber || node.text.size() > 18) return std::nullopt;
  uint64_t number = 0;
  for (const char c : node.text) {
    if (c < '0' || c > '9') return std::nullopt;
    number = number * 10 + static_cast<uint64_t>(c - '0');
  }
  return number <= max ? std::optional(number) : std::nullopt;
}

bool read_cluster(Reading& r, const Json::Node& node) {
  return read_visible(r, node, r.source.cluster, "the name of a cluster, a string without white space");
}

bool read_authority(Reading& r, const Json::Node& node) {
  return read_visible(r, node, r.source.authority, "a host name, a string without white space");
}

bool read_path(Reading& r, const Json::Node& node) {
  constexpr const char* kExpected = "a path that starts with \"/\", a string without white space";
  if (node.type != Json::Type::kString || !node.text.starts_with('/')) return r.fail(node, kExpected);
  return read_visible(r, node, r.source.path, kExpected);
}

bool read_expiry(Reading& r, const Json::Node& node) {
  const auto duration = node.type == Json::Type::kString ? parse_duration(node.text) : std::nullopt;
  if (!duration || *duration == 0) return r.fail(node, kADuration, true);
  r.source.every_ms = *duration;
  return true;
}

bool read_max_body(Reading& r, const Json::Node& node) {
  const auto size = read_whole_number(node, 16 * 1024 * 1024);
  if (!size || *size == 0) return r.fail(node, "a number of bytes from 1 to 16777216", true);
  r.config.max_body = static_cast<size_t>(*size);
  return true;
}

bool read_action(Reading& r, const Json::Node& node) {
  if (node.type == Json::Type::kString && node.text == "reject")
    r.config.when_missing.action = WhenMissing::Action::kReject;
  else if (node.type == Json::Type::kString && node.text == "pass")
    r.config.when_missing.action = WhenMissing::Action::kPass;
  else
    return r.fail(node, "\"reject\" or \"pass\"", true);
  return true;
}

bool read_status(Reading& r, const Json::Node& node) {
  const auto status = read_whole_number(node, 599);
  if (!status || *status < 200) return r.fail(node, "a status from 200 to 599", true);
  r.config.when_missing.status = static_cast<uint32_t>(*status);
  return true;
}

bool read_body(Reading& r, const Json::Node& node) {
  if (node.type != Json::Type::kString) return r.fail(node, "a string");
  r.config.when_missing.body = node.text;
  return true;
}

bool read_retry_after(Reading& r, const Json::Node& node) {
  std::optional<uint64_t> seconds = read_whole_number(node, kMaxDurationMs / 1000);
  if (node.type == Json::Type::kString) {
    if (const auto duration = parse_duration(node.text)) seconds = (*duration + 999) / 1000;
  }
  if (!seconds) return r.fail(node, "a number of seconds, or a duration such as \"2s\"", true);
  sdk::Line line;
  r.config.when_missing.retry_after = line.add(*seconds).view();
  return true;
}

constexpr Key kWhenMissingKeys[] = {
    {"action", read_action},           {"status", read_status}, {"body", read_body},
    {"retry-after", read_retry_after}, {"hold_for", nullptr},   {"max_held", nullptr},
};

bool read_when_missing(Reading& r, const Json::Node& node) {
  if (node.type != Json::Type::kObject) return r.fail(node, "an object");
  r.path = "when_missing.";
  const bool read = read_object(r, node, kWhenMissingKeys);
  r.path = {};
  return read;
}

constexpr Key kKeys[] = {
    {"header_providing_service_cluster", read_cluster},
    {"header_providing_service_authority", read_authority},
    {"header_providing_service_path", read_path},
    {"header_cache_expiry", read_expiry},
    {"when_missing", read_when_missing},
    {"max_body", read_max_body},
    {"sources", nullptr},
    {"rules", nullptr},
    {"invalidate_on", nullptr},
};

bool fail_unknown(Reading& reading, const Json::Node& node, std::span<const Key> keys) {
  sdk::Line& line = reading.start(node.key).add("found an unknown key");
  std::string_view nearest;
  size_t least = 4;  // further away is no misspelling
  for (const Key& key : keys) {
    const size_t distance = edit_distance(node.key, key.name);
    if (key.read == nullptr || distance >= least) continue;
    least = distance;
    nearest = key.name;
  }
  if (!nearest.empty()) {
    line.add(", expected \"").add(nearest).add("\"?");
    return false;
  }
  line.add(", expected one of");
  for (const Key& key : keys) {
    if (key.read != nullptr) line.add(" ").add(key.name);
  }
  return false;
}

bool read_object(Reading& reading, const Json::Node& object, std::span<const Key> keys) {
  uint32_t seen = 0;
  for (const Json::Node* node = reading.json.first(object); node != nullptr; node = reading.json.next(*node)) {
    size_t row = 0;
    while (row < keys.size() && keys[row].name != node->key) ++row;
    if (row == keys.size()) return fail_unknown(reading, *node, keys);
    if (keys[row].read == nullptr) {
      reading.start(node->key).add("found a key that this version does not support yet");
      return false;
    }
    if ((seen >> row & 1u) != 0) {
      reading.start(node->key).add("found twice, expected once");
      return false;
    }
    seen |= 1u << row;
    if (!keys[row].read(reading, *node)) return false;
  }
  return true;
}

}  // namespace

Result<Config, sdk::Line> parse_config(std::string_view text) {
  if (text.find_first_not_of(" \t\r\n") == std::string_view::npos) text = "{}";
  const auto json = Json::parse(text);
  if (!json) {
    sdk::Line line;
    line.add("configuration: found no valid JSON (at byte ").add(uint64_t{json.error().offset});
    return line.add("), expected a JSON object");
  }
  Reading reading{.json = *json, .config = {}, .source = {}, .path = {}, .error = {}};
  if (json->root().type != Json::Type::kObject) {
    reading.fail(json->root(), "a JSON object");
    return *reading.error;
  }
  if (!read_object(reading, json->root(), kKeys)) return *reading.error;
  reading.config.sources.push_back(std::move(reading.source));
  return std::move(reading.config);
}

}  // namespace inlay::header_augmenting
