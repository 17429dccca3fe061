// SPDX-License-Identifier: Apache-2.0
#pragma once

// Envoy's words for upstream failures, which clients, guests and logs see. `detail`: the transport's.

#include <cstdint>
#include <string>
#include <string_view>

#include "proxy/upstream/request.h"

namespace inlay::proxy::upstream {

inline constexpr std::string_view kTimeoutText = "upstream request timeout";
inline constexpr std::string_view kNoHealthyUpstreamText = "no healthy upstream";

// "upstream connect error or disconnect/reset before headers. reset reason: <reason>". For clients, who are not told
// what names and certificates an upstream has.
std::string failure_text(ResetReason reason);
// The same with ", transport failure reason: <detail>" behind it. For guests, as in Envoy up to 1.36.
std::string failure_text(ResetReason reason, std::string_view detail);
// The same as response code details: "upstream_reset_before_response_started{<reason>[|<detail>]}", no white space.
std::string failure_details(ResetReason reason, std::string_view detail, bool response_started);
// 503; 502 for a protocol error.
uint32_t status_for(ResetReason reason);

}  // namespace inlay::proxy::upstream
