// SPDX-License-Identifier: Apache-2.0
// Server::reload().
#include <gtest/gtest.h>

#include <fstream>
#include <future>
#include <string>
#include <utility>
#include <vector>

#include "base/file_watch.h"
#include "base/read_file.h"
#include "base/temporary_directory.h"
#include "proxy/server_fixture.h"

namespace inlay::proxy {
namespace {

using testing::Client;
using testing::ServerTest;

config::DirectResponseAction says(std::string text) {
  config::DirectResponseAction direct;
  direct.body = std::move(text);
  return direct;
}

TEST_F(ServerTest, AReloadTakesPortsOver) {
  add_route("/").action = says("one");
  config::Bootstrap next = bootstrap_;
  next.listeners[0].http.route_config.virtual_hosts[0].routes[0].action = says("two");
  config::Listener other = next.listeners[0];
  other.name = "other";
  next.listeners.insert(next.listeners.begin(), other);
  reload_ = [&](std::string&) { return Result<config::Bootstrap>(next); };
  start(2);
  const Address before = address();
  Client old(before);
  old.send("GET / HTTP/1.1\r\nhost: h\r\n\r\n");
  EXPECT_TRUE(has(old.read_to("one"), "200 OK"));
  reload("success");
  ASSERT_EQ(server_->listener_addresses().size(), 2u);
  // By name, since both are configured with port 0.
  EXPECT_TRUE(server_->listener_addresses()[1].is_same_place(before));
  EXPECT_NE(server_->listener_addresses()[0].port, before.port);
  for (const Address& one : server_->listener_addresses())
    EXPECT_TRUE(has(Client(one).ask("GET / HTTP/1.1\r\nhost: h\r\n"), "two"));
  // The connection's worker may hear of the reload after a request that is on its way.
  std::string last;
  do {
    old.send("GET / HTTP/1.1\r\nhost: h\r\n\r\n");
    last = old.read_to("one");
  } while (last.ends_with("one") && !has(last, "connection: close\r\n"));
  EXPECT_TRUE(last.ends_with("one")) << last;
  EXPECT_EQ(old.read_all(), "");
}

// Of a listener with several filter chains each is one of the model, and the first has the socket; several listeners
// may have no name.
TEST_F(ServerTest, EachListenerKeepsItsOwnPort) {
  add_route("/").action = says("one");
  const config::Listener plain = bootstrap_.listeners[0];
  bootstrap_.listeners[0].chooses_chain = true;
  bootstrap_.listeners[0].chain_match.transport_protocol = "tls";
  config::Listener chain = plain;
  chain.chain_of = 0;
  bootstrap_.listeners.push_back(chain);
  for (const char* text : {"first", "second"}) {
    config::Listener unnamed = plain;
    unnamed.name = "";
    unnamed.http.route_config.virtual_hosts[0].routes[0].action = says(text);
    bootstrap_.listeners.push_back(unnamed);
  }
  config::Bootstrap next = bootstrap_;
  reload_ = [&](std::string&) { return Result<config::Bootstrap>(next); };
  start(2);
  const std::vector<Address> before = server_->listener_addresses();
  reload("success");
  for (const auto& [place, text] : {std::pair(size_t{0}, "one"), {2, "first"}, {3, "second"}}) {
    EXPECT_TRUE(server_->listener_addresses()[place].is_same_place(before[place])) << place;
    for (int i = 0; i < 8; ++i)
      EXPECT_TRUE(has(Client(before[place]).ask("GET / HTTP/1.1\r\nhost: h\r\n"), text)) << place;
  }
}

TEST_F(ServerTest, AReloadThatFailsLeavesWhatServes) {
  add_route("/").action = says("one");
  config::Bootstrap next = bootstrap_;
  int calls = 0;
  reload_ = [&](std::string& said) -> Result<config::Bootstrap> {
    said = "a warning\nand another\n";
    if (++calls == 1) return Error{ErrorCode::kInvalidArgument, "no", "here"};
    return next;
  };
  start(2);
  const Address before = address();
  reload("rejected");
  next.listeners[0].http.route_config.virtual_hosts[0].routes[0].request_headers.add.push_back({"x", "%NOPE%"});
  reload("rejected");
  config::Listener second = bootstrap_.listeners[0];
  second.name = "second";
  second.address.host = "192.0.2.1";  // of no interface
  next = bootstrap_;
  next.listeners.push_back(second);
  reload("rejected");
  ASSERT_EQ(server_->listener_addresses().size(), 1u);
  for (int i = 0; i < 8; ++i) EXPECT_TRUE(has(Client(before).ask("GET / HTTP/1.1\r\nhost: h\r\n"), "one"));
  next = bootstrap_;
  next.listeners[0].http.route_config.virtual_hosts[0].routes[0].action = says("two");
  reload("success");
  EXPECT_TRUE(has(Client(before).ask("GET / HTTP/1.1\r\nhost: h\r\n"), "two"));
}

TEST_F(ServerTest, AnEndDoesNotWaitForAReload) {
  add_route("/").action = says("one");
  std::promise<void> begun;
  std::promise<void> go;
  reload_ = [&](std::string&) -> Result<config::Bootstrap> {
    begun.set_value();
    go.get_future().wait();
    return bootstrap_;
  };
  start(2);
  server_->reload();
  begun.get_future().wait();
  server_->shutdown();
  while (Client(address()).connected()) {
  }
  go.set_value();
  end();
}

// What was read is not what is there by the time that it serves: at the start, and at a reload.
TEST_F(ServerTest, WhatChangesAfterItWasReadIsReadAnew) {
  const TemporaryDirectory folder("inlay-server-reload-");
  const std::string file = folder.file("body");
  std::ofstream(file) << "one";
  FileWatch seen;
  const auto read = [&] {
    config::Bootstrap made = bootstrap_;
    seen = FileWatch({file});
    made.listeners[0].http.route_config.virtual_hosts[0].routes[0].action = says(read_file(file, 100).value());
    return made;
  };
  int reads = 0;
  reload_ = [&](std::string&) {
    Result<config::Bootstrap> made = read();
    if (++reads == 1) std::ofstream(file) << "the third";
    return made;
  };
  watched_files_ = [&] { return seen; };
  add_route("/");
  bootstrap_ = read();
  std::ofstream(file) << "second";
  start();
  while (!has(get("/"), "the third")) {
  }
  EXPECT_EQ(reads, 2);
}

TEST_F(ServerTest, NoReloadOpensListenersThatHaveBeenDrained) {
  add_route("/").action = says("one");
  int calls = 0;
  reload_ = [&](std::string&) {
    ++calls;
    return Result<config::Bootstrap>(bootstrap_);
  };
  start(2);
  const Address before = address();
  admin("/drain_listeners", "POST");
  while (Client(before).connected()) {
  }
  server_->reload();
  admin("/ready");  // after it
  end();            // which waits for what is under way
  EXPECT_EQ(calls, 0);
}

TEST_F(ServerTest, WithoutAFileThereIsNoReload) {
  add_route("/").action = says("one");
  start();
  server_->reload();
  EXPECT_TRUE(has(get("/"), "one"));
  EXPECT_FALSE(has(admin("/stats"), "reload_"));
}

}  // namespace
}  // namespace inlay::proxy
