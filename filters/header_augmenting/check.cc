// SPDX-License-Identifier: Apache-2.0
#include "filters/header_augmenting/check.h"

#include "filters/header_augmenting/features.h"
#include "filters/header_augmenting/oauth2.h"
#include "filters/header_augmenting/template.h"
#include "filters/header_augmenting/texts.h"

namespace inlay::header_augmenting {
namespace {

using Format = SourceConfig::Format;
using Authentication = OAuth2::Authentication;

class SourceCheck : private Check {
 public:
  SourceCheck(const SourceConfig& source, const Place& place, Report& report)
      : Check(place, report), source_(source), place_(place), report_(report) {}

  void features() {
    constexpr const char* kValue = "the value";
    const OAuth2& oauth2 = source_.oauth2;
    if (source_.is_text() && !has(kText | kSvid)) report_.add_lacking({&place_, "format"}, kValue);
    if (has(kAssertions)) return;
    if (oauth2.auth_method >= Authentication::kAssertion) report_.add_lacking({&place_, "oauth2.auth_method"}, kValue);
    if (oauth2.grant_type != OAuth2::Grant::kClientCredentials)
      report_.add_lacking({&place_, "oauth2.grant_type"}, kValue);
  }

  void format() {
    const bool oauth2 = source_.format == Format::kOAuth2;
    const bool templates = !source_.headers.empty();
    must(oauth2 == (source_.oauth2.client_id.data() != nullptr), "oauth2", oauth2 ? "nothing" : "an object",
         "an object with \"client_id\", just if \"format\" is \"oauth2\"");
    must(source_.format != Format::kHeaders || !templates, "headers", "an object",
         "one with \"oauth2\", \"template\", \"text\" or \"jwt_svid\" only");
    must(source_.format != Format::kTemplate || templates, "headers", "nothing",
         "an object of header name to template");
    for (const abi::Pair& header : source_.headers)
      must(is_template(header.value), "headers", "\"{/\" without \"}\"", "{/json/pointer}");
    if (has(kText) && source_.is_text()) text();
  }

  void text() {
    must(!source_.headers.empty() || source_.is_referred_to, "headers", "nothing",
         "an object of header name to template, or ${source:NAME} with its name in another source");
    for (const abi::Pair& header : source_.headers) {
      must(header.value.find("{/") == std::string_view::npos, "headers", "{/json/pointer} with \"text\"",
           "{text}, which stands for all of the answer");
    }
  }

  // svid: what SPIFFE's Workload API is asked for.
  void svid() {
    const bool svid = source_.format == Format::kJwtSvid;
    must(svid != source_.jwt_svid.audience.empty() && (svid || source_.jwt_svid.spiffe_id.data() == nullptr),
         "jwt_svid", svid ? "nothing" : "an object", "an object with \"audience\", just if \"format\" is \"jwt_svid\"");
    must(!svid || (source_.path.empty() && source_.method.empty() && source_.body.data() == nullptr), "format",
         "\"jwt_svid\" with \"path\", \"method\" or \"body\"", "none of these: the Workload API has its own");
  }

  // request: what a token endpoint is sent.
  void request() {
    must(!source_.path.empty(), "path", "nothing", "the token endpoint's path");
    must(source_.body.data() == nullptr, "body", "a string", "none: oauth2 makes its own");
    if (!source_.method.empty() && !is_same(source_.method, "POST"))
      found("method", source_.method, "POST (RFC 6749 section 3.2), or none");
  }

  void grant() {
    must(source_.oauth2.grant_type != OAuth2::Grant::kPassword ||
             (source_.oauth2.username.data() != nullptr && source_.oauth2.password.data() != nullptr),
         "oauth2", "\"grant_type\" \"password\"", "\"username\" and \"password\" with it");
    must(
        (source_.oauth2.grant_type == OAuth2::Grant::kRefreshToken) == (source_.oauth2.refresh_token.data() != nullptr),
        "oauth2", "\"grant_type\" or \"refresh_token\"", "\"grant_type\" \"refresh_token\" and the token with it");
  }

  // assertion: what a client that authenticates itself by an assertion has to say, and may not.
  void assertion() {
    const OAuth2& oauth2 = source_.oauth2;
    const bool asserts = oauth2.auth_method == Authentication::kAssertion;
    const bool given = oauth2.client_assertion.data() != nullptr;
    must(asserts == given, "oauth2.client_assertion", given ? "a string" : "nothing",
         "a JWT such as ${source:NAME}, just if \"auth_method\" is \"client_assertion\"");
    must(is_assertion_type(oauth2.client_assertion_type), "oauth2.client_assertion_type", "a string",
         "\"jwt-bearer\", \"jwt-spiffe\", or a URN (urn:...)");
    const bool signs = oauth2.auth_method == Authentication::kPrivateKey;
    const std::string_view alg = oauth2.signing.alg;
    const bool signing = alg.data() != nullptr;
    must(signs == signing, "oauth2.signing", signing ? "an object" : "nothing",
         "an object, just if \"auth_method\" is \"private_key_jwt\"");
    if (!alg.empty() && !is_listed(alg, "ES256\0RS256\0")) found("oauth2.signing.alg", alg, "ES256 or RS256");
    must(!signs || !oauth2.client_id.empty(), "oauth2.client_id", "an empty string",
         "the client's name, which the assertion says");
    if (!asserts && !signs) return;
    must(oauth2.client_secret.data() == nullptr, "oauth2.client_secret", "a string", "none beside an assertion");
    must(!source_.authority.empty(), "authority", "nothing",
         "the token endpoint's own host: providers hold an assertion's audience against it");
  }

  void name(std::span<const SourceConfig> before) {
    for (const SourceConfig& other : before)
      must(!is_same(other.name, source_.name), "name", "one that an earlier source has", "a name of its own");
  }

 private:
  const SourceConfig& source_;
  const Place& place_;
  Report& report_;
};

}  // namespace

void check_source(const Config& config, uint32_t index, Report& report) {
  const Place top;
  const Place sources = {&top, "sources"};
  const Place place = {&sources, {}, index};
  const SourceConfig& source = config.sources[index];
  SourceCheck check(source, place, report);
  check.features();
  check.format();
  if (has(kSvid)) check.svid();
  if (source.format == Format::kOAuth2) {
    if (has(kAssertions)) check.assertion();
    check.request();
  }
  if (has(kAssertions)) check.grant();
  check.name(config.sources.first(index));
}

}  // namespace inlay::header_augmenting
