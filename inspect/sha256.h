// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace inlay::inspect {

// The SHA-256 of `bytes` in hexadecimal digits.
std::string sha256(std::span<const uint8_t> bytes);

}  // namespace inlay::inspect
