// SPDX-License-Identifier: Apache-2.0
#pragma once

// Http1Head: what the head of an HTTP/1 message says about where the message ends, and whether its connection is kept
// (RFC 9112 section 6, RFC 9110 section 7.8). Http1Parser gives it the start line and each field, and asks at the empty
// line. Strict: two fields that could be read in two ways are an error, never a choice.

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/result.h"
#include "http/header_map.h"
#include "http/http1_grammar.h"
#include "http/parse_error.h"

namespace inlay::http {

struct Http1Head {
  // What follows the head. kInformational: another head (1xx). kUpgraded: bytes of another protocol until the end.
  enum class Body : uint8_t { kNone, kInformational, kFixed, kChunked, kUntilClose, kUpgraded };

  // A field whose id is known, but Host of a request. An error: it contradicts itself, or an earlier one.
  Result<Unit, ParseError> take(const FieldLine& field);
  // Host of a request: whether it is the first, and an authority.
  Result<Unit, ParseError> take_host(std::string_view value);

  // At the empty line; `fields` are the head's, of which an upgrade's content-length and the like are taken away.
  // Decides keep_alive.
  Result<Body, ParseError> request_body(HeaderMap& fields, bool upgrades_are_allowed);
  Result<Body, ParseError> response_body(HeaderMap& fields);

  // Forgets the message, but for what a response's request was, if it is to stay.
  void clear() { *this = {}; }
  void clear_but_request();

  // Of the start line.
  uint32_t minor_version = 1;
  uint32_t status = 0;
  bool has_target_authority = false;
  bool is_connect = false;  // the request, or what is answered
  // Of the request that a response answers.
  bool answers_head = false;
  bool upgrade_asked = false;
  // Of the fields.
  std::optional<uint64_t> content_length;
  bool has_host = false;
  bool chunked = false;
  bool expects_continue = false;
  bool keep_alive = true;

 private:
  void take_connection(std::string_view value);
  Result<Body, ParseError> switched(HeaderMap& fields);
  bool keeps_alive() const { return !connection_close_ && (minor_version >= 1 || connection_keep_alive_); }

  bool has_upgrade_ = false;
  bool connection_close_ = false;
  bool connection_keep_alive_ = false;
};

}  // namespace inlay::http
