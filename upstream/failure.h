// SPDX-License-Identifier: Apache-2.0
#pragma once

// Envoy's words for upstream failures, which clients, guests and logs see. `detail`: the transport's.

#include <cstdint>
#include <string>
#include <string_view>

#include "upstream/request.h"

namespace inlay::upstream {

inline constexpr std::string_view kTimeoutText = "upstream request timeout";
inline constexpr std::string_view kNoHealthyUpstreamText = "no healthy upstream";

// "upstream connect error or disconnect/reset before headers. reset reason: <reason>". For clients and guests, who are
// not told what names and certificates an upstream has, as in Envoy since 1.39.
std::string failure_text(ResetReason reason);
// The same as response code details: "upstream_reset_before_response_started{<reason>[|<detail>]}", no white space.
std::string failure_details(ResetReason reason, std::string_view detail, bool response_started);
// 503; 502 for a protocol error.
uint32_t status_for(ResetReason reason);

}  // namespace inlay::upstream
