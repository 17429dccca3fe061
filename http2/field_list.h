// SPDX-License-Identifier: Apache-2.0
#pragma once

// FieldList: a header map as nghttp2 takes it, for one call. Inside of http2/.

#include <nghttp2/nghttp2.h>

#include <cstddef>
#include <string_view>
#include <vector>

#include "http/header_map.h"

namespace inlay::http2 {

class FieldList {
 public:
  // The fields that HTTP/2 has, in the map's order: without connection, keep-alive, proxy-connection,
  // transfer-encoding, upgrade, te but for "trailers", host beside :authority (RFC 9113, sections 8.2.2 and 8.3.1),
  // pseudo-headers that are none, and white space around values. Shows the map's bytes.
  void fill(const http::HeaderMap& headers);
  // The same of trailers, which have no pseudo-headers.
  void fill_trailers(const http::HeaderMap& trailers);

  const nghttp2_nv* data() const { return fields_.data(); }
  size_t size() const { return fields_.size(); }

 private:
  void add(std::string_view name, std::string_view value);

  std::vector<nghttp2_nv> fields_;
};

}  // namespace inlay::http2
