// SPDX-License-Identifier: Apache-2.0
#include "proxy/http_filters/jwt_authn/evaluation.h"

#include <algorithm>

#include "jwt/json.h"
#include "jwt/verifier.h"

namespace inlay::proxy::http_filters::jwt_authn {
namespace {

using jwt::Status;
using NodeKind = RequirementNode::Kind;

constexpr size_t kBase64Group = 4;

// The first with that issuer, else the first that has none.
Provider* find_by_issuer(const World& world, std::string_view issuer) {
  for (const std::string_view wanted : {issuer, std::string_view()})
    for (const auto& provider : world.providers)
      if (provider->config().issuer == wanted) return provider.get();
  return nullptr;
}

// A text that is a list with spaces between becomes a list.
void split_claims(rapidjson::Document& payload, const std::vector<std::string>& claims) {
  // By the distance: clang takes the iterators' == of RapidJSON 1.1 for ambiguous.
  for (auto found = payload.MemberBegin(); payload.MemberEnd() - found > 0; ++found) {
    const bool wanted = std::find(claims.begin(), claims.end(), jwt::text_of(found->name)) != claims.end();
    if (!wanted || !found->value.IsString()) continue;
    rapidjson::Value list(rapidjson::kArrayType);
    std::string_view rest = jwt::text_of(found->value);
    while (!rest.empty()) {
      const std::string_view word = rest.substr(0, rest.find(' '));
      rest.remove_prefix(std::min(word.size() + 1, rest.size()));
      if (word.empty()) continue;
      rapidjson::Value item(word.data(), static_cast<rapidjson::SizeType>(word.size()), payload.GetAllocator());
      list.PushBack(item, payload.GetAllocator());
    }
    if (!list.Empty()) found->value = list;
  }
}

}  // namespace

Evaluation::Evaluation(const Requirement& requirement, World& world, Request& request, Done done)
    : nodes_(requirement.nodes()), world_(world), request_(request), done_(std::move(done)), states_(nodes_.size()) {}

void Evaluation::cancel() {
  done_ = nullptr;
  for (const auto& tokens : tokens_)
    if (const uint64_t fetch = std::exchange(tokens->fetch, 0); fetch != 0) tokens->provider->keys().forget(fetch);
}

void Evaluation::start() {
  start(0);
}

void Evaluation::start(size_t node) {
  switch (nodes_[node].kind) {
    case NodeKind::kPass:
      return end(node, Status::kOk);
    case NodeKind::kTokens:
      return start_tokens(node);
    case NodeKind::kAny:
    case NodeKind::kAll:
      for (const size_t child : nodes_[node].children) {
        if (states_[node].done) return;
        start(child);
      }
  }
}

// --- the tokens of a node ---

void Evaluation::start_tokens(size_t node) {
  Tokens& tokens = *tokens_.emplace_back(std::make_unique<Tokens>());
  tokens.node = node;
  tokens.provider = nullptr;
  tokens.left = nodes_[node].places->find(*request_.headers);
  if (tokens.left.empty()) return end_token(tokens, Status::kMissing);
  next_token(tokens);
}

void Evaluation::next_token(Tokens& tokens) {
  tokens.now = std::move(tokens.left.back());
  tokens.left.pop_back();
  tokens.provider = nodes_[tokens.node].provider;
  if (tokens.provider != nullptr) {
    TokenCache* cache = tokens.provider->cache();
    tokens.token = cache != nullptr ? cache->find(tokens.now.text, request_.now) : nullptr;
    (tokens.token ? world_.cache_hit : world_.cache_miss).add();
    if (tokens.token) return check_token(tokens, true);
  }
  read_token(tokens);
}

void Evaluation::read_token(Tokens& tokens) {
  auto token = std::make_shared<jwt::Token>();
  const Status status = jwt::Token::read(tokens.now.text, *token);
  tokens.token = std::move(token);
  if (status != Status::kOk) return end_token(tokens, status);
  check_token(tokens, false);
}

void Evaluation::check_token(Tokens& tokens, bool verified) {
  const jwt::Token& token = *tokens.token;
  if (!tokens.now.place->allows(token.iss)) return end_token(tokens, Status::kUnknownIssuer);
  if (tokens.provider == nullptr) tokens.provider = find_by_issuer(world_, token.iss);
  if (tokens.provider == nullptr) return end_token(tokens, Status::kUnknownIssuer);
  const Status status = tokens.provider->check_claims(token, nodes_[tokens.node].audiences, request_.now);
  if (status != Status::kOk) return end_token(tokens, status);
  if (verified) return take_token(tokens);
  KeySource& source = tokens.provider->keys();
  if (const Keys keys = source.current()) return verify_token(tokens, keys);
  if (!source.is_remote()) return end_token(tokens, Status::kKeysNoneValid);
  tokens.fetch = source.fetch([this, &tokens](const Keys& keys) {
    tokens.fetch = 0;
    if (is_settled(tokens.node)) return;
    if (keys) return verify_token(tokens, keys);
    end_token(tokens, Status::kFetchFailed);
  });
}

void Evaluation::verify_token(Tokens& tokens, const Keys& keys) {
  const Status status = jwt::verify(*tokens.token, *keys);
  if (status != Status::kOk) return end_token(tokens, status);
  TokenCache* cache = nodes_[tokens.node].provider != nullptr ? tokens.provider->cache() : nullptr;
  if (cache != nullptr) cache->add(tokens.now.text, tokens.token);
  take_token(tokens);
}

// What a good token does to the request.
void Evaluation::take_token(Tokens& tokens) {
  const config::JwtProvider& provider = tokens.provider->config();
  const jwt::Token& token = *tokens.token;
  if (!provider.forward_payload_header.empty()) {
    std::string payload(token.payload_base64url());
    while (provider.pad_forward_payload_header && payload.size() % kBase64Group != 0) payload += '=';
    request_.headers->add(provider.forward_payload_header, payload);
  }
  for (const auto& claim : provider.claim_to_headers) {
    const rapidjson::Value* value = token.claim(claim.path);
    const auto text = value != nullptr ? jwt::as_header_value(*value) : std::nullopt;
    if (!text || !http::is_header_value(*text)) continue;
    request_.headers->add(claim.header, *text);
    if (provider.clear_route_cache) request_.clear_route = true;
  }
  if (!provider.forward) tokens.now.place->remove_token(*request_.headers);
  write_metadata(provider, token);
  end_token(tokens, Status::kOk);
}

void Evaluation::write_metadata(const config::JwtProvider& provider, const jwt::Token& token) {
  if (!provider.header_in_metadata.empty())
    request_.metadata.emplace_back(provider.header_in_metadata, jwt::to_text(token.header));
  if (provider.payload_in_metadata.empty()) return;
  rapidjson::Document payload;
  payload.CopyFrom(token.payload, payload.GetAllocator());
  split_claims(payload, provider.space_delimited_claims);
  request_.metadata.emplace_back(provider.payload_in_metadata, jwt::to_text(payload));
  if (provider.clear_route_cache) request_.clear_route = true;
}

void Evaluation::tell_failure(const Tokens& tokens, Status status) {
  const Provider* provider = tokens.provider;
  if (provider == nullptr && world_.providers.size() == 1) provider = world_.providers.front().get();
  if (provider == nullptr || provider->config().failed_status_in_metadata.empty()) return;
  request_.metadata.emplace_back(provider->config().failed_status_in_metadata,
                                 "{\"code\":" + std::to_string(static_cast<int>(status)) + ",\"message\":\"" +
                                     std::string(jwt::text(status)) + "\"}");
}

// Unless missing tokens are allowed the first bad one decides; else the one that is looked at last, as in Envoy.
void Evaluation::end_token(Tokens& tokens, Status status) {
  const RequirementNode& node = nodes_[tokens.node];
  if (status != Status::kOk) tell_failure(tokens, status);
  const bool decides = status != Status::kOk && !node.allow_failed && !node.allow_missing;
  if (!decides && !tokens.left.empty()) return next_token(tokens);
  const bool allowed = node.allow_failed || (node.allow_missing && status == Status::kMissing);
  end(tokens.node, allowed ? Status::kOk : status);
}

// --- the tree ---

void Evaluation::end(size_t node, Status status) {
  if (states_[node].done) return;
  states_[node].done = true;
  states_[node].status = status;
  if (nodes_[node].parent) return end_child(*nodes_[node].parent, status);
  const Done done = std::exchange(done_, nullptr);
  cancel();  // what waits for keys must not change the request any more
  if (done) done(status);
}

// What comes of it is of no matter any more.
bool Evaluation::is_settled(size_t node) const {
  for (std::optional<size_t> at = node; at; at = nodes_[*at].parent)
    if (states_[*at].done) return true;
  return false;
}

void Evaluation::end_child(size_t parent, Status status) {
  const RequirementNode& node = nodes_[parent];
  State& state = states_[parent];
  if (state.done) return;
  const bool last = ++state.done_children == node.children.size();
  if (node.kind == NodeKind::kAll) {
    if (last || status != Status::kOk) end(parent, status);
    return;
  }
  if (status == Status::kOk) return end(parent, status);
  if (last) end(parent, status_of_any(node));
}

// A token that is there and bad says more than one of somebody else, and that one more than none.
Status Evaluation::status_of_any(const RequirementNode& node) const {
  Status out = Status::kMissing;
  for (const size_t child : node.children) {
    const Status status = states_[child].status;
    if ((status != Status::kMissing && status != Status::kUnknownIssuer) || out == Status::kMissing) out = status;
  }
  return node.allow_failed || (node.allow_missing && out == Status::kMissing) ? Status::kOk : out;
}

}  // namespace inlay::proxy::http_filters::jwt_authn
