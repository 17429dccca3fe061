// SPDX-License-Identifier: Apache-2.0
#pragma once

// Evaluation: whether a request meets a requirement. What has to be fetched for it may make it wait; all branches of
// the tree go on meanwhile. Loop thread only.
//
//     evaluation.emplace(requirement, world, request, [&](jwt::Status status) { ... });
//     evaluation->start();  // may call that at once, or later
//     evaluation->cancel();  // gives it up, also from inside of the call, from which it must not be destroyed

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "http/header_map.h"
#include "jwt/token.h"
#include "proxy/http_filters/jwt_authn/requirement.h"
#include "stats/metrics.h"

namespace inlay::proxy::http_filters::jwt_authn {

// What an evaluation needs of the filter; outlives it.
struct World {
  Requirement::Providers providers;
  stats::Counter cache_hit{};
  stats::Counter cache_miss{};
};

// What it reads and writes of a request; outlives it.
struct Request {
  http::HeaderMap* headers = nullptr;
  uint64_t now = 0;  // seconds since 1970
  // Members of the filter's dynamic metadata: keys and JSON texts, of which the last with a key counts.
  std::vector<std::pair<std::string, std::string>> metadata;
  bool clear_route = false;
};

class Evaluation {
 public:
  using Done = std::function<void(jwt::Status)>;
  Evaluation(const Requirement& requirement, World& world, Request& request, Done done);
  ~Evaluation() { cancel(); }
  Evaluation(const Evaluation&) = delete;
  Evaluation& operator=(const Evaluation&) = delete;

  void start();
  // Nothing is called any more, and nothing outside is needed.
  void cancel();

 private:
  // The tokens of a node, one after the other, the last one first, as in Envoy.
  struct Tokens {
    size_t node = 0;
    std::vector<FoundToken> left;
    FoundToken now;
    std::shared_ptr<const jwt::Token> token;
    Provider* provider = nullptr;  // of `token`, once it is known
    uint64_t fetch = 0;            // what it waits for; 0: nothing
  };
  struct State {
    bool done = false;
    size_t done_children = 0;
    jwt::Status status = jwt::Status::kOk;
  };

  void start(size_t node);
  void start_tokens(size_t node);
  void next_token(Tokens& tokens);
  void read_token(Tokens& tokens);
  void check_token(Tokens& tokens, bool verified);
  void verify_token(Tokens& tokens, const Keys& keys);
  void take_token(Tokens& tokens);
  void write_metadata(const config::JwtProvider& provider, const jwt::Token& token);
  void end_token(Tokens& tokens, jwt::Status status);
  void tell_failure(const Tokens& tokens, jwt::Status status);
  void end(size_t node, jwt::Status status);
  void end_child(size_t parent, jwt::Status status);
  bool is_settled(size_t node) const;
  jwt::Status status_of_any(const RequirementNode& node) const;

  const std::vector<RequirementNode>& nodes_;
  World& world_;
  Request& request_;
  Done done_;
  std::vector<State> states_;
  std::vector<std::unique_ptr<Tokens>> tokens_;
};

}  // namespace inlay::proxy::http_filters::jwt_authn
