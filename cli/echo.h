// SPDX-License-Identifier: Apache-2.0
#pragma once

// What `inlay echo` answers.

#include "cli/http_service.h"

namespace inlay::cli {

// EchoHandler answers a request with the request: its first line, the headers and trailers that arrived, and the size
// of the body. As plain text, or as JSON when the query says format=json or the client accepts application/json.
//
//     {"method": "GET", "path": "/x", "version": "HTTP/1.1", "headers": {"host": "a", "accept": ["b", "c"]},
//      "trailers": {}, "body_bytes": 0}
//
// A field that came more than once is an array in JSON and as many lines in the text.
class EchoHandler : public RequestHandler {
 public:
  Reply on_request(const Request& request) override;
};

}  // namespace inlay::cli
