// SPDX-License-Identifier: Apache-2.0
// Filters in a chain: order, pausing, continuing, changing, closing.

#include "proxy/tcp/relay_fixture.h"

namespace inlay::proxy::tcp {
namespace {

using testing::End;
using testing::RelayTest;
using testing::ScriptedFactory;
using testing::ScriptedFilter;

class FilterChainTest : public RelayTest {
 protected:
  // Two filters, "a" and "b", which write into trace_.
  FilterChainTest() {
    first_.prepare = [this](ScriptedFilter& f) { f.trace = &trace_, f.name = "a"; };
    second_.prepare = [this](ScriptedFilter& f) { f.trace = &trace_, f.name = "b"; };
    filters_ = {&first_, &second_};
  }
  // The filters write into trace_ to their end.
  ~FilterChainTest() override {
    socket_.reset();
    manager_.reset();
  }
  ScriptedFactory first_, second_;
  std::string trace_;
};

TEST_F(FilterChainTest, ReadsInOrderAndWritesInReverse) {
  End& client = this->client();
  client.connection->write("up");
  run_until([&] { return !servers_.empty() && server().received == "up"; });
  server().connection->write("down");
  run_until([&] { return client.received == "down"; });
  server().connection->shutdown_write();
  run_until_none_is_left();
  EXPECT_EQ(trace_,
            "a new\nb new\na read:up\nb read:up\nb write:down\na write:down\nb write:.\na write:.\na read:.\nb "
            "read:.\na remote\nb remote\n");
}

TEST_F(FilterChainTest, APausedConnectionIsNotConnectedYet) {
  first_.prepare = [this](ScriptedFilter& f) {
    f.trace = &trace_, f.name = "a";
    f.new_connection = [](ScriptedFilter&) { return Action::kPause; };
  };
  End& client = this->client();
  client.connection->write("up");
  run_until([&] { return first_.last != nullptr; });
  settle();
  EXPECT_EQ(trace_, "a new\n");
  EXPECT_TRUE(servers_.empty());
  first_.last->callbacks->continue_reading();
  run_until([&] { return !servers_.empty() && server().received == "up"; });
  EXPECT_EQ(trace_, "a new\nb new\na read:up\nb read:up\n");
}

// What a filter pauses is seen again with the next bytes; going on begins behind it.
TEST_F(FilterChainTest, PausedBytesWait) {
  second_.prepare = [this](ScriptedFilter& f) {
    f.trace = &trace_, f.name = "b";
    f.read = [](ScriptedFilter&, Buffer& data, bool) { return data.size() < 4 ? Action::kPause : Action::kContinue; };
    f.write = [](ScriptedFilter&, Buffer&, bool) { return Action::kPause; };
  };
  End& client = this->client();
  client.connection->write("12");
  run_until([&] { return trace_.ends_with("b read:12\n"); });
  client.connection->write("34");
  run_until([&] { return !servers_.empty() && server().received == "1234"; });
  client.connection->write("5");
  run_until([&] { return trace_.ends_with("b read:5\n"); });
  second_.last->callbacks->continue_reading();
  second_.last->callbacks->continue_reading();  // once is enough
  run_until([&] { return server().received == "12345"; });
  EXPECT_EQ(trace_, "a new\nb new\na read:12\nb read:12\na read:1234\nb read:1234\na read:5\nb read:5\n");
  trace_.clear();
  server().connection->write("x");
  run_until([&] { return trace_ == "b write:x\n"; });
  server().connection->write("y");
  server().connection->shutdown_write();
  run_until([&] { return trace_.ends_with("b write:xy.\n"); });
  EXPECT_EQ(client.received, "");
  second_.last->callbacks->continue_writing();
  run_until([&] { return client.ended; });
  EXPECT_EQ(client.received, "xy");
  EXPECT_TRUE(trace_.ends_with("a write:xy.\n"));
}

// A filter that keeps everything is given the limit's worth, and no more is read.
TEST_F(FilterChainTest, WhatWaitsBehindAFilterIsBounded) {
  listener_.per_connection_buffer_limit_bytes = 32 * 1024;
  size_t seen = 0;
  const auto keep = [&](ScriptedFilter&, Buffer& data, bool) {
    seen = data.size();
    return Action::kPause;
  };
  first_.prepare = [&](ScriptedFilter& f) { f.read = f.write = keep; };
  second_.prepare = nullptr;
  End& client = this->client();
  End& server = this->server();
  for (End* writer : {&client, &server}) {
    seen = 0;
    writer->connection->write(std::string(8 << 20, 'z'));
    settle();
    EXPECT_GE(seen, 32u * 1024);
    EXPECT_LT(seen, 512u * 1024);
    const size_t before = seen;
    settle();
    EXPECT_EQ(seen, before);
  }
  first_.last->read = first_.last->write = nullptr;
  first_.last->callbacks->continue_reading();
  first_.last->callbacks->continue_writing();
  run_until([&] { return server.bytes == (8u << 20) && client.bytes == (8u << 20); });
}

TEST_F(FilterChainTest, FiltersChangeBytes) {
  first_.prepare = [](ScriptedFilter& f) {
    f.read = [](ScriptedFilter&, Buffer& data, bool) { return data.prepend("<"), data.append(">"), Action::kContinue; };
    f.write = [](ScriptedFilter&, Buffer& data, bool) { return data.clear(), data.append("gone"), Action::kContinue; };
  };
  End& client = this->client();
  client.connection->write("a");
  run_until([&] { return !servers_.empty() && server().received == "<a>"; });
  server().connection->write("b");
  run_until([&] { return client.received == "gone"; });
}

TEST_F(FilterChainTest, AFilterMayCloseAnywhere) {
  using Close = net::Connection::Close;
  for (const char* where : {"new", "read", "write"}) {
    SCOPED_TRACE(where);
    trace_.clear();
    first_.prepare = [&, where](ScriptedFilter& f) {
      f.trace = &trace_, f.name = "a";
      const auto close = [](ScriptedFilter& me) {
        me.callbacks->close(Close::kAfterFlush, "test");
        return Action::kPause;
      };
      const auto close_data = [close](ScriptedFilter& me, Buffer&, bool) { return close(me); };
      const std::string_view place = where;
      if (place == "new") f.new_connection = close;
      if (place == "read") f.read = close_data;
      if (place == "write") f.write = close_data;
    };
    on_server = [](End& end) { end.connection->write("hello"); };
    End& client = this->client();
    if (std::string_view(where) == "read") client.connection->write("x");
    run_until([&] { return client.over(); });
    run_until_none_is_left();
    EXPECT_TRUE(trace_.ends_with("a local\nb local\n")) << trace_;
  }
}

// Closing after what was written has gone out: here what another filter has let pass.
TEST_F(FilterChainTest, ACloseSendsWhatWasWrittenBefore) {
  End& client = this->client(/*reading=*/false);
  server().connection->write(std::string(1 << 20, 'w'));
  run_until([&] { return trace_.find("a write:") != std::string::npos; });
  settle();
  first_.last->callbacks->close(net::Connection::Close::kAfterFlush, "test");
  client.connection->resume_reading();
  run_until([&] { return client.over(); });
  EXPECT_GT(client.bytes, 0u);
  EXPECT_EQ(client.bytes, static_cast<size_t>(metric("tcp.t.downstream_cx_tx_bytes_total")));
}

}  // namespace
}  // namespace inlay::proxy::tcp
