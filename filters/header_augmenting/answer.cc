// SPDX-License-Identifier: Apache-2.0
#include "filters/header_augmenting/answer.h"

#include "abi/pairs.h"
#include "filters/header_augmenting/duration.h"
#include "filters/header_augmenting/features.h"
#include "filters/header_augmenting/header_rules.h"
#include "filters/header_augmenting/json.h"
#include "filters/header_augmenting/jwt.h"
#include "filters/header_augmenting/jwt_svid.h"
#include "filters/header_augmenting/template.h"
#include "filters/header_augmenting/text_builder.h"
#include "filters/header_augmenting/texts.h"
#include "sdk/clock.h"
#include "sdk/log.h"

namespace inlay::header_augmenting {
namespace {

// Collector: the headers that may be set.
class Collector {
 public:
  Collector(const SourceConfig& source, size_t most, Answer& answer)
      : source_(source), answer_(answer), pairs_(arena_.array<abi::Pair>(most + 1)) {}

  Arena& arena() { return arena_; }

  // add: `name` is in lower case. `value` has no data if it is no string.
  void add(std::string_view name, std::string_view value) {
    const char* reason = refusal(name, value);
    if (reason == nullptr) {
      pairs_[size_++] = {name, value};
      return;
    }
    ++answer_.refused;
    // What is no name must not even be logged.
    sdk::log_warn("source ", source_.name, ": header ", is_token(name) ? name.substr(0, 64) : "?",
                  " is left out: ", reason);
  }

  // add_value: what ${source:NAME} stands for, if there are any.
  void add_value(std::string_view value) {
    if (has(kReferences) && source_.is_referred_to) value_ = value;
  }

  // finish: whether there is an answer, to which its pairs are given.
  bool finish(FetchFailure& failure) {
    failure = FetchFailure::kNoHeaders;
    if (size_ == 0 && answer_.refused != 0) return false;
    if (!value_.empty()) pairs_[size_++] = {kValueName, value_};
    const std::span<const abi::Pair> pairs = pairs_.first(size_);
    failure = FetchFailure::kTooLarge;
    answer_.pairs = sdk::Bytes::allocate(abi::pairs_size(pairs));
    if (answer_.pairs.data() == nullptr) return false;
    abi::write_pairs(pairs, answer_.pairs.data());
    return true;
  }

 private:
  // refusal: why an entry cannot be set, nullptr if it can.
  const char* refusal(std::string_view name, std::string_view value) const {
    if (!is_token(name)) return "its name is not a header name";
    if (is_forbidden(name)) return "no source may set it";
    if (!is_allowed(name)) return "this source may not set it";
    if (value.data() == nullptr) return "its value is not a string";
    if (!is_safe_value(value)) return "its value has a control character";
    if (is_bare_scheme(name, value)) return "its value is a scheme without credentials";
    return nullptr;
  }

  bool is_allowed(std::string_view name) const {
    for (std::string_view allowed : source_.allow) {
      if (is_same(name, allowed)) return true;
      if (allowed.ends_with('*') && name.starts_with(allowed.substr(0, allowed.size() - 1))) return true;
    }
    return source_.allow.data() == nullptr;
  }

