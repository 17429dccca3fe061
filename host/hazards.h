// SPDX-License-Identifier: Apache-2.0
#pragma once

// Hazards: what a guest may do that ends Envoy's process, hangs it or has it send a head twice (run in 1.36.4 to
// 1.40.0). Nothing of that happens here, so a filter that does it works here and not there: the log says so, once a
// plugin and callback, and wasm.hazard.<name> counts it. With HostOptions::fail_hazards the request fails, too.
// docs/guide/hazards.md is for who writes filters.

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace inlay::host {

enum class Hazard : uint8_t {
  kResumeBeforeResponse,  // proxy_continue_stream of a response that has not begun
  kHeadTwice,             // ... of a direction inside of its headers' callback, which then continues
  kResumeThenPause,       // ... which then pauses
  kActAtTheEnd,           // a reply or proxy_close_stream in on_log, on_done or on_delete
  kAnsweredTwice,         // a second reply, or close, from the answer to another call
  kRepliedTwice,          // ... from the answer to the same
  kCallLength,            // a call with a content-length and no body
  kEndlessLoop,           // a call that takes longer than it may
};
inline constexpr size_t kHazards = 8;

struct HazardText {
  std::string_view name;      // "resume_before_response"
  std::string_view what;      // the guest does; behind "plugin a in proxy_on_log "
  std::string_view in_envoy;  // what becomes of it there
};
const HazardText& describe(Hazard hazard);

}  // namespace inlay::host
