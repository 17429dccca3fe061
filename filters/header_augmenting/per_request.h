// SPDX-License-Identifier: Apache-2.0
#pragma once

// PerRequest: a source that makes the headers of each request of what the request itself brings, a user's token mostly.
// The root context (root.h) knows no more of it than this; what it is, is chosen when the module is linked:
// exchange.cc, or something that says that this module has no such source.

#include <cstdint>
#include <memory>
#include <string_view>

#include "filters/header_augmenting/config.h"
#include "filters/header_augmenting/config_reader.h"
#include "filters/header_augmenting/metrics.h"
#include "filters/header_augmenting/siphash.h"
#include "sdk/context.h"
#include "sdk/event.h"

namespace inlay::header_augmenting {

class Source;

// Outcome: what came of the request's token. The order is that of OnError's members.
enum class Outcome : uint8_t {
  kToken,
  kNoSubject,        // the request brings none
  kRefused,          // the service does not accept what it brings
  kDenied,           // nor gives for it what was asked
  kProviderRefused,  // the service does not accept the filter, or answers what cannot be used
  kUnavailable,      // the service does not answer now
  kTooLong,          // what the request brings is longer than is taken
};

// is_for_want: whether it is not for the request itself that there is no token.
inline bool is_for_want(Outcome outcome) {
  return outcome == Outcome::kProviderRefused || outcome == Outcome::kUnavailable;
}

// Ticket: what a stream remembers of what it was given.
struct Ticket {
  Hash128 hash;          // of what the request brings
  uint64_t made_ns = 0;  // which of the tokens for it; 0: none
};

class PerRequest {
 public:
  enum class Found : uint8_t {
    kHeaders,  // there they are
    kWithout,  // the request goes on without
    kAnswer,   // the request is answered, with reply()
    kWait,     // for the event, and then look_again()
  };
  struct Look {
    Found found = Found::kAnswer;
    Outcome outcome = Outcome::kUnavailable;
    std::string_view pairs = {};  // the headers, in the wire form of a header map; until the next callback
  };

  virtual ~PerRequest() = default;

  // run: never ends. The caller spawns it in the root context.
  virtual sdk::Task<> run() = 0;

  // look: what there is for the request in hand, whose headers can be read. Takes off the request what it brought, if
  // the configuration says so and the request goes on. While there are headers, it costs a host call for each thing
  // that is read, one for the time, and none to the shared data.
  virtual Look look(const Rule& rule, Ticket& ticket) = 0;
  // look_again: the same after kWait, of a request that has waited; never kWait.
  virtual Look look_again(const Rule& rule, Ticket& ticket) = 0;
  // event: which comes when there is something new for `ticket`; nullptr if nothing is waited for. patience: how long
  // it may take at most.
  virtual sdk::Event* event(const Ticket& ticket) = 0;
  virtual sdk::Duration patience() const = 0;

  // reply: answers the request for want of headers, as the configuration says.
  virtual void reply(sdk::HttpContext& stream, const Rule& rule, Outcome outcome) = 0;

  // drop: an upstream did not accept what `ticket` was given.
  virtual void drop(const Ticket& ticket) = 0;

  // on_queue_ready: the root context's callback.
  virtual void on_queue_ready(uint32_t queue) = 0;
};

// make_per_request: of a source that is one (SourceConfig::per_request). All that is referred to outlives it.
std::unique_ptr<PerRequest> make_per_request(Source& source, const Config& config, sdk::RootContext& root,
                                             RequestMetrics& requests);

// check_per_request: what the keys of token_exchange and jwt_bearer demand of each other; sets
// SourceConfig::per_request and the defaults that depend on other keys.
void check_per_request(SourceConfig& source, const Place& place, Report& report);

}  // namespace inlay::header_augmenting
