// SPDX-License-Identifier: Apache-2.0
#pragma once

// What FakeHost (sdk/testing/fake_host.h) is told, and what it tells: calls and answers, log lines, streams and
// connections.

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "abi/types.h"
#include "sdk/context.h"

namespace inlay::sdk::testing {

using abi::LogLevel;
// Headers: in the order of the message; a name may occur more than once. Names in lower case.
using Headers = std::vector<std::pair<std::string, std::string>>;

// FakeCall: an HTTP call that the filter has sent.
struct FakeCall {
  std::string cluster;
  Headers headers;
  std::string body;
  uint32_t timeout_ms = 0;  // 0: none
  uint64_t at_ms = 0;       // virtual time, FakeHost::now_ms()

  // header: the first value of that name; empty if there is none.
  std::string header(std::string_view name) const {
    for (const auto& [key, value] : headers) {
      if (key == name) return value;
    }
    return {};
  }
};

// FakeReply: what a service does with a call.
struct FakeReply {
  uint32_t status = 200;
  std::string body = {};
  Headers headers = {};
  Headers trailers = {};
  uint64_t delay_ms = 0;
  bool refuse = false;  // the call cannot be sent: kInternalFailure
  bool reset = false;   // no answer: the callback comes with 0 headers
  bool silent = false;  // no answer and no callback, ever
};

// FakeService: what answers the calls to a cluster.
using FakeService = std::function<FakeReply(const FakeCall&)>;

// FakeGrpcCall: a gRPC call that the filter has made, or a stream that it has opened.
struct FakeGrpcCall {
  std::string target;
  std::string service;
  std::string method;
  Headers metadata;
  std::vector<std::string> messages;  // sent so far; a call's only one
  uint32_t token = 0;
  uint32_t timeout_ms = 0;  // 0: none
  bool stream = false;
  bool ended = false;      // nothing more is sent
  bool cancelled = false;  // by the filter
};

// FakeGrpcReply: what a service does with a call. A stream is answered with FakeWorker::grpc_message and grpc_close.
struct FakeGrpcReply {
  uint32_t status = 0;
  std::string message = {};  // of the status 0
  std::string text = {};     // of another
  uint64_t delay_ms = 0;
  bool refuse = false;  // the call cannot be sent, or the stream opened: kInternalFailure
  bool silent = false;  // no answer and no callback, ever
};

// FakeGrpcService: what answers the calls to a target, and takes its streams.
using FakeGrpcService = std::function<FakeGrpcReply(const FakeGrpcCall&)>;

// FakeForeign: a foreign function, from its argument to its result or the status that it refuses with.
using FakeForeign = std::function<Result<std::string>(std::string_view argument)>;

// FakeLog: a line of the log.
struct FakeLog {
  LogLevel level;
  std::string text;
};

// FakeStream: what has become of a request.
struct FakeStream {
  abi::ContextId id = 0;
  HeadersStatus status = HeadersStatus::kContinue;           // what on_request_headers said
  HeadersStatus response_status = HeadersStatus::kContinue;  // what on_response_headers said
  Headers headers;                                           // as the filter left them
  std::string held_body = {};  // of the request: what a body callback shows, and what waits behind its pause
  std::string body = {};       // what the filter let pass
  uint32_t reply_status = 0;   // of a local reply; 0: none
  std::string reply_body;
  std::string reply_details;
  Headers reply_headers;
  Headers response = {};      // what respond was given, as the filter left it
  Headers trailers = {};      // what end was given, as the filter left it
  bool request_held = false;  // a callback has paused it
  bool response_held = false;
  bool closed = false;     // the filter has reset it
  uint64_t continued = 0;  // which continue_stream of the host's it was that let the request go on; 0: none
  uint64_t response_continued = 0;
  size_t host_calls = 0;  // calls into the host in the last callback
  // Those of all callbacks that were about header maps: "get :path", "set x", "add x", "remove x", "pairs".
  std::vector<std::string> header_calls = {};

  void pass_body() { body += std::exchange(held_body, {}); }
  // waits: whether a direction waits after a callback that has returned `status`.
  template <class Status>
  bool waits(Status said) const {
    return said != Status::kContinue && reply_status == 0 && !closed;
  }

  // header: the request's values of that name, with commas between them.
  std::string header(std::string_view name) const {
    std::string all;
    for (const auto& [key, value] : headers) {
      if (key == name) all += (all.empty() ? "" : ",") + value;
    }
    return all;
  }
};

// FakeConnection: what has become of a TCP connection.
struct FakeConnection {
  abi::ContextId id = 0;
  Action opened = Action::kContinue;  // what on_new_connection said
  std::string to_server = {};         // what the filter let pass
  std::string to_client = {};
  std::string from_client = {};  // what waits behind a pause
  std::string from_server = {};
  bool closed = false;  // the filter closed it

  void pass_to_server() { to_server += std::exchange(from_client, {}); }
  void pass_to_client() { to_client += std::exchange(from_server, {}); }
};

}  // namespace inlay::sdk::testing
