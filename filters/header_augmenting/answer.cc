// SPDX-License-Identifier: Apache-2.0
#include "filters/header_augmenting/answer.h"

#include "abi/pairs.h"
#include "filters/header_augmenting/duration.h"
#include "filters/header_augmenting/header_rules.h"
#include "filters/header_augmenting/json.h"
#include "filters/header_augmenting/jwt.h"
#include "filters/header_augmenting/jwt_svid.h"
#include "filters/header_augmenting/template.h"
#include "filters/header_augmenting/text_builder.h"
#include "sdk/clock.h"
#include "sdk/log.h"

namespace inlay::header_augmenting {
namespace {

// Collector: the headers that may be set.
class Collector {
 public:
  Collector(const SourceConfig& source, size_t most) : source_(source), pairs_(arena_.array<abi::Pair>(most + 1)) {}

  Arena& arena() { return arena_; }

  // add: `name` is in lower case. `value` has no data if it is no string.
  void add(std::string_view name, std::string_view value) {
    const char* reason = refusal(name, value);
    if (reason == nullptr) {
      pairs_[size_++] = {name, value};
      return;
    }
    ++refused_;
    // What is no name must not even be logged.
    sdk::log_warn("source ", source_.name, ": header ", is_token(name) ? name.substr(0, 64) : "?",
                  " is left out: ", reason);
  }

  // add_value: what ${source:NAME} stands for, if there are any.
  void add_value(std::string_view value) {
    if (source_.is_referred_to) value_ = value;
  }

  Result<Answer, FetchFailure> finish(uint64_t lifetime_ms) {
    if (size_ == 0 && refused_ != 0) return FetchFailure::kNoHeaders;
    if (!value_.empty()) pairs_[size_++] = {kValueName, value_};
    const Pairs pairs = pairs_.first(size_);
    Answer answer;
    answer.refused = refused_;
    answer.lifetime_ms = lifetime_ms;
    answer.pairs = sdk::Bytes::allocate(abi::pairs_size(pairs));
    if (answer.pairs.data() == nullptr) return FetchFailure::kTooLarge;
    abi::write_pairs(pairs, answer.pairs.data());
    return answer;
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
      if (name == allowed) return true;
      if (allowed.ends_with('*') && name.starts_with(allowed.substr(0, allowed.size() - 1))) return true;
    }
    return source_.allow.data() == nullptr;
  }

  const SourceConfig& source_;
  Arena arena_;
  Pairs pairs_;
  size_t size_ = 0;
  uint32_t refused_ = 0;
  std::string_view value_;
};

bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

// read_text: of format `text`.
Result<Answer, FetchFailure> read_text(std::string_view text, const SourceConfig& source) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  if (text.empty()) return FetchFailure::kEmpty;
  uint64_t lifetime_ms = 0;
  const auto end_ms = read_jwt_end_ms(text);
  if (end_ms) {
    const uint64_t now_ms = sdk::now_ms();
    if (*end_ms <= now_ms) return FetchFailure::kExpired;
    lifetime_ms = *end_ms - now_ms;
  }
  Collector collector(source, source.headers.size());
  for (const abi::Pair& header : source.headers) {
    TextBuilder value;
    render_text(header.value, text, value);
    collector.add(header.key, collector.arena().copy(value.view()));
  }
  collector.add_value(text);
  auto answer = collector.finish(lifetime_ms);
  if (answer) answer->is_jwt = end_ms.has_value();
  return answer;
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

}  // namespace

Result<Answer, FetchFailure> read_answer(std::string_view body, const SourceConfig& source) {
  if (body.starts_with("\xef\xbb\xbf")) body.remove_prefix(3);  // which RFC 8259 section 8.1 lets a reader ignore
  if (source.format == SourceConfig::Format::kJwtSvid) {
    body = read_svid(body);
    if (body.empty()) return FetchFailure::kNoValue;
  }
  if (source.is_text()) return read_text(body, source);
  const auto json = Json::parse(body);
  if (!json || json->root().type != Json::Type::kObject) return FetchFailure::kBadJson;

  if (source.format == SourceConfig::Format::kHeaders) {
    size_t most = 0;
    for (const Json::Node* n = json->first(json->root()); n != nullptr; n = json->next(*n)) ++most;
    Collector collector(source, most);
    for (const Json::Node* n = json->first(json->root()); n != nullptr; n = json->next(*n)) {
      const bool string = n->type == Json::Type::kString;
      collector.add(collector.arena().lower(n->key), string ? n->text : std::string_view());
    }
    return collector.finish(0);
  }

  Collector collector(source, source.headers.size());
  const bool oauth2 = source.format == SourceConfig::Format::kOAuth2;
  if (oauth2) {
    const Json::Node* const token = find(*json, "/access_token");
    if (token == nullptr || token->type != Json::Type::kString || token->text.empty()) return FetchFailure::kNoValue;
    collector.add_value(token->text);
  }
  for (const abi::Pair& header : source.headers) {
    TextBuilder value;
    if (!render(header.value, *json, value)) return FetchFailure::kNoValue;
    const std::string_view made = collector.arena().copy(value.view());
    collector.add(header.key, made);
    if (!oauth2) collector.add_value(made);  // a template that is referred to has one header
  }
  return collector.finish(read_lifetime_ms(*json));
}

uint64_t read_max_age(std::string_view cache_control) {
  static constexpr std::string_view kName = "max-age=";
  const auto is_space = [](char c) { return c == ' ' || c == '\t'; };
  size_t matched = 0;  // of kName
  bool begins = true;  // nothing but spaces since the last comma
  for (size_t i = 0; i < cache_control.size(); ++i) {
    const char c = cache_control[i];
    if (c == ',') {
      matched = 0;
      begins = true;
      continue;
    }
    if (begins && matched == 0 && is_space(c)) continue;
    begins = begins && (c | 0x20) == (kName[matched] | 0x20);
    if (!begins || ++matched < kName.size()) continue;
    uint64_t seconds = 0;
    size_t digits = 0;
    for (++i; i < cache_control.size() && cache_control[i] >= '0' && cache_control[i] <= '9' && digits < 10; ++digits) {
      seconds = seconds * 10 + static_cast<uint64_t>(cache_control[i++] - '0');
    }
    while (i < cache_control.size() && is_space(cache_control[i])) ++i;
    const bool ends = i == cache_control.size() || cache_control[i] == ',';
    return ends && digits < 10 ? seconds : 0;
  }
  return 0;
}

}  // namespace inlay::header_augmenting
