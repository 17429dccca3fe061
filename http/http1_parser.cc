// SPDX-License-Identifier: Apache-2.0
#include "http/http1_parser.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <string>
#include <utility>

#include "base/ascii.h"
#include "http/http1_grammar.h"
#include "http/upgrade.h"

namespace inlay::http {
namespace {

// What a message may spend on chunk extensions and on the lines of chunk sizes beyond their digits, without the body to
// show for it: each chunk pays for some padding, and for twice as much as it carries.
constexpr size_t kMaxChunkExtensions = 16 * 1024;
constexpr size_t kFreeChunkExtension = 16;
constexpr size_t kMaxChunkLine = 4 * 1024;

ParseError bad(std::string message, std::string details = "http1.codec_error", uint32_t status = 400) {
  return {status, std::move(details), std::move(message)};
}

class ParserImpl final : public Http1Parser {
 public:
  ParserImpl(Kind kind, ParserLimits limits, ParserSink& sink) : kind_(kind), limits_(limits), sink_(sink) {}

  Result<Unit, ParseError> parse(Buffer& data, bool end) override;
  void set_request_method(std::string_view method) override {
    head_request_ = method == "HEAD";
    is_connect_ = method == "CONNECT";
  }
  void set_upgrade_asked() override { upgrade_asked_ = true; }
  void next_message() override;
  void set_paused(bool paused) override { paused_ = paused; }

  bool keep_alive() const override { return keep_alive_; }
  bool upgrades() const override { return state_ == State::kUpgraded; }
  bool expects_100_continue() const override { return expects_continue_; }
  uint32_t minor_version() const override { return minor_version_; }
  bool message_started() const override { return state_ != State::kIdle; }
  bool message_complete() const override { return state_ == State::kComplete; }

 private:
  // Up to kTrailers the states are read by lines.
  enum class State : uint8_t {
    kIdle,  // before the first byte; empty lines are skipped (RFC 9112 section 2.2)
    kStartLine,
    kFields,
    kChunkSize,
    kChunkEnd,
    kTrailers,
    kChunkData,
    kFixedBody,
    kUntilClose,
    kUpgraded,
    kComplete,
    kFailed,
  };
  using Outcome = Result<Unit, ParseError>;

  bool in_lines() const { return state_ <= State::kTrailers; }
  bool in_head() const { return state_ <= State::kFields; }
  Outcome parse_lines(Buffer& data);
  Outcome keep_partial(std::string_view rest);
  Outcome check_line_size(size_t size);
  Outcome take_line(std::string_view line);
  Outcome take_request_line(std::string_view line);
  Outcome take_status_line(std::string_view line);
  Outcome take_field(std::string_view line);
  Outcome take_known_field(const FieldLine& field);
  Outcome take_host(std::string_view value);
  void drop_empty_authority();
  Outcome take_chunk_size(std::string_view line);
  Outcome take_trailer(std::string_view line);
  void take_connection(std::string_view value);
  Outcome finish_section();
  Outcome finish_request_head();
  Outcome finish_response_head();
  Outcome take_switch();
  Outcome take_tunnel();
  void take_informational();
  void begin_body(State body);
  void take_body(Buffer& data);
  void complete();
  Outcome finish_at_end(const Buffer& data);

