// SPDX-License-Identifier: Apache-2.0
#pragma once

// FailedFetch: why a fetch failed, in words that may be logged, and when the service wants to be asked again. Of an
// answer nothing is repeated but what has a form of its own: an error code of RFC 6749, a content coding's name; its
// status; the description of an error, as long as nothing that was sent shows in it; and what the host says where it
// answers in the place of a service that it did not reach.

#include <cstdint>
#include <string_view>

#include "filters/header_augmenting/config.h"
#include "filters/header_augmenting/fetch_failure.h"
#include "sdk/http_call.h"
#include "sdk/text.h"

namespace inlay::header_augmenting {

struct FailedFetch {
  FetchFailure reason = FetchFailure::kNoAnswer;
  sdk::Line detail = {};        // follows the reason's text
  uint64_t retry_after_ms = 0;  // from now; 0: the service does not say
  bool refused = false;         // by the service, which may not have liked what it was sent
  bool permanent = false;       // asking again soon is of no use: somebody has to change something first
};

// Each of these says in `failed`, which is as it was made, why a fetch failed:

// failed_call: a call that the host did not send, or that nothing came of.
void failed_call(sdk::Status status, std::string_view cluster, FailedFetch& failed);

// failed_signature: an assertion that the host did not sign.
void failed_signature(sdk::Status status, FailedFetch& failed);

// failed_status: an answer whose status is not 200.
void failed_status(const sdk::HttpReply& reply, const SourceConfig& source, size_t max_body, FailedFetch& failed);

// failed_grpc: whether a gRPC service says that the call failed, or does not say that it did not, as one that is asked
// in HTTP/1.1; `failed` is then how.
bool failed_grpc(const sdk::HttpReply& reply, FailedFetch& failed);

// failed_body: an answer of which no headers could be made, for the reason that is in `failed` already.
void failed_body(const sdk::HttpReply& reply, std::string_view body, const SourceConfig& source, FailedFetch& failed);

// is_local_answer: whether the host made this answer itself, since none came from the service; `why` is then given its
// words. Envoy and inlay put x-envoy-upstream-service-time on each answer that comes from a service, and have three
// texts for those that do not (seen in Envoy 1.36.4 and 1.40.0, of which the newer says no more than "remote connection
// failure" of whatever happens before a connection stands). Any other answer counts as the service's.
bool is_local_answer(const sdk::HttpReply& reply, sdk::Line& why);

}  // namespace inlay::header_augmenting
