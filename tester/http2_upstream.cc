// SPDX-License-Identifier: Apache-2.0
// A connection to an upstream that speaks HTTP/2: each request is a stream of it.
#include <algorithm>
#include <list>
#include <utility>

#include "tester/http2_wire.h"
#include "tester/socket_upstream.h"
#include "tester/wire.h"

namespace inlay::tester {
namespace {

// A request and what is answered.
class UpstreamStream final : public http2::Stream, public Exchange {
 public:
  // `pings`: those without an answer, of the connection.
  UpstreamStream(const std::string& name, SocketRun& run, http2::Session& session, size_t& pings)
      : name_(name), run_(run), session_(session), pings_(pings) {}

  bool waiting() const { return waiting_; }
  // Nothing more is to be said of it.
  bool over() const { return !waiting_ && seen_ && !open(); }
  // The connection is gone.
  void lost() {
    if (waiting_ || (seen_ && !complete_)) run_.run.transcript.line(name_, "got close");
    waiting_ = false;
    complete_ = true;
  }

  void head(const Answer& answer, bool end, bool chunked) override;
  void body(std::string_view bytes, bool end) override;
  void trailers(const Fields& fields) override;
  void resets() override;
  void continues() override { session_.submit_informational(*this, header_map({{":status", "100"}})); }

 private:
  http::HeaderMap& headers_storage() override { return headers_; }
  http::HeaderMap& trailers_storage() override { return trailers_; }
  void on_headers(bool end_stream) override;
  void on_data(Buffer& data, bool end_stream) override;
  void on_trailers() override;
  void on_closed() override { waiting_ = false; }
  void on_reset(http2::ErrorCode code, bool by_peer) override;
  void completed();
  void sent();

  const std::string& name_;
  SocketRun& run_;
  http2::Session& session_;
  size_t& pings_;
  http::HeaderMap headers_;
  http::HeaderMap trailers_;
  Length length_;  // of the answer's body
  bool head_request_ = false;
  bool seen_ = false;      // its head
  bool complete_ = false;  // the request
  bool waiting_ = false;   // for more of an answer
};

void UpstreamStream::on_headers(bool end_stream) {
  const Fields fields = fields_of(headers_);
  seen_ = waiting_ = true;
  head_request_ = field(fields, ":method") == "HEAD";
  tell_request(
      run_.run.transcript, name_,
      {.method = std::string(field(fields, ":method")), .path = std::string(field(fields, ":path")), .fields = fields},
      run_.run.c.show);
  if (end_stream) completed();
}

void UpstreamStream::on_data(Buffer& data, bool end_stream) {
  run_.run.transcript.body(name_, data.to_string());
  data.clear();
  if (end_stream) completed();
}

void UpstreamStream::on_trailers() {
  tell_trailers(run_.run.transcript, name_, fields_of(trailers_), run_.run.c.show);
  completed();
}

void UpstreamStream::completed() {
  complete_ = true;
  run_.run.transcript.end(name_);
  if (waiting_) serve(*this, *run_.run.c.upstream(name_));
}

void UpstreamStream::on_reset(http2::ErrorCode code, bool by_peer) {
  // What was answered in whole before the request was needs no more of it: this side's own.
  const bool enough = !by_peer && code == http2::ErrorCode::kNoError;
  const bool of_interest = !enough && (waiting_ || (seen_ && !complete_));
  seen_ = complete_ = true;
  waiting_ = false;
  if (of_interest) run_.run.transcript.line(name_, by_peer ? "got reset" : "got what is not HTTP/2");
}

void UpstreamStream::head(const Answer& answer, bool end, bool chunked) {
  const bool without_length = chunked && !has_field(answer.headers, "content-length") && !end;
  Fields fields = answer_fields(answer, without_length);
  length_.begin(fields);
  fields.insert(fields.begin(), {":status", answer.status});
  const bool last = end || head_request_;
  session_.submit_response(*this, header_map(fields), last);
  if (last) waiting_ = false;
  sent();
}

void UpstreamStream::body(std::string_view bytes, bool end) {
  if (!waiting_) return;  // the answer to HEAD has none
  Buffer data;
  data.append(bytes);
  const bool last = length_.take(bytes.size()) || end;
  session_.send_data(*this, data, last);
  if (last) waiting_ = false;
  sent();
}

void UpstreamStream::trailers(const Fields& fields) {
  if (!waiting_) return;
  waiting_ = false;
  session_.send_trailers(*this, header_map(fields));
  sent();
}

// A ping behind it, whose answer says that it has been read.
void UpstreamStream::sent() {
  ++pings_;
  session_.ping();
}

void UpstreamStream::resets() {
  waiting_ = false;
  complete_ = true;
  session_.reset(*this, http2::ErrorCode::kInternalError);
}

class Http2Upstream final : public SocketUpstream, private http2::SessionSink {
 public:
  Http2Upstream(const std::string& name, Socket socket, SocketRun& run)
      : run_(run), name_(name), wire_(http2::Session::Kind::kServer, std::move(socket), *this, run) {}

  Exchange* waiting() override {
    const auto first = std::find_if(streams_.begin(), streams_.end(), [](const auto& s) { return s.waiting(); });
    return first == streams_.end() ? nullptr : &*first;
  }
  bool turn() override;
  bool open() const override { return open_; }
  bool is_read() const override { return !open_ || pings_ == 0; }

 private:
  http2::Stream* on_stream() override { return &streams_.emplace_back(name_, run_, wire_.session(), pings_); }
  void on_goaway(http2::ErrorCode) override {}
  void on_ping_answer() override { --pings_; }

  SocketRun& run_;
  const std::string name_;
  Http2Wire wire_;
  std::list<UpstreamStream> streams_;  // the oldest first
  bool open_ = true;
  size_t pings_ = 0;  // without an answer
};

bool Http2Upstream::turn() {
  bool news = false;
  wire_.flush();
  while (open_) {
    const Socket::Read got = wire_.read();
    if (got == Socket::Read::kNothing) break;
    news = true;
    if (got == Socket::Read::kBytes) continue;
    open_ = false;
    for (UpstreamStream& stream : streams_) stream.lost();
    wire_.socket().close();
  }
  if (!open_) return news;
  wire_.flush();
  streams_.remove_if([](const UpstreamStream& stream) { return stream.over(); });
  return news;
}

}  // namespace

std::unique_ptr<SocketUpstream> make_http2_upstream(const std::string& name, Socket socket, SocketRun& run) {
  return std::make_unique<Http2Upstream>(name, std::move(socket), run);
}

}  // namespace inlay::tester
