// SPDX-License-Identifier: Apache-2.0
#include "tester/socket.h"
#include "tester/socket_client.h"
#include "tester/wire.h"

namespace inlay::tester {
namespace {

class Http1Client final : public SocketClient {
 public:
  Http1Client(const std::string& name, uint16_t port, SocketRun& run)
      : run_(run),
        socket_(Socket::connect(port)),
        reader_(run.run.c.tcp ? WireReader::Kind::kBytes : WireReader::Kind::kResponses, name, run.run.transcript,
                run.run.c.show) {}

  void request(const Step& step) override { sends(writer_.head(step), step.method); }
  void body(std::string_view text, bool end) override { sends(writer_.body(text, end), ""); }
  void trailers(const Fields& fields) override { sends(writer_.trailers(fields), ""); }
  void sends(std::string_view bytes, std::string_view method) override {
    if (!method.empty()) reader_.expect(std::string(method));
    socket_.send(bytes);
    run_.sent += bytes.size();
  }
  void half_closes() override {
    half_closed_ = true;
    socket_.shutdown_write();
  }
  void resets() override { ends(); }
  void ends() override {
    closed_ = true;
    socket_.reset();
  }
  bool turn() override;

 private:
  SocketRun& run_;
  Socket socket_;
  WireReader reader_;
  RequestWriter writer_;
};

bool Http1Client::turn() {
  socket_.flush();
  bool news = false;
  if (!reads_ || closed_) return news;
  const Socket::Read end = feed_from(socket_, reader_, news);
  if (end == Socket::Read::kNothing) return news;
  closed_ = true;
  reader_.on_close(end == Socket::Read::kReset);
  return news;
}

}  // namespace

std::unique_ptr<SocketClient> make_http1_client(const std::string& name, uint16_t port, SocketRun& run) {
  return std::make_unique<Http1Client>(name, port, run);
}

}  // namespace inlay::tester
