// SPDX-License-Identifier: Apache-2.0
#pragma once

// A compressor whose output depends on its input and on nothing else: not on the machine, not on the version of a
// library. That makes a package's digest the same wherever it is made.

#include <cstdint>
#include <span>
#include <string>

#include "base/result.h"

namespace inlay::package {

// Compresses to the DEFLATE format (RFC 1951), about as small as zlib's best.
std::string deflate(std::span<const uint8_t> input);

// The same in a gzip member (RFC 1952) without name and time.
std::string gzip(std::span<const uint8_t> input);

// Reads what any gzip has written. Errors: kInvalidArgument if it is no whole gzip file, kResourceExhausted if there is
// more in it than `limit` bytes.
Result<std::string> gunzip(std::span<const uint8_t> input, size_t limit);

}  // namespace inlay::package
