// SPDX-License-Identifier: Apache-2.0
#include "proxy/worker_thread.h"

#include <pthread.h>

#include <algorithm>
#include <future>

#include "stats/metrics.h"

namespace inlay::proxy {

WorkerThread::~WorkerThread() {
  stop();
  join();
}

void WorkerThread::run(std::function<void()> task) {
  if (thread_.joinable()) return loop_.post(std::move(task));
  thread_ = std::thread([this, first = std::move(task)] {
    pthread_setname_np(pthread_self(), ("wrk:" + std::to_string(index_)).c_str());
    stats::MetricStore::set_thread_cell(index_ + 1);  // cell 0 is everybody else's
    first();
    loop_.run();
    while (!kept_.empty()) kept_.pop_back();
  });
}

void WorkerThread::join() {
  if (thread_.joinable()) thread_.join();
}

void WorkerThread::destroy(const void* object) {
  if (!thread_.joinable()) return;
  std::promise<void> done;
  loop_.post([this, object, &done] {
    const auto found = std::find_if(kept_.begin(), kept_.end(), [&](const auto& kept) { return kept.get() == object; });
    if (found != kept_.end()) kept_.erase(found);
    done.set_value();
  });
  done.get_future().wait();
}

std::shared_ptr<const net::ListeningSocket> WorkerThread::socket(const Address& address) {
  const auto [begin, end] = sockets_.equal_range(address.to_string());
  for (auto at = begin; at != end; ++at) {
    if (auto socket = at->second.lock()) return socket;
  }
  return nullptr;
}

void WorkerThread::remember(const std::shared_ptr<const net::ListeningSocket>& socket) {
  std::erase_if(sockets_, [](const auto& known) { return known.second.expired(); });
  sockets_.emplace(socket->address().to_string(), socket);
}

}  // namespace inlay::proxy
