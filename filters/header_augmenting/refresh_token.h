// SPDX-License-Identifier: Apache-2.0
#pragma once

// Refresh tokens that are replaced (RFC 6749 section 6): an answer may bring another one, after which the one before
// counts no more. The newest stands in shared data, for all workers and all configurations that begin with the same one
// at the same place, and nowhere else: it goes with the process.

#include <cstdint>
#include <string_view>

#include "filters/header_augmenting/arena.h"
#include "filters/header_augmenting/config.h"

namespace inlay::header_augmenting {

// follow_refresh_token: puts what the refresh token of `call` has been replaced by into its place; what it makes
// belongs to `arena`. Says under which number the next one is to be kept; 0: `call` has another grant.
uint64_t follow_refresh_token(SourceConfig& call, Arena& arena);

// keep_refresh_token: `token`, unless it is empty, is the newest from now on.
void keep_refresh_token(uint64_t number, std::string_view token);

}  // namespace inlay::header_augmenting
