// SPDX-License-Identifier: Apache-2.0
#include "upstream/failure.h"

namespace inlay::upstream {
namespace {

bool is_connect_failure(ResetReason reason) {
  return reason == ResetReason::kConnectFailure;
}

}  // namespace

std::string failure_text(ResetReason reason) {
  return "upstream connect error or disconnect/reset before headers. reset reason: " + std::string(to_string(reason));
}

std::string failure_details(ResetReason reason, std::string_view detail, bool response_started) {
  std::string text =
      response_started ? "upstream_reset_after_response_started{" : "upstream_reset_before_response_started{";
  text += to_string(reason);
  if (!detail.empty() && is_connect_failure(reason)) text.append("|").append(detail);
  text += "}";
  for (char& c : text) {
    if (c == ' ' || c == '\t' || c == '\n' || c == '\r') c = '_';
  }
  return text;
}

uint32_t status_for(ResetReason reason) {
  return reason == ResetReason::kProtocolError ? 502 : 503;
}

}  // namespace inlay::upstream
