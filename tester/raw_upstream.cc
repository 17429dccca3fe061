// SPDX-License-Identifier: Apache-2.0
// A connection to an upstream that accepts: bytes without a protocol, written to until it ends.
#include <utility>

#include "tester/socket_upstream.h"
#include "tester/wire.h"

namespace inlay::tester {
namespace {

class RawUpstream final : public SocketUpstream, private Exchange {
 public:
  RawUpstream(const std::string& name, Socket socket, SocketRun& run)
      : run_(run),
        socket_(std::move(socket)),
        reader_(WireReader::Kind::kBytes, name, run.run.transcript, run.run.c.show) {
    run_.run.transcript.line(name, "got connection");
  }

  Exchange* waiting() override { return waiting_ ? this : nullptr; }
  bool turn() override;
  bool open() const override { return socket_.open(); }
  void proxy_ends() override {
    if (ended_) socket_.close();
  }

 private:
  void head(const Answer&, bool, bool) override {}
  void body(std::string_view bytes, bool end) override {
    socket_.queue(bytes);
    run_.sent += bytes.size();
    if (end) waiting_ = false;
  }
  void trailers(const Fields&) override {}
  void resets() override {
    waiting_ = false;
    socket_.flush();
    socket_.reset();
  }
  void continues() override {}

  SocketRun& run_;
  Socket socket_;
  WireReader reader_;
  bool waiting_ = true;  // it may still be written to
  bool ended_ = false;   // the proxy sends no more
  bool shut_ = false;    // nor do we
};

bool RawUpstream::turn() {
  bool news = false;
  socket_.flush();
  if (!waiting_ && !socket_.sending() && !std::exchange(shut_, true)) {
    socket_.shutdown_write();
    if (ended_) socket_.close();
  }
  if (ended_) return news;
  const Socket::Read end = feed_from(socket_, reader_, news);
  if (end == Socket::Read::kNothing) return news;
  ended_ = true;
  reader_.on_close(end == Socket::Read::kReset);
  if (end == Socket::Read::kReset || shut_ || run_.ending) socket_.close();
  return news;
}

}  // namespace

std::unique_ptr<SocketUpstream> make_raw_upstream(const std::string& name, Socket socket, SocketRun& run) {
  return std::make_unique<RawUpstream>(name, std::move(socket), run);
}

}  // namespace inlay::tester
