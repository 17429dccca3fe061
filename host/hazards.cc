// SPDX-License-Identifier: Apache-2.0
#include "host/hazards.h"

#include <array>

namespace inlay::host {

const HazardText& describe(Hazard hazard) {
  static constexpr std::array<HazardText, kHazards> kTexts = {{
      {"resume_before_response", "resumes the response before there is one", "this ends the process"},
      {"head_twice", "resumes a direction in the callback of its headers and then continues",
       "the headers are sent twice"},
      {"resume_then_pause", "resumes a direction in the callback of its headers and then pauses",
       "what follows the headers never comes"},
      {"act_at_the_end", "replies to a stream that is over, or closes it", "this ends the process"},
      {"answered_twice", "asks in the answer to a call for a stream that it has replied to, or closed, in another's",
       "where both come in one turn a second reply or close ends the process"},
      {"replied_twice", "replies twice to a stream, or replies and closes it, in the answer to a call",
       "the first reply is lost"},
      {"call_length",
       "makes a call with a content-length and no body, as if it had copied a request's headers (0 is sent here)",
       "it is sent as it is, and the call ends in a timeout"},
      {"endless_loop", "runs for longer than a call of it may",
       "there is no such limit: an endless loop hangs a worker"},
  }};
  return kTexts[static_cast<size_t>(hazard)];
}

}  // namespace inlay::host
