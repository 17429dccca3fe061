// SPDX-License-Identifier: Apache-2.0
#pragma once

// gzip files (RFC 1952), without a name and a time.

#include <cstdint>
#include <span>
#include <string>

#include "base/result.h"

namespace inlay::package {

// `input` in stored blocks (RFC 1951, 3.2.4): not smaller, five bytes for each 65,535 more. The bytes depend on the
// input alone, on no machine and no version of a library, and so do the digests that hang on them.
std::string gzip_stored(std::span<const uint8_t> input);

// The same, compressed as well as zlib can; another version of zlib may write other bytes. Errors: kInternal.
Result<std::string> gzip_compressed(std::span<const uint8_t> input);

// Reads what any gzip has written. Errors: kInvalidArgument if it is no whole gzip file, kResourceExhausted if there is
// more in it than `limit` bytes.
Result<std::string> gunzip(std::span<const uint8_t> input, size_t limit);

}  // namespace inlay::package
