// SPDX-License-Identifier: Apache-2.0
// What FilteredConnection keeps of the promises of net::Connection, whatever its filters do. How it goes with a codec
// and a guest is in conformance/cases/network_before_http.
#include "proxy/tcp/filtered_connection.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "proxy/tcp/relay_fixture.h"

namespace inlay::proxy::tcp {
namespace {

using testing::ScriptedFactory;
using testing::ScriptedFilter;
using Close = net::Connection::Close;

// The connection below: what it was told.
struct Below final : net::Connection {
  struct Seen {
    std::string written;
    bool reading = false;
    bool shut = false;
    std::optional<Close> closed;
    net::ConnectionHandler* handler = nullptr;
  };
  explicit Below(Seen& s) : seen(s) {}
  void set_handler(net::ConnectionHandler* h) override { seen.handler = h; }
  void pause_reading() override { seen.reading = false; }
  void resume_reading() override { seen.reading = true; }
  void write(Buffer& data) override {
    seen.written += data.to_string();
    data.clear();
  }
  void write(std::string_view data) override { seen.written += data; }
  size_t unsent() const override { return 1000; }
  void set_write_watermark(size_t) override {}
  void shutdown_write() override { seen.shut = true; }
  void close(Close how) override { seen.closed = how; }
  void set_linger(std::chrono::milliseconds) override {}
  void set_flush_timeout(std::chrono::milliseconds) override {}
  const Address& local_address() const override { return address; }
  const Address& remote_address() const override { return address; }

  Seen& seen;
  Address address{"127.0.0.1", 1};
};

// The codec: takes `takes` bytes of what it is given each time.
struct Codec final : net::ConnectionHandler {
  size_t takes = SIZE_MAX;
  std::string trace;
  void on_data(Buffer& data, bool end) override {
    const std::string all = data.to_string();
    const size_t n = std::min(takes, all.size());
    trace += "got " + all.substr(0, n) + (end ? "." : "") + "\n";
    data.drain(n);
  }
  void on_above_write_watermark() override { trace += "above\n"; }
  void on_below_write_watermark() override { trace += "below\n"; }
  void on_closed(net::CloseReason reason, std::string_view detail) override {
    trace += (reason == net::CloseReason::kLocal ? "closed here: " : "closed: ") + std::string(detail) + "\n";
  }
};

class FilteredConnectionTest : public ::testing::Test {
 protected:
  FilteredConnectionTest() {
    listener_.per_connection_buffer_limit_bytes = 10;
    factory_.prepare = [this](ScriptedFilter& f) { f.trace = &trace_, f.name = "f"; };
  }
  FilteredConnection& connection(bool reading = true) {
    connection_.emplace(loop_, std::make_unique<Below>(below_), listener_, std::vector<FilterFactory*>{&factory_});
    connection_->set_handler(&codec_);
    if (reading) connection_->resume_reading();
    connection_->start();
    turn();
    return *connection_;
  }
  void client_sends(std::string_view bytes, bool end = false) {
    in_.append(bytes);
    below_.handler->on_data(in_, end);
    turn();
  }
  void turn() {
    for (int i = 0; i < 3; ++i) loop_.run_once(std::chrono::milliseconds(0));
  }
  ScriptedFilter& filter() { return *factory_.last; }

