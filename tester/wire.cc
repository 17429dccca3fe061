// SPDX-License-Identifier: Apache-2.0
#include "tester/wire.h"
#include "base/ascii.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <utility>

namespace inlay::tester {
namespace {

constexpr std::array<std::string_view, 10> kNotOfRequests = {"x-request-id",
                                                             "x-forwarded-proto",
                                                             "x-envoy-expected-rq-timeout-ms",
                                                             "transfer-encoding",
                                                             "host",
                                                             "x-envoy-internal",
                                                             ":method",
                                                             ":path",
                                                             ":scheme",
                                                             ":authority"};
constexpr std::array<std::string_view, 5> kNotOfResponses = {"date", "server", "x-envoy-upstream-service-time",
                                                             "transfer-encoding", ":status"};

// "name: value" without the space around the value.
std::pair<std::string, std::string> read_field(const std::string& line) {
  const size_t colon = line.find(':');
  if (colon == std::string::npos) return {line, "(no colon)"};
  size_t begin = line.find_first_not_of(" \t", colon + 1);
  if (begin == std::string::npos) begin = line.size();
  return {lower(line.substr(0, colon)), line.substr(begin)};
}

}  // namespace

std::string show_fields(const Fields& fields, const std::vector<std::string>& shown, bool request) {
  std::string text;
  for (const auto& [name, value] : fields) {
    const bool hidden = request ? std::count(kNotOfRequests.begin(), kNotOfRequests.end(), name) > 0
                                : std::count(kNotOfResponses.begin(), kNotOfResponses.end(), name) > 0;
    if (request && name == "content-length" && value == "0") continue;  // depends on the method, not on the filter
    if (hidden && std::count(shown.begin(), shown.end(), "header:" + name) == 0) continue;
    const bool plain = !value.empty() && value.find_first_of(" \"\\") == std::string::npos &&
                       std::all_of(value.begin(), value.end(), [](char c) { return c > 0x20 && c < 0x7f; });
    text += " " + name + "=" + (plain ? value : quote(value));
  }
  return text;
}

void tell_request(Transcript& transcript, const std::string& actor, Message message,
                  const std::vector<std::string>& shown) {
  std::string text = "got " + message.method + " " + message.path;
  for (const std::string_view name : {"host", ":authority"}) {
    if (has_field(message.fields, name)) text += " host=" + std::string(field(message.fields, name));
  }
  text += show_fields(message.fields, shown, true);
  transcript.head(actor, std::move(text), std::move(message));
}

void tell_response(Transcript& transcript, const std::string& actor, const std::string& status, const Fields& fields,
                   const std::vector<std::string>& shown) {
  transcript.head(actor, "got " + status + show_fields(fields, shown, false),
                  {.status = status, .fields = fields, .complete = status == "100"});
}

void tell_trailers(Transcript& transcript, const std::string& actor, Fields trailers,
                   const std::vector<std::string>& shown) {
  std::string text = "got trailers" + show_fields(trailers, shown, true);
  transcript.trailers(actor, std::move(text), std::move(trailers));
}

Fields request_fields(const Step& step) {
  Fields fields = step.fields;
  if (!has_field(fields, "host")) fields.insert(fields.begin(), {"host", "test"});
  if (!step.text.empty() && !step.chunked && !has_field(fields, "content-length")) {
    fields.emplace_back("content-length", std::to_string(step.text.size()));
  }
  return fields;
}

Fields answer_fields(const Answer& answer, bool chunked) {
  Fields fields = answer.headers;
  const bool none = answer.status == "204" || answer.status == "304";
  if (!chunked && !has_field(fields, "content-length") && !none) {
    fields.emplace_back("content-length", std::to_string(answer.body.size()));
  }
  return fields;
}

std::string RequestWriter::head(const Step& step) {
  Fields fields = request_fields(step);
  chunked_ = step.chunked;
  if (chunked_) fields.emplace_back("transfer-encoding", "chunked");
  const std::string head = step.method + " " + step.path + " HTTP/1.1\r\n" + field_lines(fields) + "\r\n";
  return head + (chunked_ && !step.text.empty() ? chunk(step.text) + "0\r\n\r\n" : step.text);
}

std::string RequestWriter::body(std::string_view text, bool end) const {
  if (!chunked_) return std::string(text);
  return chunk(text) + (end ? "0\r\n\r\n" : "");
}

std::string RequestWriter::trailers(const Fields& fields) const {
  return "0\r\n" + field_lines(fields) + "\r\n";
}

std::string field_lines(const Fields& fields) {
  std::string text;
  for (const auto& [name, value] : fields) text += name + ": " + value + "\r\n";
  return text;
}

std::string chunk(std::string_view bytes) {
  if (bytes.empty()) return {};
  std::string size;
  for (size_t n = bytes.size(); n > 0; n /= 16) size.insert(size.begin(), kLowerHex[n % 16]);
  return size + "\r\n" + std::string(bytes) + "\r\n";
}

bool has_field(const Fields& fields, std::string_view name) {
  return std::any_of(fields.begin(), fields.end(), [&](const auto& f) { return f.first == name; });
}

std::string_view field(const Fields& fields, std::string_view name) {
  for (const auto& [key, value] : fields) {
    if (key == name) return value;
  }
  return {};
}

void WireReader::feed(std::string_view bytes) {
  if (kind_ == Kind::kBytes) return transcript_.bytes(actor_, bytes);
  buffer_ += bytes;
  while (!buffer_.empty() && step()) {
  }
}

bool WireReader::take_line(std::string& line) {
  const size_t end = buffer_.find("\r\n");
  if (end == std::string::npos) return false;
  line = buffer_.substr(0, end);
  buffer_.erase(0, end + 2);
  return true;
}

// False: more bytes are wanted.
bool WireReader::step() {
  std::string line;
  switch (state_) {
    case State::kStart: {
      const size_t end = buffer_.find("\r\n\r\n");
      if (end == std::string::npos) return false;
      const std::string head = buffer_.substr(0, end + 2);
      buffer_.erase(0, end + 4);
      take_head(head);
      return true;
    }
    case State::kLength:
    case State::kChunk: {
      const size_t n = std::min(left_, buffer_.size());
      transcript_.body(actor_, std::string_view(buffer_).substr(0, n));
      buffer_.erase(0, n);
      left_ -= n;
      if (left_ > 0) return false;
      if (state_ == State::kLength) {
        finish();
      } else {
        state_ = State::kChunkEnd;
      }
      return true;
    }
    case State::kChunkSize:
      if (!take_line(line)) return false;
      left_ = std::strtoul(line.c_str(), nullptr, 16);
      state_ = left_ == 0 ? State::kTrailers : State::kChunk;
      return true;
    case State::kChunkEnd:
      if (!take_line(line)) return false;
      if (!line.empty()) broken("no line end behind a chunk");
      state_ = State::kChunkSize;
      return true;
    case State::kTrailers:
      if (!take_line(line)) return false;
      if (!line.empty()) {
        trailers_.push_back(read_field(line));
        return true;
      }
      if (!trailers_.empty()) {
        tell_trailers(transcript_, actor_, std::exchange(trailers_, {}), shown_);
      }
      finish();
      return true;
    case State::kUntilClose:
      transcript_.body(actor_, buffer_);
      buffer_.clear();
      return false;
    case State::kBroken:
      buffer_.clear();
      return false;
  }
  return false;
}

void WireReader::take_head(const std::string& head) {
  std::string first = head.substr(0, head.find("\r\n"));
  Fields fields;
  for (size_t at = first.size() + 2; at < head.size();) {
    const size_t end = head.find("\r\n", at);
    fields.push_back(read_field(head.substr(at, end - at)));
    at = end + 2;
  }
  const size_t space = first.find(' ');
  const size_t second = first.find(' ', space + 1);
  if (space == std::string::npos) return broken(first);
  if (kind_ == Kind::kRequests) {
    method_ = first.substr(0, space);
    const std::string path = first.substr(space + 1, second == std::string::npos ? second : second - space - 1);
    tell_request(transcript_, actor_, {.method = method_, .path = path, .fields = fields}, shown_);
    if (on_head) on_head();
    return choose_body(fields, "");
  }
  const std::string status = first.substr(space + 1, second == std::string::npos ? second : second - space - 1);
  tell_response(transcript_, actor_, status, fields, shown_);
  if (status == "100") return;
  method_ = "GET";
  if (!methods_.empty()) {
    method_ = methods_.front();
    methods_.erase(methods_.begin());
  }
  if (on_head) on_head();
  choose_body(fields, status);
}

void WireReader::choose_body(const Fields& fields, const std::string& status) {
  const bool none = kind_ == Kind::kResponses && (method_ == "HEAD" || status == "204" || status == "304");
  if (none) return finish();
  if (lower(field(fields, "transfer-encoding")) == "chunked") {
    state_ = State::kChunkSize;
  } else if (has_field(fields, "content-length")) {
    left_ = std::strtoul(std::string(field(fields, "content-length")).c_str(), nullptr, 10);
    state_ = State::kLength;
    if (left_ == 0) finish();
  } else if (kind_ == Kind::kRequests) {
    finish();
  } else {
    state_ = State::kUntilClose;
  }
}

void WireReader::finish() {
  state_ = State::kStart;
  ++messages_;
  transcript_.end(actor_);
  if (on_complete) on_complete();
}

void WireReader::broken(std::string_view what) {
  transcript_.line(actor_, "got what is not HTTP: " + quote(what));
  state_ = State::kBroken;
}

void WireReader::on_close(bool reset) {
  if (kind_ == Kind::kBytes) {
    if (std::exchange(state_, State::kBroken) != State::kBroken) {
      transcript_.line(actor_, reset ? "got reset" : "got end");
    }
    return;
  }
  if (state_ == State::kUntilClose && !reset) finish();
  if (!buffer_.empty()) transcript_.line(actor_, "got part of a message: " + quote(buffer_));
  buffer_.clear();
  state_ = State::kBroken;
  transcript_.line(actor_, reset ? "got reset" : "got close");
}

Socket::Read feed_from(Socket& socket, WireReader& reader, bool& news) {
  std::string bytes;
  while (socket.open()) {
    const Socket::Read got = socket.read(bytes);
    if (got == Socket::Read::kNothing) break;
    news = true;
    if (got != Socket::Read::kBytes) return got;
    reader.feed(bytes);
  }
  return Socket::Read::kNothing;
}

}  // namespace inlay::tester
