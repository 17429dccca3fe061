// SPDX-License-Identifier: Apache-2.0
#pragma once

// The filter's configuration: a JSON object, described in docs/reference/header_augmenting.md. Its keys stand in tables
// (config_schema.h). The structures here are plain: everything they view belongs to the Config that they came with.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "abi/pairs.h"
#include "filters/header_augmenting/arena.h"
#include "filters/header_augmenting/json.h"

namespace inlay::header_augmenting {

// Texts, Pairs: a default-made one has no data, and means that the key was not given.
using Texts = std::span<std::string_view>;
using Pairs = std::span<abi::Pair>;

// Share: a part of a time, as a percentage of it, or as it stands.
struct Share {
  uint64_t percent = 0;
  uint64_t ms = 0;
  uint64_t of(uint64_t whole_ms) const { return whole_ms * percent / 100 + ms; }
};

inline constexpr uint64_t kUnlimited = UINT64_MAX;
inline constexpr uint64_t kNotGiven = UINT64_MAX - 1;

// Refresh: when a source is asked.
struct Refresh {
  uint64_t every_ms = 0;              // lifetime of an answer that says nothing of its own; 0: the format's default
  Share early{.percent = kNotGiven};  // an answer that says its lifetime is renewed this much before the end,
  Share jitter{.percent = 10};        // or up to this much later; any other, up to this much before the end
  uint64_t retry_initial_ms = 250;    // exponential, with full jitter
  uint64_t retry_max_ms = 30'000;
};

enum class Presence : uint8_t { kAny, kPresent, kAbsent };

// Party: whom a token is exchanged for: where its own token is found, and what that is.
struct Party {
  std::string_view header;           // of the request
  std::string_view scheme;           // before the token there; empty: none
  Presence remove = Presence::kAny;  // take it off the request; not kAbsent: yes
  std::string_view type;             // of RFC 8693 section 3, short or as a URN
  std::string_view token;            // in place of a header's; of a call, the token
};

// OAuth2: the token request of RFC 6749, sections 4.3, 4.4 and 6, of RFC 8693 and of RFC 7523.
struct OAuth2 {
  enum class Grant : uint8_t { kClientCredentials, kPassword, kRefreshToken, kTokenExchange, kJwtBearer };
  enum class Authentication : uint8_t { kBasic, kPost, kNone, kAssertion, kPrivateKey };
  struct Signing {  // of the assertion that a client with a key makes itself
    std::string_view key;
    std::string_view alg;
    std::string_view kid;
    std::string_view audience;
    uint64_t lifetime_ms = 60'000;
  };
  Grant grant_type = Grant::kClientCredentials;
  Authentication auth_method = Authentication::kBasic;
  std::string_view client_id;
  std::string_view client_secret;
  std::string_view client_assertion;
  std::string_view client_assertion_type = "jwt-bearer";  // or another name of RFC 7521's registry, or a URN
  Signing signing;
  std::string_view username;
  std::string_view password;
  std::string_view refresh_token;
  Party subject;
  Party actor;
  std::string_view requested_token_type;
  Texts scopes;
  Texts audience;
  Texts resource;
  Pairs endpoint_params;
};

// JwtSvid: what SPIFFE's Workload API is asked for.
struct JwtSvid {
  Texts audience;
  std::string_view spiffe_id;
};

// TokenCache: what is kept of a source that is asked for each request.
struct TokenCache {
  uint64_t entries = 4096;
  uint64_t bytes = 16 << 20;
  uint64_t default_life_ms = 300'000;
  uint64_t refused_life_ms = 10'000;
  uint64_t max_token = 8192;
  uint64_t max_waiting = 1024;
  uint64_t max_calls = 64;
};

// OnError: with which status such a source has a request answered, in the order of Outcome (per_request.h).
struct OnError {
  uint64_t no_subject = 401;  // 0: the request goes on without
  uint64_t subject_refused = 401;
  uint64_t denied = 403;
  uint64_t provider_refused = 502;
  uint64_t unavailable = 503;
};

// SourceConfig: one service that provides headers, how and when to ask it, and what to make of its answer.
struct SourceConfig {
  enum class Format : uint8_t { kHeaders, kOAuth2, kTemplate, kText, kJwtSvid };
  std::string_view name = "default";  // in the metrics' names
  std::string_view cluster = "sidecar";
  std::string_view authority;
  std::string_view path;
  std::string_view method;
  Pairs request_headers;
  std::string_view body;
  uint64_t timeout_ms = 5'000;
  Format format = Format::kHeaders;
  OAuth2 oauth2;
  JwtSvid jwt_svid;
  Pairs headers;  // header name to template
  Texts allow;    // names, or prefixes that end in "*"
  Refresh refresh;
  uint64_t max_stale_ms = kNotGiven;
  TokenCache cache;
  OnError on_error;

