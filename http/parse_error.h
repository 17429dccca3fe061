// SPDX-License-Identifier: Apache-2.0
#pragma once

// ParseError: why the bytes of a peer are no HTTP/1 message, and how a request with that error is answered.

#include <cstdint>
#include <string>
#include <utility>

namespace inlay::http {

// A request's error has the status for its local reply (400, 426, 431, 501). `message` is for logs.
struct ParseError {
  uint32_t status = 400;
  std::string details;  // Envoy's words where it has any: "http1.codec_error", "http1.headers_too_large"
  std::string message;
};

inline ParseError parse_error(std::string message, std::string details = "http1.codec_error", uint32_t status = 400) {
  return {status, std::move(details), std::move(message)};
}

}  // namespace inlay::http
