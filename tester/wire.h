// SPDX-License-Identifier: Apache-2.0
#pragma once

// HTTP/1.1 on the wire, for the clients and the origins of cases: writing messages, and reading them into a transcript.
// It shares no code with the proxy's codec, which it tests. What transcripts show of a message is the same by HTTP/2.

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "tester/socket.h"
#include "tester/step.h"
#include "tester/transcript.h"
#include "tester/words.h"

namespace inlay::tester {

// A message's head as a line of a transcript: "name=value" for all fields that say something about the filter and not
// about the run (dates, ids, times), and those in `shown` besides.
std::string show_fields(const Fields& fields, const std::vector<std::string>& shown, bool request);

// Put the head of a request that an upstream got, or of a response that a client got, and trailers into a transcript.
// `fields` of a request may have pseudo-headers; its host is shown behind the path, wherever it stands.
void tell_request(Transcript& transcript, const std::string& actor, Message message,
                  const std::vector<std::string>& shown);
void tell_response(Transcript& transcript, const std::string& actor, const std::string& status, const Fields& fields,
                   const std::vector<std::string>& shown);
void tell_trailers(Transcript& transcript, const std::string& actor, Fields trailers,
                   const std::vector<std::string>& shown);

// "name: value\r\n" of each.
std::string field_lines(const Fields& fields);
std::string chunk(std::string_view bytes);

bool has_field(const Fields& fields, std::string_view name);
// The first value; empty when there is none.
std::string_view field(const Fields& fields, std::string_view name);

// The fields of a client's request: those of the step, a host, and the length of a body that is not `chunked`.
Fields request_fields(const Step& step);
// Those of an upstream's answer, likewise. `chunked`: its body has no length.
Fields answer_fields(const Answer& answer, bool chunked);

// RequestWriter writes one client's requests.
class RequestWriter {
 public:
  std::string head(const Step& step);  // with the body, if it has one
  std::string body(std::string_view text, bool end) const;
  std::string trailers(const Fields& fields) const;

 private:
  bool chunked_ = false;
};

// WireReader reads one side's messages, one after another, and puts what it sees into a transcript under `actor`.
class WireReader {
 public:
  enum class Kind : uint8_t { kRequests, kResponses, kBytes };  // kBytes: no messages, what comes as it comes
  WireReader(Kind kind, std::string actor, Transcript& transcript, const std::vector<std::string>& shown)
      : kind_(kind), actor_(std::move(actor)), transcript_(transcript), shown_(shown) {}

  void feed(std::string_view bytes);
  // The peer has closed: the end of a body without a length; elsewhere it is a line of the transcript.
  void on_close(bool reset);
  // The next responses answer requests of these methods (HEAD has no body).
  void expect(std::string method) { methods_.push_back(std::move(method)); }

  // A message was read whole, or its head.
  std::function<void()> on_head;
  std::function<void()> on_complete;
  const std::string& method() const { return method_; }  // of the last request
  bool in_message() const { return state_ != State::kStart || !buffer_.empty(); }
  size_t messages() const { return messages_; }

 private:
  enum class State : uint8_t { kStart, kLength, kChunkSize, kChunk, kChunkEnd, kTrailers, kUntilClose, kBroken };
  bool step();
  bool take_line(std::string& line);
  void take_head(const std::string& head);
  void choose_body(const Fields& fields, const std::string& status);
  void finish();
  void broken(std::string_view what);

  Kind kind_;
  std::string actor_;
  Transcript& transcript_;
  const std::vector<std::string>& shown_;
  std::vector<std::string> methods_;
  std::string method_;
  std::string buffer_;
  State state_ = State::kStart;
  size_t left_ = 0;
  size_t messages_ = 0;
  Fields trailers_;
};

// Feeds `reader` with what has come on a socket: kEnd or kReset if the connection has ended, else kNothing. `news`
// turns true when anything has come, the end too.
Socket::Read feed_from(Socket& socket, WireReader& reader, bool& news);

}  // namespace inlay::tester