  net::EventLoop loop_;
  config::Listener listener_;
  Below::Seen below_;
  Codec codec_;
  ScriptedFactory factory_;
  std::string trace_;
  Buffer in_;
  std::optional<FilteredConnection> connection_;
};

TEST_F(FilteredConnectionTest, HasTheIdOfTheConnectionBelow) {
  auto below = std::make_unique<Below>(below_);
  const uint64_t id = below->id();
  FilteredConnection made(loop_, std::move(below), listener_, {});
  EXPECT_EQ(made.id(), id);
  EXPECT_EQ(made.info().connection_id, id);
}

TEST_F(FilteredConnectionTest, PassesBytesBothWaysAndTheEndOnlyToTheHandler) {
  FilteredConnection& c = connection();
  client_sends("up");
  c.write("down");
  Buffer more;
  more.append("more");
  c.write(more);
  EXPECT_TRUE(more.empty());
  client_sends("", true);
  EXPECT_EQ(codec_.trace, "got up\ngot .\n");
  EXPECT_EQ(below_.written, "downmore");
  c.close(Close::kAfterFlush);
  EXPECT_EQ(below_.closed, Close::kAfterFlush);
  EXPECT_EQ(trace_, "f new\nf read:up\nf write:down\nf write:more\nf remote\n");
  EXPECT_EQ(c.info().bytes_received, 2u);
  EXPECT_EQ(c.info().bytes_sent, 8u);
}

// As Envoy 1.40, whose codec writes the end of a response that way.
TEST_F(FilteredConnectionTest, AnEmptyWriteIsHeardOfAndShowsAgainWhatIsHeld) {
  factory_.prepare = [this](ScriptedFilter& f) {
    f.trace = &trace_, f.name = "f";
    f.write = [](auto&, Buffer&, bool) { return Action::kPause; };
  };
  FilteredConnection& c = connection();
  c.write("");
  c.write("down");
  c.write("");
  EXPECT_EQ(trace_, "f new\nf write:\nf write:down\nf write:down\n");
  EXPECT_EQ(below_.written, "");
}

TEST_F(FilteredConnectionTest, AHandlerThatDoesNotReadGetsNothing) {
  FilteredConnection& c = connection(false);
  EXPECT_FALSE(below_.reading);
  client_sends("early");
  EXPECT_EQ(codec_.trace, "");
  c.resume_reading();
  EXPECT_EQ(codec_.trace, "") << "not from inside of resume_reading()";
  turn();
  EXPECT_EQ(codec_.trace, "got early\n");
  EXPECT_TRUE(below_.reading);
}

// As the codec leaves a pipelined request.
TEST_F(FilteredConnectionTest, WhatTheHandlerLeavesComesAgainAndNoFilterSeesItTwice) {
  FilteredConnection& c = connection();
  codec_.takes = 2;
  client_sends("abcd", true);
  c.pause_reading();
  turn();
  EXPECT_EQ(codec_.trace, "got ab.\n");
  c.resume_reading();
  turn();
  EXPECT_EQ(codec_.trace, "got ab.\ngot cd.\n");
  c.resume_reading();
  turn();
  EXPECT_EQ(codec_.trace, "got ab.\ngot cd.\n") << "the end is said once";
  EXPECT_EQ(trace_, "f new\nf read:abcd\n");
}

// As in Envoy.
TEST_F(FilteredConnectionTest, TheEndDoesNotWaitForWhatAFilterHolds) {
  factory_.prepare = [](ScriptedFilter& f) { f.read = [](auto&, Buffer&, bool) { return Action::kPause; }; };
  connection();
  client_sends("held", true);
  EXPECT_EQ(codec_.trace, "got .\n");
  filter().callbacks->continue_reading();
  turn();
  EXPECT_EQ(codec_.trace, "got .\n");
}

TEST_F(FilteredConnectionTest, ReadsNothingBehindWhatTheHandlerLeaves) {
  FilteredConnection& c = connection();
  codec_.takes = 2;
  client_sends("abc");
  EXPECT_FALSE(below_.reading);
  c.resume_reading();
  turn();
  EXPECT_EQ(codec_.trace, "got ab\ngot c\n");
  EXPECT_TRUE(below_.reading);
}

TEST_F(FilteredConnectionTest, ReadsNoMoreThanMayWaitBehindAFilter) {
  factory_.prepare = [](ScriptedFilter& f) { f.read = [](auto&, Buffer&, bool) { return Action::kPause; }; };
  connection();
  client_sends("123456789");
  EXPECT_TRUE(below_.reading);
  client_sends("0");
  EXPECT_FALSE(below_.reading);
  filter().callbacks->continue_reading();
  turn();
  EXPECT_TRUE(below_.reading);
  EXPECT_EQ(codec_.trace, "got 1234567890\n");
}

TEST_F(FilteredConnectionTest, HeldBytesCountForTheWatermarkWhichIsSaidBehindTheWrite) {
  factory_.prepare = [](ScriptedFilter& f) { f.write = [](auto&, Buffer&, bool) { return Action::kPause; }; };
  FilteredConnection& c = connection();
  c.set_write_watermark(4);
  loop_.post([&] {
    c.write("12345");
    EXPECT_EQ(codec_.trace, "");
  });
  turn();
  EXPECT_EQ(codec_.trace, "above\n");
  EXPECT_EQ(c.unsent(), 1005u);
  filter().callbacks->continue_writing();
  turn();
  EXPECT_EQ(codec_.trace, "above\nbelow\n");
  EXPECT_EQ(below_.written, "12345");
}

TEST_F(FilteredConnectionTest, TheWatermarkOfTheConnectionBelowIsPassedOn) {
  connection();
  below_.handler->on_above_write_watermark();
  below_.handler->on_below_write_watermark();
  EXPECT_EQ(codec_.trace, "above\nbelow\n");
}

// write() never calls on_closed from inside.
TEST_F(FilteredConnectionTest, AFilterThatClosesInsideOfAWriteIsHeardOfLater) {
  factory_.prepare = [this](ScriptedFilter& f) {
    f.trace = &trace_, f.name = "f";
    f.write = [](ScriptedFilter& self, Buffer&, bool) {
      self.callbacks->close(Close::kAfterFlush, "why");
      return Action::kPause;
    };
  };
  FilteredConnection& c = connection();
  c.write("secret");
  EXPECT_EQ(codec_.trace, "");
  EXPECT_EQ(below_.closed, Close::kAfterFlush);
  c.write("more");
  turn();
  EXPECT_EQ(codec_.trace, "closed here: why\n");
  EXPECT_EQ(below_.written, "");
  EXPECT_EQ(trace_, "f new\nf write:secret\nf local\n");
}

TEST_F(FilteredConnectionTest, AHandlerThatClosesBeforeItHearsOfAFiltersCloseHearsNothing) {
  FilteredConnection& c = connection();
  filter().callbacks->close(Close::kAfterFlush, "why");
  c.close(Close::kNow);
  turn();
  EXPECT_EQ(codec_.trace, "");
  EXPECT_EQ(below_.closed, Close::kAfterFlush) << "closed once";
}

TEST_F(FilteredConnectionTest, AResetOfTheClientReachesFiltersAndHandler) {
  connection();
  below_.handler->on_closed(net::CloseReason::kRemoteReset, "reset");
  EXPECT_EQ(codec_.trace, "closed: reset\n");
  EXPECT_EQ(trace_, "f new\nf remote\n");
}

TEST_F(FilteredConnectionTest, ShutdownPassesTheFiltersBehindWhatWasWritten) {
  FilteredConnection& c = connection();
  c.write("last");
  c.shutdown_write();
  EXPECT_TRUE(below_.shut);
  EXPECT_EQ(trace_, "f new\nf write:last\nf write:.\n");
}

}  // namespace
}  // namespace inlay::proxy::tcp
