// SPDX-License-Identifier: Apache-2.0
#pragma once

// A small HTTP/1.1 server on the proxy's own rooms, for the programs that stand around a proxy in demos and tests
// (`inlay echo`, `inlay provider`). One thread, one loop; keep-alive, pipelining, chunked bodies, Expect and HEAD.
//
//     struct Hello : RequestHandler {
//       Reply on_request(const Request&) override { return {.body = "hello\n"}; }
//     } hello;
//     return serve({.address = {"127.0.0.1", 8081}}, hello);

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "config/model.h"
#include "http/header_map.h"

namespace CLI {
class App;
}

namespace inlay::cli {

// Request is a whole message; views are valid during on_request(). The body was read and counted, not kept.
struct Request {
  const http::HeaderMap& headers;   // pseudo-headers first, see http/http1_parser.h
  const http::HeaderMap& trailers;  // empty when there were none
  uint64_t body_bytes = 0;
  uint32_t minor_version = 1;  // HTTP/1.<n>

  std::string_view path() const;                             // without the query
  std::string_view query(std::string_view parameter) const;  // its value as it was sent, or an empty view
};

struct Reply {
  uint32_t status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::string body = {};
  std::chrono::milliseconds delay{0};  // before it is sent
  enum class How : uint8_t {
    kSend,
    kClose,  // close the connection without an answer
    kHang,   // never answer; the connection stays open until the peer closes it
  } how = How::kSend;
};

class RequestHandler {
 public:
  virtual ~RequestHandler() = default;
  virtual Reply on_request(const Request& request) = 0;
};

struct ServiceOptions {
  Address address;        // port 0: one that is free
  std::string port_file;  // the port is written here when it is open; empty: nowhere
};

// --port, --address and --port-file, whose defaults are what `options` holds already. It outlives the command.
void add_service_options(CLI::App& command, ServiceOptions& options);

// Serves on the calling thread until SIGTERM or SIGINT. Returns the exit status; prints what is wrong to stderr.
int serve(const ServiceOptions& options, RequestHandler& handler);

// The text as a JSON string with its quotes. Bytes above 0x7f are taken as Latin-1, since a header is no UTF-8 text.
std::string json_string(std::string_view text);

}  // namespace inlay::cli
