// SPDX-License-Identifier: Apache-2.0
// A client that speaks HTTP/2: each request is a stream of its one connection.
#include <list>
#include <utility>

#include "tester/http2_wire.h"
#include "tester/socket_client.h"
#include "tester/wire.h"

namespace inlay::tester {
namespace {

// A request and its answer.
class ClientStream final : public http2::Stream {
 public:
  ClientStream(const std::string& name, const Run& run) : name_(name), run_(run) {}
  Length length;  // of the request's body

 private:
  http::HeaderMap& headers_storage() override { return headers_; }
  http::HeaderMap& trailers_storage() override { return trailers_; }
  void on_informational() override { tell_head(); }
  void on_headers(bool end_stream) override {
    tell_head();
    if (end_stream) run_.transcript.end(name_);
  }
  void on_data(Buffer& data, bool end_stream) override {
    run_.transcript.body(name_, data.to_string());
    if (end_stream) run_.transcript.end(name_);
  }
  void on_trailers() override {
    tell_trailers(run_.transcript, name_, fields_of(trailers_), run_.c.show);
    run_.transcript.end(name_);
  }
  void on_closed() override {}
  void on_reset(http2::ErrorCode code, bool by_peer) override {
    if (!by_peer) return run_.transcript.line(name_, "got what is not HTTP/2");
    const bool refused = code == http2::ErrorCode::kRefusedStream;
    run_.transcript.line(name_, refused ? "got refused" : "got reset");
  }
  void tell_head() {
    const Fields fields = fields_of(headers_);
    tell_response(run_.transcript, name_, std::string(field(fields, ":status")), fields, run_.c.show);
  }

  const std::string& name_;
  const Run& run_;
  http::HeaderMap headers_;
  http::HeaderMap trailers_;
};

class Http2Client final : public SocketClient, private http2::SessionSink {
 public:
  Http2Client(const std::string& name, uint16_t port, SocketRun& run)
      : run_(run), name_(name), wire_(http2::Session::Kind::kClient, Socket::connect(port), *this, run) {}

  void request(const Step& step) override;
  void body(std::string_view text, bool end) override;
  void trailers(const Fields& fields) override;
  void sends(std::string_view bytes, std::string_view method) override;
  void half_closes() override;
  void resets() override;
  void ends() override;
  bool turn() override;
  bool is_read() const override { return closed_ || !reads_ || pings_ == 0; }

 private:
  void sent();
  void on_goaway(http2::ErrorCode) override {}
  void on_ping_answer() override { --pings_; }

  SocketRun& run_;
  const std::string name_;
  Http2Wire wire_;
  std::list<ClientStream> streams_;  // the last one is that of which more is sent
  bool speaks_ = false;              // a request has begun
  size_t pings_ = 0;                 // without an answer
};

void Http2Client::request(const Step& step) {
  speaks_ = true;
  ClientStream& stream = streams_.emplace_back(name_, run_.run);
  stream.length.begin(request_fields(step));
  const bool complete = step.chunked ? !step.text.empty() : stream.length.take(step.text.size());
  const bool no_body = !step.chunked && !has_field(request_fields(step), "content-length");
  const bool end = no_body || (complete && step.text.empty());
  wire_.session().submit_request(stream, http2_request(step), end);
  Buffer data;
  data.append(step.text);
  if (!end && !data.empty()) wire_.session().send_data(stream, data, complete);
  sent();
}

void Http2Client::body(std::string_view text, bool end) {
  if (streams_.empty()) return;
  Buffer data;
  data.append(text);
  const bool last = streams_.back().length.take(text.size()) || end;
  wire_.session().send_data(streams_.back(), data, last);
  sent();
}

void Http2Client::trailers(const Fields& fields) {
  if (streams_.empty()) return;
  wire_.session().send_trailers(streams_.back(), header_map(fields));
  sent();
}

// Nothing of HTTP/2, but to connect.
void Http2Client::sends(std::string_view bytes, std::string_view) {
  wire_.socket().send(bytes);
  run_.sent += bytes.size();
}

void Http2Client::half_closes() {
  half_closed_ = true;
  wire_.socket().shutdown_write();
}

// Sends it, and behind it a ping, whose answer says that it has been read.
void Http2Client::sent() {
  wire_.flush();
  ++pings_;
  wire_.session().ping();
  wire_.flush();
}

void Http2Client::resets() {
  bool any = false;
  for (ClientStream& stream : streams_) {
    any |= stream.open();
    if (stream.open()) wire_.session().reset(stream, http2::ErrorCode::kCancel);
  }
  if (!any) return ends();
  sent();
}

void Http2Client::ends() {
  closed_ = true;
  wire_.socket().reset();
}

bool Http2Client::turn() {
  bool news = false;
  while (reads_ && !closed_) {
    const Socket::Read got = wire_.read();
    if (got == Socket::Read::kNothing) break;
    news = true;
    if (got == Socket::Read::kBytes) continue;
    closed_ = true;
    run_.run.transcript.line(name_, got == Socket::Read::kReset ? "got reset" : "got close");
  }
  if (speaks_ && !closed_) wire_.flush();
  return news;
}

}  // namespace

std::unique_ptr<SocketClient> make_http2_client(const std::string& name, uint16_t port, SocketRun& run) {
  return std::make_unique<Http2Client>(name, port, run);
}

}  // namespace inlay::tester
