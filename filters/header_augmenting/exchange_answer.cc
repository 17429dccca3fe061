// SPDX-License-Identifier: Apache-2.0
#include "filters/header_augmenting/exchange_answer.h"

#include "filters/header_augmenting/json.h"
#include "filters/header_augmenting/oauth2.h"
#include "filters/header_augmenting/template.h"

namespace inlay::header_augmenting {
namespace {

struct Meaning {
  std::string_view error;
  Outcome outcome;
};

// jti_known is Hydra's for an assertion that was used before, interaction_required what needs the user himself.
constexpr Meaning kMeanings[] = {
    {"invalid_grant", Outcome::kRefused},   {"invalid_request", Outcome::kRefused},
    {"invalid_token", Outcome::kRefused},   {"jti_known", Outcome::kRefused},
    {"access_denied", Outcome::kDenied},    {"invalid_target", Outcome::kDenied},
    {"invalid_scope", Outcome::kDenied},    {"interaction_required", Outcome::kDenied},
    {"consent_required", Outcome::kDenied},
};

// text_of: the string that `pointer` names; without data if it names none.
std::string_view text_of(const Json& json, std::string_view pointer) {
  const Json::Node* const node = find(json, pointer);
  return node != nullptr && node->type == Json::Type::kString ? node->text : std::string_view();
}

bool is_same(std::string_view text, std::string_view lower) {
  if (text.size() != lower.size()) return false;
  for (size_t i = 0; i < text.size(); ++i) {
    if ((text[i] | 0x20) != (lower[i] | 0x20)) return false;
  }
  return true;
}

}  // namespace

Outcome outcome_of_failure(const sdk::HttpReply& reply, const FailedFetch& failed, size_t max_body) {
  if (failed.reason == FetchFailure::kUnreachable || failed.reason == FetchFailure::kNoAnswer)
    return Outcome::kUnavailable;
  if (failed.reason != FetchFailure::kStatus) return Outcome::kProviderRefused;
  if (reply.status == 429 || reply.status >= 500 || reply.status < 200) return Outcome::kUnavailable;
  if ((reply.status != 400 && reply.status != 403) || reply.body_size > max_body) return Outcome::kProviderRefused;
  const auto body = reply.body();
  if (!body) return Outcome::kProviderRefused;
  Json json;
  if (!json.parse(body->view()) || json.root().type != Json::Type::kObject) return Outcome::kProviderRefused;
  const std::string_view error = text_of(json, "/error");
  for (const Meaning& meaning : kMeanings) {
    if (meaning.error == error) return meaning.outcome;
  }
  return Outcome::kProviderRefused;
}

bool is_for_all(const sdk::HttpReply& reply, const FailedFetch& failed, Outcome outcome) {
  // A service that fails over one token (some answer 500 to a strange one) may well take the next.
  if (outcome == Outcome::kUnavailable)
    return failed.reason != FetchFailure::kStatus || reply.status == 429 || failed.retry_after_ms != 0;
  return outcome == Outcome::kProviderRefused && failed.permanent;
}

const char* check_token(std::string_view body, const SourceConfig& sent) {
  Json json;
  if (!json.parse(body) || json.root().type != Json::Type::kObject) return nullptr;
  const std::string_view asked = sent.oauth2.requested_token_type;
  const std::string_view type = text_of(json, "/token_type");
  const bool other = !asked.empty() && asked != "access_token";
  if (type.data() != nullptr && !is_same(type, "bearer") && !(other && is_same(type, "n_a")))
    return "its token_type is not Bearer";
  const std::string_view issued = text_of(json, "/issued_token_type");
  if (!asked.empty() && issued.data() != nullptr && !is_token_type_of(issued, asked))
    return "its issued_token_type is not the requested_token_type";
  return nullptr;
}

}  // namespace inlay::header_augmenting