  const Kind kind_;
  const ParserLimits limits_;
  ParserSink& sink_;
  State state_ = State::kIdle;
  bool paused_ = false;
  bool section_done_ = false;  // the empty line of the head or the trailers was read
  bool keep_alive_ = true;
  bool connection_close_ = false;
  bool connection_keep_alive_ = false;
  bool expects_continue_ = false;
  bool chunked_ = false;
  bool has_host_ = false;
  bool target_authority_ = false;
  bool is_connect_ = false;  // the request, or what is answered
  bool head_request_ = false;
  bool has_upgrade_ = false;
  bool upgrade_asked_ = false;
  uint32_t minor_version_ = 1;
  uint32_t status_ = 0;
  std::optional<uint64_t> content_length_;
  uint64_t body_left_ = 0;
  size_t section_bytes_ = 0;
  size_t section_fields_ = 0;
  size_t chunk_extension_bytes_ = 0;  // beyond what the chunks pay for
  HeaderMap* map_ = nullptr;          // of the section that is being read
  std::string partial_;               // the beginning of a line that has not come whole
  Buffer body_;
};

void ParserImpl::next_message() {
  state_ = State::kIdle;
  section_done_ = false;
  keep_alive_ = true;
  connection_close_ = connection_keep_alive_ = expects_continue_ = chunked_ = false;
  has_host_ = target_authority_ = is_connect_ = head_request_ = has_upgrade_ = upgrade_asked_ = false;
  minor_version_ = 1;
  status_ = 0;
  content_length_.reset();
  body_left_ = 0;
  section_bytes_ = section_fields_ = chunk_extension_bytes_ = 0;
  map_ = nullptr;
  partial_.clear();
}

ParserImpl::Outcome ParserImpl::parse(Buffer& data, bool end) {
  if (state_ == State::kFailed) return bad("the connection has failed before");
  while (!paused_ && !data.empty() && state_ != State::kComplete) {
    if (in_lines()) {
      auto outcome = parse_lines(data);
      if (!outcome) {
        if (in_head()) drop_empty_authority();
        state_ = State::kFailed;
        return outcome;
      }
    } else {
      take_body(data);
    }
  }
  if (end && !paused_) return finish_at_end(data);
  return Unit{};
}

ParserImpl::Outcome ParserImpl::finish_at_end(const Buffer& data) {
  if (state_ == State::kUntilClose) complete();
  if (state_ == State::kComplete || state_ == State::kIdle || state_ == State::kUpgraded || !data.empty())
    return Unit{};
  state_ = State::kFailed;
  return bad("the peer closed the connection inside of a message");
}

// Reads lines out of the first block. The bytes are drained before a sink is called, which may drop the whole buffer.
ParserImpl::Outcome ParserImpl::parse_lines(Buffer& data) {
  const std::string_view block = data.front();
  size_t position = 0;
  while (in_lines() && !section_done_) {
    const std::string_view rest = block.substr(position);
    const void* newline = rest.empty() ? nullptr : std::memchr(rest.data(), '\n', rest.size());
    if (!newline) {
      auto outcome = keep_partial(rest);
      data.drain(block.size());
      return outcome;
    }
    std::string_view line = rest.substr(0, static_cast<size_t>(static_cast<const char*>(newline) - rest.data()));
    position += line.size() + 1;
    auto outcome = check_line_size(partial_.size() + line.size() + 1);
    if (outcome && !partial_.empty()) line = partial_.append(line);
    if (outcome) outcome = take_line(line);
    partial_.clear();
    if (!outcome) {
      data.drain(position);
      return outcome;
    }
  }
  data.drain(position);
  return section_done_ ? finish_section() : Outcome(Unit{});
}

ParserImpl::Outcome ParserImpl::keep_partial(std::string_view rest) {
  if (rest.empty()) return Unit{};
  if (state_ == State::kIdle && (partial_.empty() && rest != "\r")) {
    state_ = State::kStartLine;
    map_ = &sink_.headers_storage();
  }
  partial_.append(rest);
  const size_t counted = section_bytes_;
  auto outcome = check_line_size(partial_.size());
  section_bytes_ = counted;
  return outcome;
}

ParserImpl::Outcome ParserImpl::check_line_size(size_t size) {
  if (state_ == State::kChunkSize || state_ == State::kChunkEnd) {
    if (size > kMaxChunkLine) return bad("the line of a chunk size is too long");
    return Unit{};
  }
  section_bytes_ += size;
  if (section_bytes_ > limits_.max_header_bytes) {
    return bad("the header fields are larger than the limit", "http1.headers_too_large", 431);
  }
  return Unit{};
}

ParserImpl::Outcome ParserImpl::take_line(std::string_view line) {
  if (!line.empty() && line.back() == '\r') {
    line.remove_suffix(1);
  } else if (kind_ == Kind::kRequest || state_ == State::kChunkSize || state_ == State::kChunkEnd) {
    return bad("a line does not end with CRLF");
  }
  switch (state_) {
    case State::kIdle:
      if (line.empty()) return Unit{};
      state_ = State::kStartLine;
      map_ = &sink_.headers_storage();
      [[fallthrough]];
    case State::kStartLine:
      return kind_ == Kind::kRequest ? take_request_line(line) : take_status_line(line);
    case State::kFields:
      if (!line.empty()) return take_field(line);
      section_done_ = true;
      return Unit{};
    case State::kChunkSize:
      return take_chunk_size(line);
    case State::kChunkEnd:
      if (!line.empty()) return bad("a chunk is longer than its size");
      state_ = State::kChunkSize;
      return Unit{};
    default:
      if (!line.empty()) return take_trailer(line);
      section_done_ = true;
      return Unit{};
  }
}

ParserImpl::Outcome ParserImpl::take_request_line(std::string_view line) {
  const auto parts = split_request_line(line);
  if (!parts) return bad("the request line is not 'method target version'");
  if (!limits_.any_method && !is_known_method(parts->method)) return bad("the method is not known");
  const auto version = parse_version(parts->version);
  if (!version) {
    if (!is_other_version(parts->version)) return bad("the request line has no HTTP version");
    return bad("only HTTP/1.1 and HTTP/1.0 are spoken here", "low_version", 426);  // as Envoy, for 1.2 too
  }
  minor_version_ = *version;
  const auto target = parse_target(parts->method, parts->target);
  if (!target) return bad("the request target is not valid", "http1.invalid_url");
  is_connect_ = parts->method == "CONNECT";
  // In Envoy's order. Without one in the target, :authority is a place for Host.
  target_authority_ = !target->authority.empty();
  map_->add(HeaderId::kAuthority, ":authority", target->authority);
  if (!target->scheme.empty()) map_->add(HeaderId::kScheme, ":scheme", target->scheme);
  if (target->prefix_slash) {
    map_->add(HeaderId::kPath, ":path", "/" + std::string(target->path));
  } else if (!is_connect_) {
    map_->add(HeaderId::kPath, ":path", target->path);
  }
  map_->add(HeaderId::kMethod, ":method", parts->method);
  state_ = State::kFields;
  return Unit{};
}

ParserImpl::Outcome ParserImpl::take_status_line(std::string_view line) {
  const auto parts = parse_status_line(line);
  if (!parts) return bad("the status line is not valid");
  minor_version_ = parts->minor_version;
  status_ = parts->status;
  map_->add(HeaderId::kStatus, ":status", parts->status_text);
  state_ = State::kFields;
  return Unit{};
}

ParserImpl::Outcome ParserImpl::take_field(std::string_view line) {
  if (++section_fields_ > limits_.max_header_count) {
    return bad("there are more header fields than the limit", "http1.too_many_headers", 431);
  }
  FieldLine field;
  if (!parse_field_line(line, field)) return bad("a header field is not valid", "http1.invalid_characters");
  if (field.id != HeaderId::kOther) {
    if (field.id == HeaderId::kHost && kind_ == Kind::kRequest) return take_host(field.value);
    auto outcome = take_known_field(field);
    if (!outcome) return outcome;
    if (field.id == HeaderId::kContentLength) field.value = without_leading_zeros(field.value);
  }
  map_->add(field.id, field.name, field.value);
  return Unit{};
}

ParserImpl::Outcome ParserImpl::take_host(std::string_view value) {
  if (has_host_) return bad("there is more than one Host field");
  has_host_ = true;
  if (!is_authority(value)) return bad("the Host field is not valid", "http1.invalid_url");
  if (!target_authority_) map_->set(HeaderId::kAuthority, value);  // else the target's (section 3.2.2)
  return Unit{};
}

// Host has not come.
void ParserImpl::drop_empty_authority() {
  if (kind_ == Kind::kRequest && map_ != nullptr && map_->value(HeaderId::kAuthority).empty())
    map_->remove(HeaderId::kAuthority);
}

ParserImpl::Outcome ParserImpl::take_known_field(const FieldLine& field) {
  switch (field.id) {
    case HeaderId::kContentLength: {
      if (content_length_) return bad("there is more than one Content-Length", "http1.content_length_not_allowed");
      content_length_ = parse_content_length(field.value);
      if (!content_length_) return bad("Content-Length is not a number", "http1.content_length_not_allowed");
      return Unit{};
    }
    case HeaderId::kTransferEncoding:
      if (chunked_ || !equals_ignore_case(field.value, "chunked")) {
        return bad("the only transfer coding is one 'chunked'", "http1.invalid_transfer_encoding", 501);
      }
      chunked_ = true;
      return Unit{};
    case HeaderId::kConnection:
      take_connection(field.value);
      return Unit{};
    case HeaderId::kUpgrade:
      has_upgrade_ = true;
      return Unit{};
    case HeaderId::kExpect:
      expects_continue_ = equals_ignore_case(field.value, "100-continue");
      return Unit{};
    default:
      return Unit{};
  }
}

void ParserImpl::take_connection(std::string_view value) {
  for_each_list_element(value, [this](std::string_view option) {
    if (equals_ignore_case(option, "close")) connection_close_ = true;
    if (equals_ignore_case(option, "keep-alive")) connection_keep_alive_ = true;
  });
}

ParserImpl::Outcome ParserImpl::take_chunk_size(std::string_view line) {
  const auto chunk = parse_chunk_size(line);
  if (!chunk) return bad("a chunk size is not valid, or has more than 15 digits");
  chunk_extension_bytes_ += chunk->padding;
  chunk_extension_bytes_ -= std::min<uint64_t>(chunk_extension_bytes_, kFreeChunkExtension + 2 * chunk->size);
  if (chunk_extension_bytes_ > kMaxChunkExtensions) return bad("there are too many chunk extensions");
  body_left_ = chunk->size;
  if (chunk->size > 0) {
    state_ = State::kChunkData;
    return Unit{};
  }
  state_ = State::kTrailers;
  section_bytes_ = section_fields_ = 0;
  map_ = nullptr;
  return Unit{};
}

// Fields that frame, route or authenticate a message have no meaning after it (RFC 9110 section 6.5.1): left out.
bool is_forbidden_trailer(HeaderId id) {
  switch (id) {
    case HeaderId::kContentLength:
    case HeaderId::kTransferEncoding:
    case HeaderId::kHost:
    case HeaderId::kConnection:
    case HeaderId::kKeepAlive:
    case HeaderId::kProxyConnection:
    case HeaderId::kUpgrade:
    case HeaderId::kTe:
    case HeaderId::kTrailer:
    case HeaderId::kExpect:
    case HeaderId::kAuthorization:
      return true;
    default:
      return false;
  }
}

ParserImpl::Outcome ParserImpl::take_trailer(std::string_view line) {
  if (++section_fields_ > limits_.max_header_count) {
    return bad("there are more trailer fields than the limit", "http1.too_many_headers", 431);
  }
  FieldLine field;
  if (!parse_field_line(line, field)) return bad("a trailer field is not valid", "http1.invalid_characters");
  if (is_forbidden_trailer(field.id)) return Unit{};
  if (!map_) map_ = &sink_.trailers_storage();
  map_->add(field.id, field.name, field.value);
  return Unit{};
}

ParserImpl::Outcome ParserImpl::finish_section() {
  section_done_ = false;
  if (state_ == State::kFields) return kind_ == Kind::kRequest ? finish_request_head() : finish_response_head();
  if (map_) sink_.on_trailers();
  complete();
  return Unit{};
}

ParserImpl::Outcome ParserImpl::finish_request_head() {
  if (chunked_ && content_length_) {
    return bad("both Content-Length and Transfer-Encoding", "http1.content_length_and_chunked_not_allowed");
  }
  if (chunked_ && (minor_version_ == 0 || is_connect_)) {
    return bad("Transfer-Encoding is not allowed here", "http1.transfer_encoding_not_allowed");
  }
  if (is_connect_ && content_length_.value_or(0) != 0) {
    return bad("Content-Length is not allowed here", "http1.content_length_not_allowed");
  }
  if (!has_host_ && !target_authority_) {
    if (minor_version_ >= 1) return bad("the Host field is missing", "missing_host_header");
    drop_empty_authority();
  }
  keep_alive_ = !connection_close_ && (minor_version_ >= 1 || connection_keep_alive_);
  if (minor_version_ == 0) expects_continue_ = false;  // RFC 9110 section 10.1.1
  if (limits_.upgrades && (is_connect_ || (has_upgrade_ && is_upgrade(*map_)))) {
    if (is_connect_) map_->remove(HeaderId::kContentLength);
    begin_body(State::kUpgraded);
  } else if (chunked_) {
    begin_body(State::kChunkSize);
  } else if (content_length_.value_or(0) > 0) {
    body_left_ = *content_length_;
    begin_body(State::kFixedBody);
  } else {
    begin_body(State::kComplete);
  }
  return Unit{};
}

ParserImpl::Outcome ParserImpl::finish_response_head() {
  if (upgrade_asked_ && is_connect_ && status_ >= 200 && status_ < 300) return take_tunnel();
  const bool bodiless_status = status_ < 200 || status_ == 204;
  if (chunked_ && (content_length_ || bodiless_status || minor_version_ == 0)) {
    return bad("Transfer-Encoding is not allowed here", "http1.transfer_encoding_not_allowed");
  }
  if (bodiless_status && content_length_.value_or(0) != 0) {
    return bad("Content-Length is not allowed here", "http1.content_length_not_allowed");
  }
  if (status_ == 101) return take_switch();
  if (status_ < 200) {
    take_informational();
    return Unit{};
  }
  keep_alive_ = !connection_close_ && (minor_version_ >= 1 || connection_keep_alive_);
  if (head_request_ || bodiless_status || status_ == 304) {
    begin_body(State::kComplete);
  } else if (chunked_) {
    begin_body(State::kChunkSize);
  } else if (content_length_) {
    body_left_ = *content_length_;
    begin_body(body_left_ > 0 ? State::kFixedBody : State::kComplete);
  } else {
    keep_alive_ = false;
    begin_body(State::kUntilClose);
  }
  return Unit{};
}

// What is asked for has to be agreed to in so many words (RFC 9110 section 15.2.2).
ParserImpl::Outcome ParserImpl::take_switch() {
  if (!upgrade_asked_) return bad("the server switches protocols without being asked");
  if (!is_upgrade(*map_)) return bad("the server switches protocols without saying to which");
  map_->remove(HeaderId::kContentLength);
  keep_alive_ = false;
  begin_body(State::kUpgraded);
  return Unit{};
}

// Whatever it says of a body it has none (RFC 9110 section 9.3.6).
ParserImpl::Outcome ParserImpl::take_tunnel() {
  map_->remove(HeaderId::kContentLength);
  map_->remove(HeaderId::kTransferEncoding);
  keep_alive_ = false;
  begin_body(State::kUpgraded);
  return Unit{};
}

void ParserImpl::take_informational() {
  sink_.on_informational(status_);
  map_->clear();
  const bool head_request = head_request_;
  const bool is_connect = is_connect_;
  const bool upgrade_asked = upgrade_asked_;
  next_message();
  head_request_ = head_request;
  is_connect_ = is_connect;
  upgrade_asked_ = upgrade_asked;
}

void ParserImpl::begin_body(State body) {
  const bool end_stream = body == State::kComplete;
  if (!end_stream) state_ = body;
  sink_.on_headers(end_stream);
  if (end_stream) complete();
}

void ParserImpl::take_body(Buffer& data) {
  const bool endless = state_ == State::kUntilClose || state_ == State::kUpgraded;
  if (endless || data.size() <= body_left_) {
    if (!endless) body_left_ -= data.size();
    body_.move_from(data);
  } else {
    body_.move_from(data, static_cast<size_t>(body_left_));
    body_left_ = 0;
  }
  const bool part_done = !endless && body_left_ == 0;
  const bool chunk = state_ == State::kChunkData;
  if (part_done && chunk) state_ = State::kChunkEnd;
  sink_.on_data(body_);
  body_.clear();
  if (part_done && !chunk) complete();
}

void ParserImpl::complete() {
  state_ = State::kComplete;
  sink_.on_message_complete();
}

}  // namespace

std::unique_ptr<Http1Parser> Http1Parser::create(Kind kind, ParserLimits limits, ParserSink& sink) {
  return std::make_unique<ParserImpl>(kind, limits, sink);
}

}  // namespace inlay::http
