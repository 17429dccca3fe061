// SPDX-License-Identifier: Apache-2.0
#include "filters/header_augmenting/compile.h"

#include "filters/header_augmenting/call.h"
#include "filters/header_augmenting/digest.h"
#include "filters/header_augmenting/oauth2.h"
#include "filters/header_augmenting/per_request.h"
#include "filters/header_augmenting/references.h"
#include "filters/header_augmenting/suggestion.h"
#include "filters/header_augmenting/template.h"

namespace inlay::header_augmenting {
namespace {

using Format = SourceConfig::Format;

constexpr uint64_t kUnauthorized[] = {401};

constexpr uint32_t kMaxDepth = 3;     // of references that lead from one source to the next
constexpr uint32_t kMostInARow = 16;  // sources that are looked at for a cycle, which costs stack

// Link: a source that is being compiled, and the one that refers to it.
struct Link {
  const Link* from;
  uint32_t index;
};

class Compiler {
 public:
  Compiler(Config& config, Report& report)
      : config_(config),
        arena_(config.arena),
        report_(report),
        depths_(arena_.array<uint32_t>(config.sources.size())),
        order_(arena_.array<uint32_t>(config.sources.size())) {}

  void sources() {
    const auto count = static_cast<uint32_t>(config_.sources.size());
    for (uint32_t i = 0; i < count; ++i) check_per_request(config_.sources[i], place_of(i), report_);
    for (uint32_t i = 0; i < count; ++i) find_references(i);
    for (uint32_t i = 0; i < count; ++i) put_in_order(i, nullptr);
    for (const uint32_t index : order_) source(index);
  }

  void rule(Rule& rule, const Place& place) {
    const bool all = rule.use.data() == nullptr;
    const size_t most = all ? config_.sources.size() : rule.use.size();
    rule.sources = arena_.array<uint32_t>(most);
    size_t size = 0;
    for (uint32_t i = 0; i < most; ++i) {
      if (all) {
        if (!config_.sources[i].is_referred_to) rule.sources[size++] = i;
        continue;
      }
      const Place use = {&place, "use"};
      const Place at = {&use, {}, i};
      const uint32_t source = find_source(at, rule.use[i]);
      if (source == kNone) continue;
      if (config_.sources[source].is_text() && config_.sources[source].headers.empty())
        report_.add(at, "a source that sets no header", "one with \"headers\"");
      rule.sources[size++] = source;
    }
    rule.sources = rule.sources.first(size);
    check_per_request_of(rule, place);
  }

 private:
  // Finder collects the sources that texts of a source refer to.
  class Finder final : public TextVisitor {
   public:
    Finder(Compiler& compiler, const Place& place) : compiler_(compiler), place_(place) {}
    void text(const char* key, std::string_view name, std::string_view& text) override {
      std::string_view rest = text;
      for (Piece piece; next_piece(rest, piece);) {
        if (!piece.is_reference) continue;
        const Place whole = {&place_, key};
        const Place member = {&whole, name};
        add(compiler_.refer(name.empty() ? whole : member, piece.text));
      }
    }
    std::span<uint32_t> found() const { return all_.first(size_); }

   private:
    void add(uint32_t source) {
      if (all_.empty()) all_ = compiler_.arena_.array<uint32_t>(compiler_.config_.sources.size());
      size_t i = 0;
      while (i < size_ && all_[i] != source) ++i;
      if (source != kNone && i == size_) all_[size_++] = source;
    }

    Compiler& compiler_;
    const Place& place_;
    std::span<uint32_t> all_;
    size_t size_ = 0;
  };

