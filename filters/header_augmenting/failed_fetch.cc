// SPDX-License-Identifier: Apache-2.0
#include "filters/header_augmenting/failed_fetch.h"

#include <initializer_list>

#include "filters/header_augmenting/features.h"
#include "filters/header_augmenting/header_rules.h"
#include "filters/header_augmenting/json.h"
#include "filters/header_augmenting/retry_after.h"
#include "filters/header_augmenting/template.h"
#include "filters/header_augmenting/texts.h"

namespace inlay::header_augmenting {
namespace {

constexpr size_t kMaxLocalAnswer = 4096;
constexpr size_t kMaxWhy = 256;
constexpr size_t kMaxCode = 64;
constexpr size_t kMaxDescription = 256;
constexpr size_t kShown = 8;  // so many bytes of a secret in a row show it, or the whole of a shorter one
constexpr size_t kLeast = 4;  // what is shorter stands in any text

// Errors of a token endpoint that stay until the client, its secret or what it asks for is changed; of a refresh token
// kInvalidGrant, too.
constexpr char kPermanent[] = "invalid_client\0unauthorized_client\0invalid_scope\0unsupported_grant_type\0";
constexpr std::string_view kInvalidGrant = "invalid_grant";

// What local answers begin with, in Envoy's words. The first says nothing more, and is left out.
constexpr std::string_view kConnect = "upstream connect error or disconnect/reset before headers. reset reason: ";
constexpr char kOthers[] = "upstream request timeout\0no healthy upstream\0";

// is_error_code: whether `text` has the form of those that are registered for OAuth2 and OpenID Connect.
bool is_error_code(std::string_view text) {
  for (const char c : text) {
    if (c != '_' && (c < 'a' || c > 'z')) return false;
  }
  return !text.empty() && text.size() <= kMaxCode;
}

// shows: whether a part of `secret` stands in `text`.
bool shows(std::string_view text, std::string_view secret) {
  if (secret.size() < kLeast) return false;
  const size_t size = secret.size() < kShown ? secret.size() : kShown;
  for (size_t at = 0; at + size <= secret.size(); ++at) {
    if (text.find(secret.substr(at, size)) != std::string_view::npos) return true;
  }
  return false;
}

// shows_secret: whether `text` is one of the values that the service was sent and that may be secret, or, if `parts`
// count, has a part of one in it.
bool shows_secret(std::string_view text, const SourceConfig& sent, bool parts) {
  const auto is_or_shows = [&](std::string_view secret) {
    return is_same(text, secret) || (has(kHints) && parts && shows(text, secret));
  };
  for (const Pairs pairs : {sent.oauth2.endpoint_params, sent.request_headers, sent.values}) {
    for (const abi::Pair& pair : pairs) {
      if (is_or_shows(pair.value)) return true;
    }
  }
  for (const abi::Pair& header : sent.call) {
    if (is_same(header.key, "authorization") && is_or_shows(header.value)) return true;
  }
  const OAuth2& o = sent.oauth2;
  if (is_or_shows(o.client_secret)) return true;
  if (!has(kAssertions)) return false;
  for (const std::string_view secret :
       {o.username, o.password, o.client_assertion, o.signing.key, o.refresh_token, o.subject.token, o.actor.token}) {
    if (is_or_shows(secret)) return true;
  }
  return false;
}

void add_printable(std::string_view text, sdk::Line& out) {
  for (const char& c : text) out.add(c < ' ' || c > '~' ? "?" : std::string_view(&c, 1));
}

// add_error: the code and the description of an OAuth2 error response (RFC 6749 section 5.2), if it is one. What else
// stands there may be anything, such as what was sent.
void add_error(std::string_view body, const SourceConfig& sent, FailedFetch& failed) {
  Json json;
  if (!json.parse(body) || json.root().type != Json::Type::kObject) return;
  const Json::Node* const code = find(json, "/error");
  if (code == nullptr || code->type != Json::Type::kString || !is_error_code(code->text)) return;
  if (shows_secret(code->text, sent, false)) return;
  failed.permanent =
      is_listed(code->text, kPermanent) ||
      (has(kAssertions) && sent.oauth2.grant_type == OAuth2::Grant::kRefreshToken && code->text == kInvalidGrant);
  failed.detail.add(" (").add(code->text);
  const Json::Node* const more = has(kHints) ? find(json, "/error_description") : nullptr;
  if (more != nullptr && more->type == Json::Type::kString && !more->text.empty() &&
      !shows_secret(more->text, sent, true)) {
    failed.detail.add(": ");
    add_printable(more->text.substr(0, kMaxDescription), failed.detail);
  }
  failed.detail.add(")");
}

}  // namespace

void failed_call(sdk::Status status, std::string_view cluster, FailedFetch& failed) {
  if (status == sdk::Status::kBrokenConnection) return;
  failed.reason = FetchFailure::kNotSent;
  failed.detail.add(status == sdk::Status::kBadArgument ? "there is no such cluster: "
                                                        : "no host of the cluster can be used (is one healthy, "
                                                          "does its name resolve?): ");
  failed.detail.add(cluster.substr(0, kMaxCode));
}

void failed_signature(sdk::Status status, FailedFetch& failed) {
  failed.reason = FetchFailure::kNotSigned;
  failed.permanent = true;
  failed.detail.add(
      status == sdk::Status::kNotFound
          ? "this host does not sign, as Envoy does from 1.37 on: use client_secret_basic, or a file as "
            "client_assertion"
          : "not with this key, which is to be a private one in PEM, PKCS #8: of the curve P-256 for ES256, "
            "of RSA for RS256");
}

bool is_local_answer(const sdk::HttpReply& reply, sdk::Line& why) {
  if (reply.status < 502 || reply.status > 504 || reply.body_size > kMaxLocalAnswer) return false;
  if (reply.headers().get("x-envoy-upstream-service-time")) return false;
  const auto body = reply.body();
  if (!body) return false;
  std::string_view text = body->view();
  if (text.starts_with(kConnect))
    text.remove_prefix(kConnect.size());
  else if (!is_listed(text, kOthers))
    return false;
  add_printable(text.substr(0, kMaxWhy), why);
  return true;
}

void failed_status(const sdk::HttpReply& reply, const SourceConfig& source, size_t max_body, FailedFetch& failed) {
  failed.reason = FetchFailure::kUnreachable;
  if (has(kHints) && is_local_answer(reply, failed.detail)) return;
  failed.reason = FetchFailure::kStatus;
  failed.refused = reply.status == 400 || reply.status == 401 || reply.status == 403;
  failed.permanent = reply.status == 404 || reply.status == 405;
  failed.detail.add(reply.status);
  if (source.format == SourceConfig::Format::kOAuth2 && reply.body_size <= max_body) {
    if (const auto body = reply.body()) add_error(body->view(), source, failed);
  }
  if (reply.status != 429 && reply.status != 503) return;
  if (const auto after = reply.headers().get("retry-after")) {
    const auto date = reply.headers().get("date");
    failed.retry_after_ms = read_retry_after_ms(after->view(), date ? date->view() : std::string_view());
  }
}

bool failed_grpc(const sdk::HttpReply& reply, FailedFetch& failed) {
  auto status = reply.headers().get("grpc-status");  // of an answer that has nothing else
  if (!status) status = reply.trailers().get("grpc-status");
  const std::string_view text = status ? status->view() : std::string_view();
  if (text == "0") return false;
  failed.reason = FetchFailure::kStatus;
  failed.detail.add("gRPC's ");
  add_printable(text.substr(0, 2), failed.detail);
  const char* meaning = "";
  if (text.empty()) meaning = "none: does the cluster speak HTTP/2?";
  if (text == "7") meaning = " (permission denied: no identity for this proxy)";
  if (text == "3") meaning = " (invalid argument)";
  if (text == "12") meaning = " (unimplemented: no Workload API there)";
  failed.permanent = text == "3" || text == "12";
  if (text == "4" || text == "14") {  // as Envoy says it in the place of the service
    failed.reason = FetchFailure::kUnreachable;
    meaning = text == "4" ? " (deadline exceeded)" : " (unavailable: nobody at the socket)";
  }
  failed.detail.add(meaning);
  return true;
}

void failed_body(const sdk::HttpReply& reply, std::string_view body, const SourceConfig& source, FailedFetch& failed) {
  if (failed.reason == FetchFailure::kNoValue && source.format == SourceConfig::Format::kOAuth2)
    add_error(body, source, failed);
  if (failed.reason != FetchFailure::kBadJson) return;
  if (const auto coding = reply.headers().get("content-encoding")) {
    const std::string_view name = coding->view();
    failed.detail.add(": it has a content coding, ")
        .add(is_token(name) && name.size() <= kMaxCode ? name : std::string_view("more than one"));
  }
}

}  // namespace inlay::header_augmenting
