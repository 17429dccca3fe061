// SPDX-License-Identifier: Apache-2.0
#pragma once

// LocalReply: an answer of the filter's own, which HttpContext::reply gives to a request.
//
//     LocalReply full{.status = 429, .body = "try again\n", .details = "quota_exhausted"};

#include <cstdint>
#include <string_view>

#include "abi/types.h"

namespace inlay::sdk {

using abi::StreamType;

// The views need to live only until reply() returns. Headers are reply()'s other argument.
struct LocalReply {
  uint32_t status = 500;  // 200 to 599
  std::string_view body = {};
  std::string_view details = {};  // for the host's access log; no white space
};

}  // namespace inlay::sdk