  // check_per_request_of: a rule has one source at most that is asked for each request.
  void check_per_request_of(Rule& rule, const Place& place) {
    for (const uint32_t index : rule.sources) {
      if (!config_.sources[index].per_request) continue;
      if (rule.per_request != kNoSource) {
        report_.add({&place, "use"}, "two sources that are asked for each request", "one at most");
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
      if (given) report_.add({&place, "with"}, "an object", "one with a source that is asked for each request only");
      return;
    }
    const std::string_view header = config_.sources[rule.per_request].oauth2.subject.header;
    for (const std::string_view removed : rule.remove) {
      if (removed == header) report_.add({&place, "remove"}, header, "no header that a source reads a token from");
    }
  }

  void find_references(uint32_t index) {
    const Place place = place_of(index);
    Finder finder(*this, place);
    for_each_text(config_.sources[index], finder);
    config_.sources[index].refers_to = finder.found();
  }

  // refer: the source `name`, of which a value can be had; else kNone, and an error at `place`.
  uint32_t refer(const Place& place, std::string_view name) {
    const uint32_t index = find_source(place, name);
    if (index == kNone) return kNone;
    SourceConfig& source = config_.sources[index];
    const bool single = source.format == Format::kTemplate && source.headers.size() == 1;
    if (!source.is_text() && source.format != Format::kOAuth2 && !single) {
      report_.add(place, "a source that may have several values",
                  "one of format \"text\", \"jwt_svid\" or \"oauth2\", or of \"template\" with one header");
    }
    if (source.per_request)
      report_.add(place, "a source that is asked for each request", "one that has a value without a request");
    source.is_referred_to = true;
    return index;
  }

  // put_in_order: a source behind those that it refers to.
  void put_in_order(uint32_t index, const Link* from) {
    if (depths_[index] != 0) return;
    const Link link{from, index};
    uint32_t depth = 1;
    for (const uint32_t other : config_.sources[index].refers_to) {
      if (is_cycle(&link, other)) continue;
      if (length(&link) < kMostInARow) put_in_order(other, &link);
      depth = depths_[other] >= depth ? depths_[other] + 1 : depth;
    }
    depths_[index] = depth;
    order_[ordered_++] = index;
    if (depth == kMaxDepth + 2) {
      report_.add(place_of(index), "a source that others lead to by more than three references", "three at most");
    }
  }

  void source(uint32_t index) {
    SourceConfig& source = config_.sources[index];
    check(source, place_of(index));
    set_defaults(source);
    set_digest(source);
    if (is_made_anew(source)) return;
    fill_in(source, {}, arena_);
    prepare_call(source, arena_);
  }

  static uint32_t length(const Link* link) {
    uint32_t links = 0;
    for (; link != nullptr; link = link->from) ++links;
    return links;
  }

  // is_cycle: whether `other`, which link's source refers to, is one that led there; then it is reported.
  [[gnu::noinline]] bool is_cycle(const Link* link, uint32_t other) {
    sdk::Line path;  // from the end to the begin
    path.add(config_.sources[other].name);
    const Place place = place_of(link->index);
    for (; link != nullptr; link = link->from) {
      sdk::Line longer;
      path = longer.add(config_.sources[link->index].name).add(" -> ").add(path.view());
      if (link->index != other) continue;
      sdk::Line found;
      report_.add(place, found.add("references in a cycle, ").add(path.view()).view(), "none that lead back");
      return true;
    }
    return false;
  }

  void set_defaults(SourceConfig& source) {
    const bool oauth2 = source.format == Format::kOAuth2;
    const bool text = source.is_text();
    if (source.refresh.early.percent == kNotGiven)
      source.refresh.early.percent = source.format == Format::kJwtSvid ? 50 : 20;
    if (oauth2 && source.headers.empty()) {
      source.headers = arena_.array<abi::Pair>(1);
      source.headers[0] = {"authorization", "Bearer {/access_token}"};
    }
    if (source.refresh.every_ms == 0) source.refresh.every_ms = text ? 10'000 : 360'000;
    source.ends_with_jwt = text && source.max_stale_ms == kNotGiven;
    if (source.max_stale_ms == kNotGiven) source.max_stale_ms = oauth2 ? 0 : kUnlimited;
    source.invalidate_on = config_.invalidate_on;
    if (oauth2 && config_.invalidate_on.data() == nullptr) source.invalidate_on = kUnauthorized;
  }

  // set_digest: of all that makes an answer, and when it is asked for. The digest of a source that is referred to
  // stands for its value.
  void set_digest(SourceConfig& source) {
    Arena arena;
    const Pairs values = arena.array<abi::Pair>(source.refers_to.size());
    for (size_t i = 0; i < values.size(); ++i) {
      const SourceConfig& other = config_.sources[source.refers_to[i]];
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
    for (const std::string_view text : {signing.key, signing.alg, signing.kid, signing.audience}) digest.add(text);
    digest.add(source.headers);
    for (const std::string_view name : source.allow) digest.add(name);
    const Refresh& refresh = source.refresh;
    for (const uint64_t number :
         {source.timeout_ms, signing.lifetime_ms, static_cast<uint64_t>(source.format), uint64_t{source.allow.size()},
          config_.max_body, refresh.every_ms, refresh.early.percent, refresh.early.ms, refresh.jitter.percent,
          refresh.jitter.ms, refresh.retry_initial_ms, refresh.retry_max_ms, source.max_stale_ms,
          uint64_t{source.is_referred_to} << 1 | uint64_t{source.ends_with_jwt}}) {
      digest.add(number);
    }
    source.digest = digest.value();
  }

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
         "one with \"oauth2\", \"template\", \"text\" or \"jwt_svid\" only");
    must(source.format != Format::kTemplate || templates, "headers", "nothing", "an object of header name to template");
    const bool text = source.is_text();
    must(!text || templates || source.is_referred_to, "headers", "nothing",
         "an object of header name to template, or ${source:NAME} with its name in another source");
    for (const abi::Pair& header : source.headers) {
      must(is_template(header.value), "headers", "\"{/\" without \"}\"", "{/json/pointer}");
      must(!text || header.value.find("{/") == std::string_view::npos, "headers", "{/json/pointer} with \"text\"",
           "{text}, which stands for all of the answer");
    }
    const bool svid = source.format == Format::kJwtSvid;
    must(svid != source.jwt_svid.audience.empty() && (svid || source.jwt_svid.spiffe_id.data() == nullptr), "jwt_svid",
         svid ? "nothing" : "an object", "an object with \"audience\", just if \"format\" is \"jwt_svid\"");
    must(!svid || (source.path.empty() && source.method.empty() && source.body.data() == nullptr), "format",
         "\"jwt_svid\" with \"path\", \"method\" or \"body\"", "none of these: the Workload API has its own");
    if (oauth2) check_assertion(source, place);
    must(!oauth2 || !source.path.empty(), "path", "nothing", "the token endpoint's path");
    must(!oauth2 || source.body.data() == nullptr, "body", "a string", "none: oauth2 makes its own");
    must(!oauth2 || source.method.empty() || source.method == "POST", "method", source.method,
         "POST, with which a token endpoint is asked (RFC 6749 section 3.2), or none");
    must(source.oauth2.grant_type != OAuth2::Grant::kPassword ||
             (source.oauth2.username.data() != nullptr && source.oauth2.password.data() != nullptr),
         "oauth2", "\"grant_type\" \"password\"", "\"username\" and \"password\" with it");
    must((source.oauth2.grant_type == OAuth2::Grant::kRefreshToken) == (source.oauth2.refresh_token.data() != nullptr),
         "oauth2", "\"grant_type\" or \"refresh_token\"", "\"grant_type\" \"refresh_token\" and the token with it");
    for (const SourceConfig& other : config_.sources) {
      if (&other == &source) break;
      must(other.name != source.name, "name", "one that an earlier source has", "a name of its own");
    }
  }

