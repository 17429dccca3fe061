// SPDX-License-Identifier: Apache-2.0
#include "http/http1_parser.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>

#include "http/http1_grammar.h"
#include "http/http1_head.h"

namespace inlay::http {
namespace {

// What a message may spend on chunk extensions and on the lines of chunk sizes beyond their digits, without the body to
// show for it: each chunk pays for some padding, and for twice as much as it carries.
constexpr size_t kMaxChunkExtensions = 16 * 1024;
constexpr size_t kFreeChunkExtension = 16;
constexpr size_t kMaxChunkLine = 4 * 1024;

class ParserImpl final : public Http1Parser {
 public:
  ParserImpl(Kind kind, ParserLimits limits, ParserSink& sink) : kind_(kind), limits_(limits), sink_(sink) {}

  Result<Unit, ParseError> parse(Buffer& data, bool end) override;
  void set_request_method(std::string_view method) override {
    head_.answers_head = method == "HEAD";
    head_.is_connect = method == "CONNECT";
  }
  void set_upgrade_asked() override { head_.upgrade_asked = true; }
  void next_message() override;
  void set_paused(bool paused) override { paused_ = paused; }

  bool keep_alive() const override { return head_.keep_alive; }
  bool upgrades() const override { return state_ == State::kUpgraded; }
  bool expects_100_continue() const override { return head_.expects_continue; }
  uint32_t minor_version() const override { return head_.minor_version; }
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
  Outcome take_host(std::string_view value);
  void drop_empty_authority();
  Outcome take_chunk_size(std::string_view line);
  Outcome take_trailer(std::string_view line);
  Outcome finish_section();
  Outcome finish_head();
  void take_informational();
  void begin_body(Http1Head::Body body);
  void take_body(Buffer& data);
  void complete();
  Outcome finish_at_end(const Buffer& data);

