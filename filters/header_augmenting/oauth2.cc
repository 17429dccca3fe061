// SPDX-License-Identifier: Apache-2.0
#include "filters/header_augmenting/oauth2.h"

#include "filters/header_augmenting/encoding.h"
#include "filters/header_augmenting/features.h"
#include "filters/header_augmenting/references.h"
#include "filters/header_augmenting/text_builder.h"
#include "filters/header_augmenting/texts.h"

namespace inlay::header_augmenting {
namespace {

using Authentication = OAuth2::Authentication;

constexpr std::string_view kTokenType = "urn:ietf:params:oauth:token-type:";

void add_parameter(TextBuilder& form, std::string_view name, std::string_view value) {
  if (!form.empty()) form.add('&');
  add_form_encoded(form, name);
  form.add('=');
  add_form_encoded(form, value);
}

void add_parameters(TextBuilder& form, std::string_view name, Texts values) {
  for (const std::string_view value : values) add_parameter(form, name, value);
}

// add_token_type: short names stand for their URNs.
void add_token_type(TextBuilder& form, std::string_view name, std::string_view type) {
  TextBuilder urn;
  urn.add(type.find(':') == std::string_view::npos ? kTokenType : "").add(type);
  add_parameter(form, name, urn.view());
}

void add_assertion(TextBuilder& form, const OAuth2& oauth2) {
  TextBuilder type;
  const bool short_name = oauth2.client_assertion_type.starts_with("jwt-");
  type.add(short_name ? "urn:ietf:params:oauth:client-assertion-type:" : "").add(oauth2.client_assertion_type);
  add_parameter(form, "client_assertion_type", type.view());
  add_parameter(form, "client_assertion", oauth2.client_assertion);
}

// In the order of OAuth2::Grant.
constexpr std::string_view kGrants[] = {"client_credentials", "password", "refresh_token",
                                        "urn:ietf:params:oauth:grant-type:token-exchange",
                                        "urn:ietf:params:oauth:grant-type:jwt-bearer"};

// add_grant: what is exchanged for a token.
void add_grant(TextBuilder& form, const OAuth2& oauth2) {
  add_parameter(form, "grant_type", kGrants[static_cast<size_t>(oauth2.grant_type)]);
  switch (oauth2.grant_type) {
    case OAuth2::Grant::kPassword:
      add_parameter(form, "username", oauth2.username);
      add_parameter(form, "password", oauth2.password);
      break;
    case OAuth2::Grant::kRefreshToken:
      add_parameter(form, "refresh_token", oauth2.refresh_token);
      break;
    case OAuth2::Grant::kTokenExchange:
      add_parameter(form, "subject_token", oauth2.subject.token);
      add_token_type(form, "subject_token_type", oauth2.subject.type);
      if (!oauth2.actor.type.empty()) {
        add_parameter(form, "actor_token", oauth2.actor.token);
        add_token_type(form, "actor_token_type", oauth2.actor.type);
      }
      if (!oauth2.requested_token_type.empty())
        add_token_type(form, "requested_token_type", oauth2.requested_token_type);
      break;
    case OAuth2::Grant::kJwtBearer:
      add_parameter(form, "assertion", oauth2.subject.token);
      break;
    case OAuth2::Grant::kClientCredentials:
      break;
  }
}

}  // namespace

bool is_token_type(std::string_view text) {
  if (text.find(':') != std::string_view::npos) return true;
  return is_listed(text, "access_token\0refresh_token\0id_token\0saml1\0saml2\0jwt\0txn_token\0id-jag\0");
}

bool is_token_type_of(std::string_view uri, std::string_view text) {
  if (uri == text) return true;
  return uri.starts_with(kTokenType) && uri.substr(kTokenType.size()) == text;
}

bool is_assertion_type(std::string_view text) {
  return is_listed(text, "jwt-bearer\0jwt-spiffe\0") || text.starts_with("urn:") || has_marks(text);
}

std::string_view token_request_body(const OAuth2& oauth2, Arena& arena) {
  TextBuilder form;
  if (has(kAssertions))
    add_grant(form, oauth2);
  else
    add_parameter(form, "grant_type", "client_credentials");
  const bool asserts = has(kAssertions) && (oauth2.auth_method == Authentication::kAssertion ||
                                            oauth2.auth_method == Authentication::kPrivateKey);
  // RFC 7521 section 4.2: an assertion says who the client is, so that its name may be left out.
  if (oauth2.auth_method != Authentication::kBasic && !(asserts && oauth2.client_id.empty()))
    add_parameter(form, "client_id", oauth2.client_id);
  if (asserts) add_assertion(form, oauth2);
  if (oauth2.auth_method == Authentication::kPost) add_parameter(form, "client_secret", oauth2.client_secret);
  TextBuilder scope;
  for (const std::string_view one : oauth2.scopes) (scope.empty() ? scope : scope.add(' ')).add(one);
  if (!scope.empty()) add_parameter(form, "scope", scope.view());
  add_parameters(form, "audience", oauth2.audience);
  add_parameters(form, "resource", oauth2.resource);
  for (const abi::Pair& parameter : oauth2.endpoint_params) add_parameter(form, parameter.key, parameter.value);
  return arena.copy(form.view());
}

std::string_view basic_authorization(const OAuth2& oauth2, Arena& arena) {
  TextBuilder credentials;
  add_form_encoded(credentials, oauth2.client_id);
  credentials.add(':');
  add_form_encoded(credentials, oauth2.client_secret);
  TextBuilder value;
  add_base64(value.add("Basic "), credentials.view());
  return arena.copy(value.view());
}

}  // namespace inlay::header_augmenting
