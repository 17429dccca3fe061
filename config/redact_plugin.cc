// SPDX-License-Identifier: Apache-2.0
#include "config/redact_plugin.h"

#include <rapidjson/document.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <algorithm>

namespace inlay::config {
namespace {

constexpr std::string_view kRedacted = "[redacted]";
constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_";
constexpr std::string_view kDigits = "0123456789";

// What a value has to look like to be shown.
enum class Shape : uint8_t {
  kHidden,  // never shown
  kObject,  // its keys stand in the table
  kShort,   // a duration, a share, a choice, a status
  kWord,    // a name, a cluster, a host
  kPath,    // shown without what follows the path
};

// The keys of filters/header_augmenting/config_schema.cc; an array's elements are under the array's key. A key that is
// missing here is not shown at all.
struct Key {
  std::string_view path;
  Shape shape;
};
constexpr Key kKeys[] = {
    {"header_cache_expiry", Shape::kShort},
    {"header_providing_service_authority", Shape::kWord},
    {"header_providing_service_cluster", Shape::kWord},
    {"header_providing_service_path", Shape::kPath},
    {"invalidate_on", Shape::kShort},
    {"max_body", Shape::kShort},
    {"rules", Shape::kObject},
    {"rules.match", Shape::kObject},
    {"rules.match.authority", Shape::kWord},
    {"rules.match.cluster", Shape::kWord},
    {"rules.match.headers", Shape::kObject},
    {"rules.match.headers.exact", Shape::kHidden},
    {"rules.match.headers.name", Shape::kWord},
    {"rules.match.headers.prefix", Shape::kHidden},
    {"rules.match.headers.present", Shape::kShort},
    {"rules.match.methods", Shape::kWord},
    {"rules.match.path", Shape::kPath},
    {"rules.match.path_prefix", Shape::kPath},
    {"rules.mode", Shape::kShort},
    {"rules.remove", Shape::kWord},
    {"rules.use", Shape::kWord},
    {"rules.with", Shape::kObject},
    {"rules.with.audience", Shape::kHidden},
    {"rules.with.resource", Shape::kHidden},
    {"rules.with.scopes", Shape::kHidden},
    {"sources", Shape::kObject},
    {"sources.allow", Shape::kWord},
    {"sources.authority", Shape::kWord},
    {"sources.body", Shape::kHidden},
    {"sources.cache", Shape::kObject},
    {"sources.cache.bytes", Shape::kShort},
    {"sources.cache.default_life", Shape::kShort},
    {"sources.cache.entries", Shape::kShort},
    {"sources.cache.max_calls", Shape::kShort},
    {"sources.cache.max_token", Shape::kShort},
    {"sources.cache.max_waiting", Shape::kShort},
    {"sources.cache.refused_life", Shape::kShort},
    {"sources.cluster", Shape::kWord},
    {"sources.format", Shape::kShort},
    {"sources.headers", Shape::kHidden},
    {"sources.jwt_svid", Shape::kObject},
    {"sources.jwt_svid.audience", Shape::kHidden},
    {"sources.jwt_svid.spiffe_id", Shape::kHidden},
    {"sources.max_stale", Shape::kShort},
    {"sources.method", Shape::kWord},
    {"sources.name", Shape::kWord},
    {"sources.oauth2", Shape::kObject},
    {"sources.oauth2.actor", Shape::kObject},
    {"sources.oauth2.actor.header", Shape::kWord},
    {"sources.oauth2.actor.remove", Shape::kShort},
    {"sources.oauth2.actor.scheme", Shape::kShort},
    {"sources.oauth2.actor.token", Shape::kHidden},
    {"sources.oauth2.actor.type", Shape::kWord},
    {"sources.oauth2.audience", Shape::kHidden},
    {"sources.oauth2.auth_method", Shape::kShort},
    {"sources.oauth2.client_assertion", Shape::kHidden},
    {"sources.oauth2.client_assertion_type", Shape::kWord},
    {"sources.oauth2.client_id", Shape::kHidden},
    {"sources.oauth2.client_secret", Shape::kHidden},
    {"sources.oauth2.endpoint_params", Shape::kHidden},
    {"sources.oauth2.grant_type", Shape::kShort},
    {"sources.oauth2.password", Shape::kHidden},
    {"sources.oauth2.refresh_token", Shape::kHidden},
    {"sources.oauth2.requested_token_type", Shape::kWord},
    {"sources.oauth2.resource", Shape::kHidden},
    {"sources.oauth2.scopes", Shape::kHidden},
    {"sources.oauth2.signing", Shape::kObject},
    {"sources.oauth2.signing.alg", Shape::kShort},
    {"sources.oauth2.signing.audience", Shape::kHidden},
    {"sources.oauth2.signing.key", Shape::kHidden},
    {"sources.oauth2.signing.kid", Shape::kHidden},
    {"sources.oauth2.signing.lifetime", Shape::kShort},
    {"sources.oauth2.subject", Shape::kObject},
    {"sources.oauth2.subject.header", Shape::kWord},
    {"sources.oauth2.subject.remove", Shape::kShort},
    {"sources.oauth2.subject.scheme", Shape::kShort},
    {"sources.oauth2.subject.token", Shape::kHidden},
    {"sources.oauth2.subject.type", Shape::kWord},
    {"sources.oauth2.username", Shape::kHidden},
    {"sources.on_error", Shape::kObject},
    {"sources.on_error.denied", Shape::kShort},
    {"sources.on_error.no_subject", Shape::kShort},
    {"sources.on_error.provider_refused", Shape::kShort},
    {"sources.on_error.subject_refused", Shape::kShort},
    {"sources.on_error.unavailable", Shape::kShort},
    {"sources.path", Shape::kPath},
    {"sources.refresh", Shape::kObject},
    {"sources.refresh.early", Shape::kShort},
    {"sources.refresh.every", Shape::kShort},
    {"sources.refresh.jitter", Shape::kShort},
    {"sources.refresh.retry", Shape::kObject},
    {"sources.refresh.retry.initial", Shape::kShort},
    {"sources.refresh.retry.max", Shape::kShort},
    {"sources.request_headers", Shape::kHidden},
    {"sources.timeout", Shape::kShort},
    {"trace", Shape::kShort},
    {"when_missing", Shape::kObject},
    {"when_missing.action", Shape::kShort},
    {"when_missing.body", Shape::kHidden},
    {"when_missing.hold_for", Shape::kShort},
    {"when_missing.max_held", Shape::kShort},
    {"when_missing.retry-after", Shape::kShort},
    {"when_missing.status", Shape::kShort},
};
static_assert(std::is_sorted(std::begin(kKeys), std::end(kKeys),
                             [](const Key& a, const Key& b) { return a.path < b.path; }));

const Key* find_key(std::string_view path) {
  const auto* found = std::lower_bound(std::begin(kKeys), std::end(kKeys), path,
                                       [](const Key& key, std::string_view wanted) { return key.path < wanted; });
  return found == std::end(kKeys) || found->path != path ? nullptr : found;
}

bool only(std::string_view text, std::string_view more, size_t most) {
  const auto fits = [&](char c) {
    return kLetters.find(c) != std::string_view::npos || kDigits.find(c) != std::string_view::npos ||
           more.find(c) != std::string_view::npos;
  };
  return text.size() <= most && std::all_of(text.begin(), text.end(), fits);
}

bool is_variable(std::string_view text) {
  for (const std::string_view begin : {"${env:", "${source:"}) {
    if (!text.starts_with(begin) || !text.ends_with('}')) continue;
    const std::string_view name = text.substr(begin.size(), text.size() - begin.size() - 1);
    return !name.empty() && kDigits.find(name[0]) == std::string_view::npos && only(name, "", 128);
  }
  return false;
}

std::string shown(Shape shape, std::string_view text) {
  constexpr size_t kLongestShort = 32;
  constexpr size_t kLongestWord = 256;
  if (is_variable(text)) return std::string(text);
  if (shape == Shape::kShort && only(text, "%", kLongestShort)) return std::string(text);
  if (shape == Shape::kWord && only(text, ".-:*|[]/", kLongestWord)) return std::string(text);
  if (shape == Shape::kPath && text.starts_with('/')) {
    const size_t end = text.find_first_of("?#;");
    return std::string(text.substr(0, end)) + (end == std::string_view::npos ? "" : "?" + std::string(kRedacted));
  }
  return std::string(kRedacted);
}

class Redactor {
 public:
  explicit Redactor(rapidjson::Document& document) : allocator_(document.GetAllocator()) {}

