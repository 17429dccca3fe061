// SPDX-License-Identifier: Apache-2.0
#include "filters/header_augmenting/compile.h"

#include "filters/header_augmenting/call.h"
#include "filters/header_augmenting/check.h"
#include "filters/header_augmenting/digest.h"
#include "filters/header_augmenting/features.h"
#include "filters/header_augmenting/per_request.h"
#include "filters/header_augmenting/references.h"
#include "filters/header_augmenting/source_order.h"
#include "filters/header_augmenting/texts.h"

namespace inlay::header_augmenting {
namespace {

using Format = SourceConfig::Format;

constexpr uint64_t kUnauthorized[] = {401};

void set_defaults(SourceConfig& source, Config& config) {
  const bool oauth2 = source.format == Format::kOAuth2;
  const bool text = has(kText) && source.is_text();
  if (source.refresh.early.percent == kNotGiven)
    source.refresh.early.percent = has(kSvid) && source.format == Format::kJwtSvid ? 50 : 20;
  if (oauth2 && source.headers.empty()) {
    source.headers = config.arena.array<abi::Pair>(1);
    source.headers[0] = {"authorization", "Bearer {/access_token}"};
  }
  if (source.refresh.every_ms == 0) source.refresh.every_ms = text ? 10'000 : 360'000;
  source.ends_with_jwt = text && source.max_stale_ms == kNotGiven;
  if (source.max_stale_ms == kNotGiven) source.max_stale_ms = oauth2 ? 0 : kUnlimited;
  source.invalidate_on = config.invalidate_on;
  if (oauth2 && config.invalidate_on.data() == nullptr) source.invalidate_on = kUnauthorized;
}

// set_digest: of all that makes an answer, and when it is asked for. The digest of a source that is referred to stands
// for its value.
void set_digest(SourceConfig& source, const Config& config) {
  Arena arena;
  const Pairs values = arena.array<abi::Pair>(source.refers_to.size());
  for (size_t i = 0; has(kReferences) && i < values.size(); ++i) {
    const SourceConfig& other = config.sources[source.refers_to[i]];
    sdk::Line line;
    values[i] = {other.name, arena.copy(line.add("source ").add(other.digest).view())};
  }
  SourceConfig filled = source;
  fill_in(filled, values, arena);
  prepare_call(filled, arena);
  Digest digest;
  digest.add(source.cluster);
  digest.add(filled.call);
  digest.add(filled.body);
  const OAuth2::Signing& signing = filled.oauth2.signing;
  if (has(kAssertions)) {
    for (const std::string_view text : {signing.key, signing.alg, signing.kid, signing.audience}) digest.add(text);
  }
  digest.add(source.headers);
  for (const std::string_view name : source.allow) digest.add(name);
  static_assert(sizeof(Refresh) == 7 * sizeof(uint64_t), "it has no padding");
  digest.add(std::string_view(reinterpret_cast<const char*>(&source.refresh), sizeof(Refresh)));
  for (const uint64_t number : {source.timeout_ms, signing.lifetime_ms, config.max_body, source.max_stale_ms})
    digest.add(number);
  digest.add(uint64_t{source.allow.size()} << 16 | uint64_t{static_cast<uint8_t>(source.format)} << 8 |
             uint64_t{source.is_referred_to} << 1 | uint64_t{source.ends_with_jwt});
  source.digest = digest.value();
}

void compile_source(Config& config, uint32_t index, Report& report) {
  SourceConfig& source = config.sources[index];
  check_source(config, index, report);
  set_defaults(source, config);
  set_digest(source, config);
  if (is_made_anew(source)) return;
  fill_in(source, {}, config.arena);
  prepare_call(source, config.arena);
}

// check_per_request_of: a rule has one source at most that is asked for each request.
void check_per_request_of(const Config& config, Rule& rule, const Place& place, Report& report) {
  for (const uint32_t index : rule.sources) {
    if (!config.sources[index].per_request) continue;
    if (rule.per_request != kNoSource) {
      report.add({&place, "use"}, "two sources that are asked for each request", "one at most");
      break;
    }
    rule.per_request = index;
  }
  Digest digest;
  bool given = false;
  for (const Texts texts : {rule.with.audience, rule.with.scopes, rule.with.resource}) {
    given = given || texts.data() != nullptr;
    digest.add(texts.size() + (texts.data() != nullptr ? 1 : 0));
    for (const std::string_view text : texts) digest.add(text);
  }
  if (given) rule.with_digest = digest.value();
  if (rule.per_request == kNoSource) {
    if (given) report.add({&place, "with"}, "an object", "one with a source that is asked for each request only");
    return;
  }
  const std::string_view header = config.sources[rule.per_request].oauth2.subject.header;
  for (const std::string_view removed : rule.remove) {
    if (is_same(removed, header)) report.add({&place, "remove"}, header, "no header that a source reads a token from");
  }
}

void compile_rule(Config& config, Rule& rule, const Place& place, Report& report) {
  const bool all = rule.use.data() == nullptr;
  const size_t most = all ? config.sources.size() : rule.use.size();
  rule.sources = config.arena.array<uint32_t>(most);
  size_t size = 0;
  for (uint32_t i = 0; i < most; ++i) {
    if (all) {
      if (!has(kReferences) || !config.sources[i].is_referred_to) rule.sources[size++] = i;
      continue;
    }
    const Place use = {&place, "use"};
    const Place at = {&use, {}, i};
    const uint32_t source = find_source(config, at, rule.use[i], report);
    if (source == kNoSource) continue;
    if (has(kText) && config.sources[source].is_text() && config.sources[source].headers.empty())
      report.add(at, "a source that sets no header", "one with \"headers\"");
    rule.sources[size++] = source;
  }
  rule.sources = rule.sources.first(size);
  if (has(kExchange)) check_per_request_of(config, rule, place, report);
}

}  // namespace

void compile(Config& config, Report& report) {
  const Place top;
  if (config.sources.data() == nullptr) {
    if (config.flat.authority.empty()) config.flat.authority = "sidecar";
    config.sources = {&config.flat, 1};
  } else if (config.sources.empty()) {
    report.add({&top, "sources"}, "none", "one source at least");
  }
  const Place sources = {&top, "sources"};
  for (uint32_t i = 0; has(kExchange) && i < config.sources.size(); ++i)
    check_per_request(config.sources[i], {&sources, {}, i}, report);
  std::span<const uint32_t> order;
  if (has(kReferences)) order = order_sources(config, report);
  for (uint32_t i = 0; i < config.sources.size(); ++i) compile_source(config, order.empty() ? i : order[i], report);
  if (config.rules.empty()) config.rules = {::new (config.arena.take(sizeof(Rule))) Rule(), 1};
  if (!has(kHold) && config.when_missing.action == WhenMissing::Action::kHold)
    report.add_lacking({&top, "when_missing.action"}, "the value");
  const Place rules = {&top, "rules"};
  size_t index = 0;
  for (Rule& rule : config.rules) compile_rule(config, rule, {&rules, {}, index++}, report);
}

}  // namespace inlay::header_augmenting
