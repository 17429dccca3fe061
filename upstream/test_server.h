// SPDX-License-Identifier: Apache-2.0
#pragma once

// For tests: a raw TCP server on the test's own loop. What it receives is collected for each connection; a script says
// what to answer.

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "net/connection.h"
#include "net/event_loop.h"

namespace inlay::upstream::testing {

class TestServer {
 public:
  class Peer final : public net::ConnectionHandler {
   public:
    Peer(TestServer& server, std::unique_ptr<net::Connection> connection)
        : server_(server), connection_(std::move(connection)) {
      connection_->set_handler(this);
      connection_->resume_reading();
    }
    void send(std::string_view text) { connection_->write(text); }
    void close() { connection_->close(net::Connection::Close::kAfterFlush); }
    void pause() { connection_->pause_reading(); }
    void resume() { connection_->resume_reading(); }
    std::string received;
    bool ended = false;
    int requests = 0;

    void on_data(Buffer& data, bool end) override {
      received += data.to_string();
      data.clear();
      ended = end;
      if (server_.on_bytes && !end) server_.on_bytes(*this);
    }
    void on_closed(net::CloseReason, std::string_view) override { ended = true; }

   private:
    TestServer& server_;
    std::unique_ptr<net::Connection> connection_;
  };

  explicit TestServer(net::EventLoop& loop)
      : listener_(std::move(net::listen(loop, {"127.0.0.1", 0}, [this](std::unique_ptr<net::Connection> c) {
                              peers.push_back(std::make_unique<Peer>(*this, std::move(c)));
                            }).value())) {}
  const Address& address() const { return listener_->address(); }

  std::function<void(Peer&)> on_bytes;
  std::vector<std::unique_ptr<Peer>> peers;

 private:
  std::unique_ptr<net::Listener> listener_;
};

// Turns the loop until `done`; false after five seconds.
inline bool run_until(net::EventLoop& loop, const std::function<bool()>& done) {
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (!done()) {
    if (std::chrono::steady_clock::now() > give_up) return false;
    loop.run_once(std::chrono::milliseconds(10));
  }
  return true;
}

}  // namespace inlay::upstream::testing