  const Kind kind_;
  const ParserLimits limits_;
  ParserSink& sink_;
  State state_ = State::kIdle;
  bool paused_ = false;
  bool section_done_ = false;  // the empty line of the head or the trailers was read
  Http1Head head_;
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
  head_.clear();
  body_left_ = 0;
  section_bytes_ = section_fields_ = chunk_extension_bytes_ = 0;
  map_ = nullptr;
  partial_.clear();
}

ParserImpl::Outcome ParserImpl::parse(Buffer& data, bool end) {
  if (state_ == State::kFailed) return parse_error("the connection has failed before");
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
  return parse_error("the peer closed the connection inside of a message");
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
    if (size > kMaxChunkLine) return parse_error("the line of a chunk size is too long");
    return Unit{};
  }
  section_bytes_ += size;
  if (section_bytes_ > limits_.max_header_bytes) {
    return parse_error("the header fields are larger than the limit", "http1.headers_too_large", 431);
  }
  return Unit{};
}

ParserImpl::Outcome ParserImpl::take_line(std::string_view line) {
  if (!line.empty() && line.back() == '\r') {
    line.remove_suffix(1);
  } else if (kind_ == Kind::kRequest || state_ == State::kChunkSize || state_ == State::kChunkEnd) {
    return parse_error("a line does not end with CRLF");
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
      if (!line.empty()) return parse_error("a chunk is longer than its size");
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
  if (!parts) return parse_error("the request line is not 'method target version'");
  if (!limits_.any_method && !is_known_method(parts->method)) return parse_error("the method is not known");
  const auto version = parse_version(parts->version);
  if (!version) {
    if (!is_other_version(parts->version)) return parse_error("the request line has no HTTP version");
    return parse_error("only HTTP/1.1 and HTTP/1.0 are spoken here", "low_version", 426);  // as Envoy, for 1.2 too
  }
  head_.minor_version = *version;
  const auto target = parse_target(parts->method, parts->target);
  if (!target) return parse_error("the request target is not valid", "http1.invalid_url");
  head_.is_connect = parts->method == "CONNECT";
  // In Envoy's order. Without one in the target, :authority is a place for Host.
  head_.has_target_authority = !target->authority.empty();
  map_->add(HeaderId::kAuthority, ":authority", target->authority);
  if (!target->scheme.empty()) map_->add(HeaderId::kScheme, ":scheme", target->scheme);
  if (target->prefix_slash) {
    map_->add(HeaderId::kPath, ":path", "/" + std::string(target->path));
  } else if (!head_.is_connect) {
    map_->add(HeaderId::kPath, ":path", target->path);
  }
  map_->add(HeaderId::kMethod, ":method", parts->method);
  state_ = State::kFields;
  return Unit{};
}

ParserImpl::Outcome ParserImpl::take_status_line(std::string_view line) {
  const auto parts = parse_status_line(line);
  if (!parts) return parse_error("the status line is not valid");
  head_.minor_version = parts->minor_version;
  head_.status = parts->status;
  map_->add(HeaderId::kStatus, ":status", parts->status_text);
  state_ = State::kFields;
  return Unit{};
}

ParserImpl::Outcome ParserImpl::take_field(std::string_view line) {
  if (++section_fields_ > limits_.max_header_count) {
    return parse_error("there are more header fields than the limit", "http1.too_many_headers", 431);
  }
  FieldLine field;
  if (!parse_field_line(line, field)) return parse_error("a header field is not valid", "http1.invalid_characters");
  if (field.id != HeaderId::kOther) {
    if (field.id == HeaderId::kHost && kind_ == Kind::kRequest) return take_host(field.value);
    auto outcome = head_.take(field);
    if (!outcome) return outcome;
    if (field.id == HeaderId::kContentLength) field.value = without_leading_zeros(field.value);
  }
  map_->add(field.id, field.name, field.value);
  return Unit{};
}

ParserImpl::Outcome ParserImpl::take_host(std::string_view value) {
  auto outcome = head_.take_host(value);
  // With one in the target Host says nothing (RFC 9112 section 3.2.2).
  if (outcome && !head_.has_target_authority) map_->set(HeaderId::kAuthority, value);
  return outcome;
}

// Host has not come.
void ParserImpl::drop_empty_authority() {
  if (kind_ == Kind::kRequest && map_ != nullptr && map_->value(HeaderId::kAuthority).empty())
    map_->remove(HeaderId::kAuthority);
}

ParserImpl::Outcome ParserImpl::take_chunk_size(std::string_view line) {
  const auto chunk = parse_chunk_size(line);
  if (!chunk) return parse_error("a chunk size is not valid, or has more than 15 digits");
  chunk_extension_bytes_ += chunk->padding;
  chunk_extension_bytes_ -= std::min<uint64_t>(chunk_extension_bytes_, kFreeChunkExtension + 2 * chunk->size);
  if (chunk_extension_bytes_ > kMaxChunkExtensions) return parse_error("there are too many chunk extensions");
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
    return parse_error("there are more trailer fields than the limit", "http1.too_many_headers", 431);
  }
  FieldLine field;
  if (!parse_field_line(line, field)) return parse_error("a trailer field is not valid", "http1.invalid_characters");
  if (is_forbidden_trailer(field.id)) return Unit{};
  if (!map_) map_ = &sink_.trailers_storage();
  map_->add(field.id, field.name, field.value);
  return Unit{};
}

ParserImpl::Outcome ParserImpl::finish_section() {
  section_done_ = false;
  if (state_ == State::kFields) return finish_head();
  if (map_) sink_.on_trailers();
  complete();
  return Unit{};
}

ParserImpl::Outcome ParserImpl::finish_head() {
  const auto body = kind_ == Kind::kRequest ? head_.request_body(*map_, limits_.upgrades) : head_.response_body(*map_);
  if (!body) return body.error();
  if (kind_ == Kind::kRequest && !head_.has_host && !head_.has_target_authority) drop_empty_authority();
  if (*body == Http1Head::Body::kInformational) {
    take_informational();
  } else {
    begin_body(*body);
  }
  return Unit{};
}

void ParserImpl::take_informational() {
  sink_.on_informational(head_.status);
  map_->clear();
  Http1Head next = head_;
  next.clear_but_request();
  next_message();
  head_ = next;
}

void ParserImpl::begin_body(Http1Head::Body body) {
  switch (body) {
    case Http1Head::Body::kChunked:
      state_ = State::kChunkSize;
      break;
    case Http1Head::Body::kFixed:
      state_ = State::kFixedBody;
      body_left_ = *head_.content_length;
      break;
    case Http1Head::Body::kUntilClose:
      state_ = State::kUntilClose;
      break;
    case Http1Head::Body::kUpgraded:
      state_ = State::kUpgraded;
      break;
    default:
      sink_.on_headers(true);
      complete();
      return;
  }
  sink_.on_headers(false);
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