  // check_assertion: what a client that authenticates itself by an assertion has to say, and may not.
  void check_assertion(const SourceConfig& source, const Place& place) {
    const Place oauth2 = {&place, "oauth2"};
    const bool asserts = source.oauth2.auth_method == OAuth2::Authentication::kAssertion;
    const bool given = source.oauth2.client_assertion.data() != nullptr;
    if (asserts != given) {
      report_.add({&oauth2, "client_assertion"}, given ? "a string" : "nothing",
                  "a JWT such as ${source:NAME}, just if \"auth_method\" is \"client_assertion\"");
    }
    if (!is_assertion_type(source.oauth2.client_assertion_type)) {
      report_.add({&oauth2, "client_assertion_type"}, "a string", "\"jwt-bearer\", \"jwt-spiffe\", or a URN (urn:...)");
    }
    const bool signs = source.oauth2.auth_method == OAuth2::Authentication::kPrivateKey;
    const std::string_view alg = source.oauth2.signing.alg;
    const bool signing = alg.data() != nullptr;
    if (signs != signing) {
      report_.add({&oauth2, "signing"}, signing ? "an object" : "nothing",
                  "an object, just if \"auth_method\" is \"private_key_jwt\"");
    }
    const Place place_of_alg = {&oauth2, "signing"};
    if (!alg.empty() && alg != "ES256" && alg != "RS256")
      report_.add({&place_of_alg, "alg"}, alg.substr(0, 64), "ES256 or RS256");
    if (signs && source.oauth2.client_id.empty())
      report_.add({&oauth2, "client_id"}, "an empty string", "the client's name, which the assertion says");
    if (!asserts && !signs) return;
    if (source.oauth2.client_secret.data() != nullptr)
      report_.add({&oauth2, "client_secret"}, "a string", "none beside an assertion");
    if (source.authority.empty()) {
      report_.add({&place, "authority"}, "nothing",
                  "the token endpoint's own host: providers hold an assertion's audience against it");
    }
  }

  uint32_t find_source(const Place& place, std::string_view name) {
    Suggestion suggestion(name);
    for (uint32_t i = 0; i < config_.sources.size(); ++i) {
      if (config_.sources[i].name == name) return i;
      suggestion.consider(config_.sources[i].name);
    }
    report_.add(place, "the name of no source", suggestion.text());
    return kNone;
  }

  Place place_of(uint32_t source) const { return {&sources_, {}, source}; }

  static constexpr uint32_t kNone = UINT32_MAX;
  Config& config_;
  Arena& arena_;
  Report& report_;
  const Place top_;
  const Place sources_ = {&top_, "sources"};
  std::span<uint32_t> depths_;  // how many sources stand in a row from each on; 0: it has no place in order_ yet
  std::span<uint32_t> order_;
  size_t ordered_ = 0;
};

}  // namespace

void compile(Config& config, Report& report) {
  const Place top;
  if (config.sources.data() == nullptr) {
    if (config.flat.authority.empty()) config.flat.authority = "sidecar";
    config.sources = {&config.flat, 1};
  } else if (config.sources.empty()) {
    report.add({&top, "sources"}, "none", "one source at least");
  }
  Compiler compiler(config, report);
  compiler.sources();
  if (config.rules.empty()) config.rules = config.arena.array<Rule>(1);
  const Place rules = {&top, "rules"};
  size_t index = 0;
  for (Rule& rule : config.rules) compiler.rule(rule, {&rules, {}, index++});
}

}  // namespace inlay::header_augmenting
