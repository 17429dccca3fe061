// SPDX-License-Identifier: Apache-2.0
#include "filters/header_augmenting/compile.h"

#include "filters/header_augmenting/oauth2.h"
#include "filters/header_augmenting/suggestion.h"
#include "filters/header_augmenting/template.h"

namespace inlay::header_augmenting {
namespace {

using Format = SourceConfig::Format;

constexpr uint64_t kUnauthorized[] = {401};

// Digest: FNV-1a, so that no part of a configuration shows in a key of the shared data.
class Digest {
 public:
  void add(std::string_view text) {
    for (const char c : text) add_byte(static_cast<unsigned char>(c));
    add(uint64_t{text.size()});
  }
  void add(Pairs pairs) {
    for (const abi::Pair& pair : pairs) {
      add(pair.key);
      add(pair.value);
    }
    add(uint64_t{pairs.size()});
  }
  void add(uint64_t number) {
    for (int i = 0; i < 8; ++i, number >>= 8) add_byte(number & 0xff);
  }
  uint64_t value() const { return value_; }

 private:
  void add_byte(uint64_t byte) { value_ = (value_ ^ byte) * 0x100000001b3; }
  uint64_t value_ = 0xcbf29ce484222325;
};

class Compiler {
 public:
  Compiler(Config& config, Report& report) : config_(config), arena_(config.arena), report_(report) {}

  void source(SourceConfig& source, const Place& place) {
    const bool oauth2 = source.format == Format::kOAuth2;
    check(source, place);
    if (oauth2) {
      source.method = "POST";
      source.body = token_request_body(source.oauth2, arena_);
      if (source.headers.empty()) {
        source.headers = arena_.array<abi::Pair>(1);
        source.headers[0] = {"authorization", "Bearer {/access_token}"};
      }
    }
    if (source.max_stale_ms == kNotGiven) source.max_stale_ms = oauth2 ? 0 : kUnlimited;
    source.invalidate_on = config_.invalidate_on;
    if (oauth2 && config_.invalidate_on.data() == nullptr) source.invalidate_on = kUnauthorized;
    build_call(source);
    Digest digest;
    digest.add(source.cluster);
    digest.add(source.call);
    digest.add(source.body);
    digest.add(source.headers);
    for (const std::string_view name : source.allow) digest.add(name);
    const Refresh& refresh = source.refresh;
    for (const uint64_t number :
         {source.timeout_ms, static_cast<uint64_t>(source.format), uint64_t{source.allow.size()}, config_.max_body,
          refresh.every_ms, refresh.early.percent, refresh.early.ms, refresh.jitter.percent, refresh.jitter.ms,
          refresh.retry_initial_ms, refresh.retry_max_ms, source.max_stale_ms}) {
      digest.add(number);
    }
    source.digest = digest.value();
  }

  void rule(Rule& rule, const Place& place) {
    const bool all = rule.use.data() == nullptr;
    rule.sources = arena_.array<uint32_t>(all ? config_.sources.size() : rule.use.size());
    for (uint32_t i = 0; i < rule.sources.size(); ++i) {
      rule.sources[i] = i;
      if (all) continue;
      const Place use = {&place, "use"};
      rule.sources[i] = find_source({&use, {}, i}, rule.use[i]);
    }
  }

 private:
  // check: what one key demands of another.
  void check(const SourceConfig& source, const Place& place) {
    const bool oauth2 = source.format == Format::kOAuth2;
    const auto must = [&](bool holds, std::string_view key, std::string_view found, std::string_view expected) {
      if (!holds) report_.add({&place, key}, found, expected);
    };
    const bool templates = !source.headers.empty();
    must(oauth2 == (source.oauth2.client_id.data() != nullptr), "oauth2", oauth2 ? "nothing" : "an object",
         "an object with \"client_id\", just if \"format\" is \"oauth2\"");
    must(source.format != Format::kHeaders || !templates, "headers", "an object",
         "one with \"oauth2\" or \"template\" only");
    must(source.format != Format::kTemplate || templates, "headers", "nothing", "an object of header name to template");
    for (const abi::Pair& header : source.headers) {
      must(is_template(header.value), "headers", "\"{/\" without \"}\"", "{/json/pointer}");
    }
    must(!oauth2 || !source.path.empty(), "path", "nothing", "the token endpoint's path");
    must(!oauth2 || source.body.data() == nullptr, "body", "a string", "none: oauth2 makes its own");
    must(!oauth2 || source.method.empty() || source.method == "POST", "method", source.method,
         "POST, with which a token endpoint is asked (RFC 6749 section 3.2), or none");
    must(source.oauth2.grant_type != OAuth2::Grant::kPassword ||
             (source.oauth2.username.data() != nullptr && source.oauth2.password.data() != nullptr),
         "oauth2", "\"grant_type\" \"password\"", "\"username\" and \"password\" with it");
    for (const SourceConfig& other : config_.sources) {
      if (&other == &source) break;
      must(other.name != source.name, "name", "one that an earlier source has", "a name of its own");
    }
  }

  // build_call: the headers of the call-out.
  void build_call(SourceConfig& source) {
    const bool oauth2 = source.format == Format::kOAuth2;
    const bool basic = oauth2 && source.oauth2.auth_method == OAuth2::Authentication::kBasic;
    Pairs call = arena_.array<abi::Pair>(7 + source.request_headers.size());
    size_t size = 0;
    call[size++] = {":method", source.method.empty() ? "GET" : source.method};
    call[size++] = {":path", source.path.empty() ? "/headers" : source.path};
    call[size++] = {":authority", source.authority.empty() ? source.cluster : source.authority};
    for (const abi::Pair& header : source.request_headers) call[size++] = header;
    const auto add = [&](std::string_view name, std::string_view value) {
      for (const abi::Pair& header : source.request_headers) {
        if (header.key == name) return;
      }
      call[size++] = {name, value};
    };
    if (basic) add("authorization", basic_authorization(source.oauth2, arena_));
    if (oauth2) add("content-type", "application/x-www-form-urlencoded");
    add("accept", "application/json");
    add("accept-encoding", "identity");  // nothing is decoded here
    source.call = call.first(size);
  }

  uint32_t find_source(const Place& place, std::string_view name) {
    Suggestion suggestion(name);
    for (uint32_t i = 0; i < config_.sources.size(); ++i) {
      if (config_.sources[i].name == name) return i;
      suggestion.consider(config_.sources[i].name);
    }
    report_.add(place, "the name of no source", suggestion.text());
    return 0;
  }

  Config& config_;
  Arena& arena_;
  Report& report_;
};

}  // namespace

void compile(Config& config, Report& report) {
  const Place top;
  Compiler compiler(config, report);
  if (config.sources.data() == nullptr) {
    if (config.flat.authority.empty()) config.flat.authority = "sidecar";
    config.sources = {&config.flat, 1};
  } else if (config.sources.empty()) {
    report.add({&top, "sources"}, "none", "one source at least");
  }
  const Place sources = {&top, "sources"};
  size_t index = 0;
  for (SourceConfig& source : config.sources) compiler.source(source, {&sources, {}, index++});
  if (config.rules.empty()) config.rules = config.arena.array<Rule>(1);
  const Place rules = {&top, "rules"};
  index = 0;
  for (Rule& rule : config.rules) compiler.rule(rule, {&rules, {}, index++});
}

}  // namespace inlay::header_augmenting
