// SPDX-License-Identifier: Apache-2.0
#pragma once

// FetchJWTSVID of the Workload API that SPIFFE specifies, as bytes: gRPC's frame around one
// protobuf message, since a host's HTTP call is all that is needed then.

#include <string_view>

#include "filters/header_augmenting/arena.h"
#include "filters/header_augmenting/config.h"

namespace inlay::header_augmenting {

inline constexpr std::string_view kFetchJwtSvid = "/SpiffeWorkloadAPI/FetchJWTSVID";

// svid_request: the body of a call: a frame with a JWTSVIDRequest. It belongs to `arena`.
std::string_view svid_request(const JwtSvid& wanted, Arena& arena);

// read_svid: the first JWT-SVID in the body of an answer, a frame with a JWTSVIDResponse; a part of `body`. Empty if
// it is something else, is compressed, or has no SVID.
std::string_view read_svid(std::string_view body);

}  // namespace inlay::header_augmenting
