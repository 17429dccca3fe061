// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the first bytes of a client say, before anything answers: whether it speaks TLS, and which server it asks for.
// Reads what a client may have made up; knows no OpenSSL.

#include <string>
#include <string_view>

namespace inlay::tls {

struct FirstBytes {
  enum class Kind : uint8_t {
    kIncomplete,  // more has to come
    kPlain,       // no TLS
    kTls,         // a ClientHello, or something that only the handshake will find fault with
  } kind = Kind::kIncomplete;
  std::string server_name;  // SNI (RFC 6066 section 3) in lower case; empty: none, or what no host can be named
};

// A ClientHello may have kMostClientHello bytes, as in Envoy; what is longer is kTls without a name.
inline constexpr size_t kMostClientHello = 16 * 1024;

// `bytes`: all that came so far. RFC 8446 sections 4.1.2 and 5.1.
FirstBytes read_first_bytes(std::string_view bytes);

}  // namespace inlay::tls