  // `path` is the value's key with those above it.
  void value(rapidjson::Value& value, Shape shape, const std::string& path) {
    if (shape == Shape::kObject && value.IsObject()) return object(value, path);
    if (shape != Shape::kHidden && value.IsArray()) {
      for (rapidjson::Value& item : value.GetArray()) {
        if (item.IsArray())
          text(item, kRedacted);
        else
          this->value(item, shape, path);
      }
      return;
    }
    if (value.IsString()) return text(value, shown(shape, {value.GetString(), value.GetStringLength()}));
    const bool plain = value.IsNull() || value.IsBool() || value.IsNumber();
    if (!plain || shape == Shape::kHidden) text(value, kRedacted);
  }

  void object(rapidjson::Value& object, const std::string& path) {
    // By the distance: clang takes the iterators' == and != of RapidJSON 1.1 for ambiguous.
    for (auto member = object.MemberBegin(); object.MemberEnd() - member > 0;) {
      std::string below = path.empty() ? "" : path + ".";
      below.append(member->name.GetString(), member->name.GetStringLength());
      const Key* key = find_key(below);
      if (key == nullptr) {
        member = object.EraseMember(member);
      } else {
        value(member->value, key->shape, below);
        ++member;
      }
    }
  }

 private:
  void text(rapidjson::Value& value, std::string_view text) {
    value.SetString(text.data(), static_cast<rapidjson::SizeType>(text.size()), allocator_);
  }

  rapidjson::Document::AllocatorType& allocator_;
};

}  // namespace

bool is_header_augmenting(std::string_view called) {
  std::string folded(called);
  std::replace(folded.begin(), folded.end(), '-', '_');
  return folded.find("header_augmenting") != std::string::npos;
}

std::string redacted_plugin_configuration(std::string_view called, std::string_view text) {
  if (text.empty()) return "";
  const std::string hidden = "[redacted: " + std::to_string(text.size()) + " bytes]";
  if (!is_header_augmenting(called)) return hidden;
  rapidjson::Document document;
  document.Parse<rapidjson::kParseIterativeFlag>(text.data(), text.size());
  if (document.HasParseError() || !document.IsObject()) return hidden;
  Redactor(document).object(document, "");
  rapidjson::StringBuffer buffer;
  rapidjson::Writer<rapidjson::StringBuffer> writer(buffer);
  document.Accept(writer);
  return {buffer.GetString(), buffer.GetSize()};
}

}  // namespace inlay::config
