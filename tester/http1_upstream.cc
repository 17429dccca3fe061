// SPDX-License-Identifier: Apache-2.0
#include "tester/socket_upstream.h"
#include "tester/wire.h"

namespace inlay::tester {
namespace {

class Http1Upstream final : public SocketUpstream, private Exchange {
 public:
  Http1Upstream(const std::string& name, Socket socket, SocketRun& run)
      : run_(run),
        name_(name),
        socket_(std::move(socket)),
        reader_(WireReader::Kind::kRequests, name, run.run.transcript, run.run.c.show) {
    reader_.on_head = [this] {
      waiting_ = true;
      head_request_ = reader_.method() == "HEAD";
    };
    reader_.on_complete = [this] {
      if (waiting_) serve(*this, *run_.run.c.upstream(name_));
    };
  }

  Exchange* waiting() override { return waiting_ ? this : nullptr; }
  bool turn() override;
  bool open() const override { return socket_.open(); }

 private:
  void head(const Answer& answer, bool end, bool chunked) override;
  void body(std::string_view bytes, bool end) override;
  void trailers(const Fields& fields) override;
  void resets() override;
  void continues() override { send("HTTP/1.1 100 Continue\r\n\r\n"); }
  void send(std::string_view bytes) {
    socket_.queue(bytes);
    run_.sent += bytes.size();
  }

  SocketRun& run_;
  const std::string name_;
  Socket socket_;
  WireReader reader_;
  bool waiting_ = false;  // for an answer
  bool chunked_ = false;
  bool head_request_ = false;
};

bool Http1Upstream::turn() {
  bool news = false;
  socket_.flush();
  if (feed_from(socket_, reader_, news) == Socket::Read::kNothing) return news;
  // The end of an idle connection says nothing.
  if (waiting_ || reader_.in_message()) run_.run.transcript.line(name_, "got close");
  socket_.close();
  return news;
}

void Http1Upstream::head(const Answer& answer, bool end, bool chunked) {
  chunked_ = chunked && !has_field(answer.headers, "content-length") && !end;
  Fields fields = answer_fields(answer, chunked_);
  if (chunked_) fields.emplace_back("transfer-encoding", "chunked");
  send("HTTP/1.1 " + answer.status + " x\r\n" + field_lines(fields) + "\r\n");
  if (end || head_request_) waiting_ = false;
}

void Http1Upstream::body(std::string_view bytes, bool end) {
  if (!waiting_) return;  // the answer to HEAD has none
  std::string wire = chunked_ ? chunk(bytes) : std::string(bytes);
  if (end && chunked_) wire += "0\r\n\r\n";
  send(wire);
  if (end) waiting_ = false;
}

void Http1Upstream::trailers(const Fields& fields) {
  if (!waiting_) return;
  send("0\r\n" + field_lines(fields) + "\r\n");
  waiting_ = false;
}

void Http1Upstream::resets() {
  waiting_ = false;
  socket_.flush();
  socket_.close();
}

}  // namespace

void serve(Exchange& exchange, const Upstream& upstream) {
  using Behaviour = Upstream::Behaviour;
  if (upstream.behaviour == Behaviour::kResets) return exchange.resets();
  if (upstream.behaviour != Behaviour::kAnswers) return;
  const Answer& answer = upstream.answer;
  const bool trailers = !answer.trailers.empty();
  const bool body = !answer.body.empty() || trailers;
  exchange.head(answer, !body, trailers);
  if (!answer.body.empty()) exchange.body(answer.body, !trailers);
  if (trailers) exchange.trailers(answer.trailers);
}

std::unique_ptr<SocketUpstream> make_http1_upstream(const std::string& name, Socket socket, SocketRun& run) {
  return std::make_unique<Http1Upstream>(name, std::move(socket), run);
}

}  // namespace inlay::tester