  // is_text: whether an answer is one text, which {text} stands for.
  bool is_text() const { return format >= Format::kText; }

  // Made of the above by compile (compile.h).
  Pairs call;                     // the request's headers, whole; not yet if the source refers to others
  Pairs values;                   // that references were filled in with, by name; of a call, not of the configuration
  std::span<uint32_t> refers_to;  // places in Config::sources of those that ${source:NAME} names here
  bool is_referred_to = false;    // ${source:NAME} names this one somewhere
  bool ends_with_jwt = false;     // an answer that is a JWT is not used past its end
  bool per_request = false;       // it is asked with what a request brings (per_request.h)
  std::span<const uint64_t> invalidate_on;
  uint64_t digest = 0;  // the same for sources that are the same but for their names
};

// HeaderMatch: every condition that is given has to hold; none: the header is there.
struct HeaderMatch {
  std::string_view name;
  std::string_view exact;
  std::string_view prefix;
  Presence present = Presence::kAny;
};

struct Match {
  std::string_view cluster;    // where the route leads
  std::string_view authority;  // in lower case; "*.x" stands for all that ends in ".x"
  std::string_view path_prefix;
  std::string_view path;
  Texts methods;
  std::span<HeaderMatch> headers;
};

enum class Mode : uint8_t { kSet, kIfAbsent, kAppend };

// With: what a source that is asked for each request asks for, in place of what it says itself.
struct With {
  Texts audience;
  Texts scopes;
  Texts resource;
};

inline constexpr uint32_t kNoSource = UINT32_MAX;

// Rule: what becomes of the requests that it matches.
struct Rule {
  Match match;
  Texts use;  // not given: all that no other source refers to
  With with;
  Mode mode = Mode::kSet;
  Texts remove;

  // Made of the above by compile.
  std::span<uint32_t> sources;       // of `use`: places in Config::sources
  uint32_t per_request = kNoSource;  // the one of them that is asked for each request
  uint64_t with_digest = 0;          // 0: there is no `with`
};

// WhenMissing: what becomes of a request while there are no headers for it.
struct WhenMissing {
  enum class Action : uint8_t { kReject, kPass, kHold };
  Action action = Action::kReject;
  uint64_t status = 503;
  std::string_view body = "the headers that this request needs are not available yet";
  std::string_view retry_after;  // seconds, in decimal; empty: no such header
  uint64_t hold_for_ms = 2'000;
  uint64_t max_held = 1024;
};

struct ConfigValues {
  SourceConfig flat;  // the four keys of the short form
  std::span<SourceConfig> sources;
  std::span<Rule> rules;
  WhenMissing when_missing;
  std::span<uint64_t> invalidate_on;
  uint64_t max_body = 64 * 1024;
  Presence trace = Presence::kAny;  // kAbsent: no request that passes the proxy is a TRACE
};

// kInitialValues: as they are made. Copied, they take less of a module than a constructor.
inline constexpr ConfigValues kInitialValues{};

struct Config : ConfigValues {
  Config() : ConfigValues(kInitialValues) {}
  Config(const Config&) = delete;  // it views itself
  Config& operator=(const Config&) = delete;

  Arena arena;  // what the values view, but for
  Json text;
};

// parse_config: reads `text` into `config`, which is as it was made; no text at all is an empty object. `environment`
// is where ${env:NAME} looks: "NAME=value" entries, each ended by a NUL. Each error is logged, in one line, with the
// key's path, what was found and what is expected; false if there was one. Values that may be secret are not repeated.
bool parse_config(std::string_view text, std::string_view environment, Config& config);

}  // namespace inlay::header_augmenting