  const SourceConfig& source_;
  Answer& answer_;
  Arena arena_;
  Pairs pairs_;
  size_t size_ = 0;
  std::string_view value_;
};

// read_text: of format `text`.
bool read_text(std::string_view text, const SourceConfig& source, Answer& answer, FetchFailure& failure) {
  text = trim(text);
  failure = FetchFailure::kEmpty;
  if (text.empty()) return false;
  if (const auto end_ms = read_jwt_end_ms(text)) {
    const uint64_t now_ms = sdk::now_ms();
    failure = FetchFailure::kExpired;
    if (*end_ms <= now_ms) return false;
    answer.lifetime_ms = *end_ms - now_ms;
    answer.is_jwt = true;
  }
  Collector collector(source, source.headers.size(), answer);
  for (const abi::Pair& header : source.headers) {
    TextBuilder value;
    render_text(header.value, text, value);
    collector.add(header.key, collector.arena().copy(value.view()));
  }
  collector.add_value(text);
  return collector.finish(failure);
}

// read_headers: of format `headers`.
bool read_headers(const Json& json, const SourceConfig& source, Answer& answer, FetchFailure& failure) {
  size_t most = 0;
  for (const Json::Node* n = json.first(json.root()); n != nullptr; n = json.next(*n)) ++most;
  Collector collector(source, most, answer);
  for (const Json::Node* n = json.first(json.root()); n != nullptr; n = json.next(*n)) {
    const bool string = n->type == Json::Type::kString;
    collector.add(collector.arena().lower(n->key), string ? n->text : std::string_view());
  }
  return collector.finish(failure);
}

// read_lifetime: of `expires_in`, in seconds: a number in any of JSON's forms, or a string that is one. What is not
// above 0 says nothing; what is above a hundred years is a hundred years. What is below a second, the least that RFC
// 6749 can say, is a second: so the headers can be used, and are not fetched over and over.
uint64_t read_lifetime_ms(const Json& json) {
  constexpr uint64_t kLeastMs = 1000;
  const Json::Node* const node = find(json, "/expires_in");
  const uint64_t given = node == nullptr ? 0 : read_seconds_ms(node->text);
  return given != 0 && given < kLeastMs ? kLeastMs : given;
}

sdk::Bytes copy(std::string_view text) {
  sdk::Bytes bytes = sdk::Bytes::allocate(text.size());
  if (bytes.data() != nullptr) text.copy(bytes.data(), text.size());
  return bytes;
}

}  // namespace

bool read_answer(std::string_view body, const SourceConfig& source, Answer& answer, FetchFailure& failure) {
  if (body.starts_with("\xef\xbb\xbf")) body.remove_prefix(3);  // which RFC 8259 section 8.1 lets a reader ignore
  failure = FetchFailure::kNoValue;
  if (has(kSvid) && source.format == SourceConfig::Format::kJwtSvid) {
    body = read_svid(body);
    if (body.empty()) return false;
  }
  if (has(kText) && source.is_text()) return read_text(body, source, answer, failure);
  Json json;
  failure = FetchFailure::kBadJson;
  if (!json.parse(body) || json.root().type != Json::Type::kObject) return false;
  if (source.format == SourceConfig::Format::kHeaders) return read_headers(json, source, answer, failure);

  Collector collector(source, source.headers.size(), answer);
  const bool oauth2 = source.format == SourceConfig::Format::kOAuth2;
  failure = FetchFailure::kNoValue;
  if (has(kAssertions) && source.oauth2.grant_type == OAuth2::Grant::kRefreshToken) {
    const Json::Node* const token = find(json, "/refresh_token");
    if (token != nullptr && token->type == Json::Type::kString) answer.refresh_token = copy(token->text);
  }
  if (oauth2) {
    const Json::Node* const token = find(json, "/access_token");
    if (token == nullptr || token->type != Json::Type::kString || token->text.empty()) return false;
    collector.add_value(token->text);
  }
  for (const abi::Pair& header : source.headers) {
    TextBuilder value;
    if (!render(header.value, json, value)) return false;
    const std::string_view made = collector.arena().copy(value.view());
    collector.add(header.key, made);
    if (!oauth2) collector.add_value(made);  // a template that is referred to has one header
  }
  answer.lifetime_ms = read_lifetime_ms(json);
  return collector.finish(failure);
}

uint64_t read_max_age(std::string_view cache_control) {
  static constexpr std::string_view kName = "max-age=";
  constexpr uint64_t kMost = 9'999'999'999;
  while (!cache_control.empty()) {
    const std::string_view directive = trim(take_to(cache_control, ','));
    size_t same = 0;
    while (same < directive.size() && same < kName.size() && (directive[same] | 0x20) == kName[same]) ++same;
    if (same == kName.size()) return whole_number(directive.substr(same), kMost).value_or(0);
  }
  return 0;
}

}  // namespace inlay::header_augmenting
