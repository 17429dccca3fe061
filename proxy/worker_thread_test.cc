// SPDX-License-Identifier: Apache-2.0
#include "proxy/worker_thread.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <future>
#include <string>
#include <thread>
#include <vector>

namespace inlay::proxy {
namespace {

// Runs `task` on the thread and returns when it has.
void run_and_wait(WorkerThread& thread, const std::function<void()>& task) {
  std::promise<void> done;
  thread.run([&] {
    task();
    done.set_value();
  });
  done.get_future().wait();
}

struct Tracked {
  Tracked(std::string n, std::vector<std::string>& to) : name(std::move(n)), ends(to) {}
  ~Tracked() {
    ends.push_back(name);
    on = std::this_thread::get_id();
  }
  std::string name;
  std::vector<std::string>& ends;
  static inline std::thread::id on;
};

TEST(WorkerThread, DestroysWhatItKeepsOnTheThread) {
  std::vector<std::string> ends;
  std::thread::id own;
  const void* second = nullptr;
  WorkerThread thread(0);
  run_and_wait(thread, [&] {
    own = std::this_thread::get_id();
    for (const char* name : {"first", "second", "third"}) {
      auto made = std::make_shared<Tracked>(name, ends);
      if (made->name == "second") second = made.get();
      thread.keep(std::move(made));
    }
  });
  thread.destroy(second);
  EXPECT_EQ(ends, (std::vector<std::string>{"second"}));
  EXPECT_EQ(Tracked::on, own);
  thread.destroy(second);  // it is gone already
  thread.stop();
  thread.join();
  EXPECT_EQ(ends, (std::vector<std::string>{"second", "third", "first"}));
  EXPECT_EQ(Tracked::on, own);
  thread.destroy(second);  // as is the thread
}

// What the first task arms counts from the loop's first turn.
TEST(WorkerThread, TheFirstTaskRunsBeforeTheLoop) {
  WorkerThread thread(3);
  EXPECT_EQ(thread.index(), 3u);
  uint64_t turn = 1;
  run_and_wait(thread, [&] { turn = thread.loop().turn(); });
  EXPECT_EQ(turn, 0u);
  run_and_wait(thread, [&] { turn = thread.loop().turn(); });
  EXPECT_GT(turn, 0u);
}

TEST(WorkerThread, FindsASocketThatSomebodyHolds) {
  WorkerThread thread(0);
  run_and_wait(thread, [&] {
    auto opened = net::ListeningSocket::open({"127.0.0.1", 0});
    ASSERT_TRUE(opened) << opened.error().to_string();
    std::shared_ptr<const net::ListeningSocket> socket = *std::move(opened);
    const Address address = socket->address();
    EXPECT_EQ(thread.socket(address), nullptr);
    thread.remember(socket);
    EXPECT_EQ(thread.socket(address), socket);
    EXPECT_EQ(thread.socket({"127.0.0.2", address.port}), nullptr);
    // Its duplicate is found as well, and alone when the other one has been let go of: the first of the two may be
    // the one that a configuration has which was refused.
    auto second = socket->duplicate();
    ASSERT_TRUE(second) << second.error().to_string();
    EXPECT_NE((*second)->fd(), socket->fd());
    EXPECT_TRUE((*second)->address().is_same_place(address));
    thread.remember(*second);
    socket.reset();
    EXPECT_EQ(thread.socket(address), *second);
    *second = nullptr;
    EXPECT_EQ(thread.socket(address), nullptr);
  });
}

}  // namespace
}  // namespace inlay::proxy
