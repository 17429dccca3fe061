// SPDX-License-Identifier: Apache-2.0
#pragma once

// Heads and chunks of HTTP/1.1 (RFC 9112), appended to a Buffer.

#include <cstdint>

#include "base/buffer.h"
#include "http/header_map.h"

namespace inlay::http {

// Serialises a head. Pseudo-headers become the start line and `host`; hop-by-hop fields must be gone already.
// What would break the framing of the head (CR or LF in a value that a filter set) is left out: a field, or
// percent-encoded: :path.
// kNone and kContentLength write the map's content-length as it is; kChunked and kUntilClose leave it out.
enum class BodyFraming : uint8_t { kNone, kContentLength, kChunked, kUntilClose };
void write_request_head(const HeaderMap& headers, BodyFraming framing, Buffer& out);
void write_response_head(const HeaderMap& headers, BodyFraming framing, bool close, Buffer& out);
void write_chunk(Buffer& data, Buffer& out);  // takes all of `data` as one chunk
void write_last_chunk(const HeaderMap* trailers, Buffer& out);

}  // namespace inlay::http
