// SPDX-License-Identifier: Apache-2.0
#include "http/http1_head.h"

#include "base/ascii.h"
#include "http/upgrade.h"

namespace inlay::http {

void Http1Head::clear_but_request() {
  Http1Head next;
  next.answers_head = answers_head;
  next.is_connect = is_connect;
  next.upgrade_asked = upgrade_asked;
  *this = next;
}

Result<Unit, ParseError> Http1Head::take(const FieldLine& field) {
  switch (field.id) {
    case HeaderId::kContentLength:
      if (content_length) {
        return parse_error("there is more than one Content-Length", "http1.content_length_not_allowed");
      }
      content_length = parse_content_length(field.value);
      if (!content_length) return parse_error("Content-Length is not a number", "http1.content_length_not_allowed");
      return Unit{};
    case HeaderId::kTransferEncoding:
      if (chunked || !equals_ignore_case(field.value, "chunked")) {
        return parse_error("the only transfer coding is one 'chunked'", "http1.invalid_transfer_encoding", 501);
      }
      chunked = true;
      return Unit{};
    case HeaderId::kConnection:
      take_connection(field.value);
      return Unit{};
    case HeaderId::kUpgrade:
      has_upgrade_ = true;
      return Unit{};
    case HeaderId::kExpect:
      expects_continue = equals_ignore_case(field.value, "100-continue");
      return Unit{};
    default:
      return Unit{};
  }
}

Result<Unit, ParseError> Http1Head::take_host(std::string_view value) {
  if (has_host) return parse_error("there is more than one Host field");
  has_host = true;
  if (!is_authority(value)) return parse_error("the Host field is not valid", "http1.invalid_url");
  return Unit{};
}

void Http1Head::take_connection(std::string_view value) {
  for_each_list_element(value, [this](std::string_view option) {
    if (equals_ignore_case(option, "close")) connection_close_ = true;
    if (equals_ignore_case(option, "keep-alive")) connection_keep_alive_ = true;
  });
}

Result<Http1Head::Body, ParseError> Http1Head::request_body(HeaderMap& fields, bool upgrades_are_allowed) {
  if (chunked && content_length) {
    return parse_error("both Content-Length and Transfer-Encoding", "http1.content_length_and_chunked_not_allowed");
  }
  if (chunked && (minor_version == 0 || is_connect)) {
    return parse_error("Transfer-Encoding is not allowed here", "http1.transfer_encoding_not_allowed");
  }
  if (is_connect && content_length.value_or(0) != 0) {
    return parse_error("Content-Length is not allowed here", "http1.content_length_not_allowed");
  }
  if (!has_host && !has_target_authority && minor_version >= 1) {
    return parse_error("the Host field is missing", "missing_host_header");
  }
  keep_alive = keeps_alive();
  if (minor_version == 0) expects_continue = false;  // RFC 9110 section 10.1.1
  if (upgrades_are_allowed && (is_connect || (has_upgrade_ && is_upgrade(fields)))) {
    if (is_connect) fields.remove(HeaderId::kContentLength);
    return Body::kUpgraded;
  }
  if (chunked) return Body::kChunked;
  return content_length.value_or(0) > 0 ? Body::kFixed : Body::kNone;
}

Result<Http1Head::Body, ParseError> Http1Head::response_body(HeaderMap& fields) {
  if (upgrade_asked && is_connect && status >= 200 && status < 300) {
    // Whatever it says of a body it has none (RFC 9110 section 9.3.6).
    fields.remove(HeaderId::kTransferEncoding);
    return switched(fields);
  }
  const bool bodiless_status = status < 200 || status == 204;
  if (chunked && (content_length || bodiless_status || minor_version == 0)) {
    return parse_error("Transfer-Encoding is not allowed here", "http1.transfer_encoding_not_allowed");
  }
  if (bodiless_status && content_length.value_or(0) != 0) {
    return parse_error("Content-Length is not allowed here", "http1.content_length_not_allowed");
  }
  if (status == 101) {
    // What is asked for has to be agreed to in so many words (RFC 9110 section 15.2.2).
    if (!upgrade_asked) return parse_error("the server switches protocols without being asked");
    if (!is_upgrade(fields)) return parse_error("the server switches protocols without saying to which");
    return switched(fields);
  }
  if (status < 200) return Body::kInformational;
  keep_alive = keeps_alive();
  if (answers_head || bodiless_status || status == 304) return Body::kNone;
  if (chunked) return Body::kChunked;
  if (content_length) return *content_length > 0 ? Body::kFixed : Body::kNone;
  keep_alive = false;
  return Body::kUntilClose;
}

Result<Http1Head::Body, ParseError> Http1Head::switched(HeaderMap& fields) {
  fields.remove(HeaderId::kContentLength);
  keep_alive = false;
  return Body::kUpgraded;
}

}  // namespace inlay::http
