// SPDX-License-Identifier: Apache-2.0
#pragma once

// TestConnection: a TCP connection that a test drives through one plugin, callback by callback, and that records what
// the filter did. What the filter lets pass goes to `to_upstream` and `to_downstream`, what it pauses waits.
//
//     auto connection = proxy.connection(plugin);
//     EXPECT_EQ(connection->open(), abi::Action::kContinue);
//     EXPECT_EQ(connection->receive(host::Peer::kDownstream, "hello"), abi::Action::kContinue);
//     EXPECT_EQ(connection->to_upstream, "HELLO");

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "host/host.h"
#include "host/tcp.h"
#include "testkit/with_properties.h"
#include "testkit/worker.h"

namespace inlay::testkit {

class TestConnection final : public WithProperties<host::TcpStream> {
 public:
  explicit TestConnection(host::WorkerPlugin& plugin);
  // Ends the connection (finish()) if the test has not.
  ~TestConnection() override;

  // The filter was left out of this connection (FAIL_OPEN).
  bool bypassed() const { return bypassed_; }
  host::TcpContext& context() { return *context_; }

  // Each drives one callback.
  abi::Action open();
  // Bytes that come from the client (kDownstream) or the server, behind those that wait.
  abi::Action receive(host::Peer from, std::string_view bytes, bool end_of_stream = false);
  void close_upstream(abi::PeerType by);
  // The client's connection has gone: its callback, then on_done, on_log and on_delete. Once.
  void finish(abi::PeerType by = abi::PeerType::kRemote);

  // What the filter let pass.
  std::string to_upstream;
  std::string to_downstream;
  // What waits behind a pause.
  std::array<Buffer, 2> waiting;

  // What the filter did.
  std::vector<host::Peer> continued;
  std::optional<std::string> closed;  // the details of the first close()
  size_t closes = 0;

  Buffer* data(host::Peer from) override;
  void continue_stream(host::Peer from) override;
  void close(std::string_view details) override;

 private:
  void pass(host::Peer from);

  bool bypassed_ = false;
  host::TcpContext* context_ = nullptr;
};

}  // namespace inlay::testkit
