// SPDX-License-Identifier: Apache-2.0
#pragma once

// WorkerThread: a thread of the proxy with its event loop. It outlives the configurations that it serves: what each of
// them has on it (proxy/worker.h) is made, used and destroyed there, and two can be served at once while the older one
// drains.
//
//     WorkerThread thread(0);
//     thread.run([] { std::puts("on the thread, before its loop"); });
//     thread.run([] { std::puts("on the thread, in its loop"); });
//     thread.stop();
//     thread.join();

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/address.h"
#include "net/event_loop.h"
#include "net/listening_socket.h"

namespace inlay::proxy {

// Belongs to the server's thread, but for what says otherwise.
class WorkerThread {
 public:
  // `index` counts from 0; the thread writes cell index + 1 of the metrics.
  explicit WorkerThread(size_t index) : index_(index) {}
  ~WorkerThread();
  WorkerThread(const WorkerThread&) = delete;
  WorkerThread& operator=(const WorkerThread&) = delete;

  size_t index() const { return index_; }
  net::EventLoop& loop() { return loop_; }

  // Runs `task` on the thread. The first one starts the thread, and runs before the loop does: what it arms counts from
  // when the loop begins.
  void run(std::function<void()> task);
  // Ends the loop now; then the thread destroys what it keeps, the newest first. Any thread.
  void stop() { loop_.stop(); }
  void join();

  // Keeps `object` until destroy() or the thread's end. On the thread only.
  void keep(std::shared_ptr<void> object) { kept_.push_back(std::move(object)); }
  // Destroys what is kept, on the thread, and returns when that is done; at once if the thread has ended, and with it
  // all that it kept. From other threads than this one.
  void destroy(const void* object);

  // A socket that somebody on this thread listens on with this address, as bound; nullptr if nobody does. On the thread
  // only.
  std::shared_ptr<const net::ListeningSocket> socket(const Address& address);
  // Lets socket() find it for as long as somebody holds it. On the thread only.
  void remember(const std::shared_ptr<const net::ListeningSocket>& socket);

 private:
  const size_t index_;
  net::EventLoop loop_;  // outlives the thread, so that stop() is always safe
  std::vector<std::shared_ptr<void>> kept_;
  std::multimap<std::string, std::weak_ptr<const net::ListeningSocket>> sockets_;  // by the address that is bound
  std::thread thread_;
};

}  // namespace inlay::proxy
