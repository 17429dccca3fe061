// SPDX-License-Identifier: Apache-2.0
#pragma once

// For tests of foreign functions: a guest that calls any of them, by the bytes of an argument.

#include <string>

#include "host/functions_fixture.h"

namespace inlay::host {

// Calls the function that the header x-call names with the request's body as the argument; the response's body becomes
// the result. Logs the status.
inline std::string caller() {
  GuestText text;
  text.allocator = R"((global $next (mut i32) (i32.const 131072))
    (func (export "proxy_on_memory_allocate") (param $n i32) (result i32) (local $at i32)
      (local.set $at (global.get $next))
      (global.set $next (i32.add (global.get $next) (local.get $n)))
      (loop $more
        (if (i32.gt_u (global.get $next) (i32.mul (memory.size) (i32.const 65536)))
          (then (if (i32.eq (memory.grow (i32.const 64)) (i32.const -1)) (then (return (i32.const 0)))) (br $more))))
      (local.get $at)))";
  return guest(import_proxy("log", 3) + import_proxy("call_foreign_function", 6) +
                   import_proxy("get_header_map_value", 5) + import_proxy("get_buffer_bytes", 5) +
                   import_proxy("set_buffer_bytes", 5) + import_proxy("set_property", 4),
               kLogNumber + R"(
    (data (i32.const 0) "x-call")
    (data (i32.const 16) "state")
    (global $result (mut i32) (i32.const 0)) (global $size (mut i32) (i32.const 0))
    (func (export "proxy_on_request_body") (param i32 i32 i32) (result i32)
      (drop (call $get_header_map_value (i32.const 0) (i32.const 0) (i32.const 6) (i32.const 32) (i32.const 36)))
      (drop (call $get_buffer_bytes (i32.const 0) (i32.const 0) (i32.const -1) (i32.const 40) (i32.const 44)))
      (i32.store (i32.const 48) (i32.const 0)) (i32.store (i32.const 52) (i32.const 0))
      (call $log_number (call $call_foreign_function (i32.load (i32.const 32)) (i32.load (i32.const 36))
        (i32.load (i32.const 40)) (i32.load (i32.const 44)) (i32.const 48) (i32.const 52)))
      (global.set $result (i32.load (i32.const 48))) (global.set $size (i32.load (i32.const 52)))
      (i32.const 0))
    (func (export "proxy_on_response_body") (param i32 i32 i32) (result i32)
      (drop (call $set_buffer_bytes (i32.const 1) (i32.const 0) (i32.const -1) (global.get $result) (global.get $size)))
      (i32.const 0))
    (func (export "proxy_on_request_trailers") (param i32 i32) (result i32)
      (call $log_number (call $set_property (i32.const 16) (i32.const 5) (i32.const 0) (i32.const 1)))
      (i32.const 0)))",
               text);
}

struct Answer {
  abi::Status status;
  std::string result;
};

class ForeignTest : public GuestTest {
 protected:
  Answer call(TestProxy& proxy, WorkerPlugin& plugin, const std::string& name, const std::string& argument) {
    proxy.log().clear();
    auto stream = proxy.stream(plugin, {{":path", "/"}, {"x-call", name}});
    stream->request_body(argument, true);
    const std::string status = proxy.log().lines().back().text;
    stream->response_headers({{":status", "200"}}, false);
    stream->response_body("old", true);
    return {static_cast<abi::Status>(std::stoul(status.substr(status.find(": ") + 2))),
            stream->response_buffer.to_string()};
  }
};

}  // namespace inlay::host
