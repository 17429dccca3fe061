// SPDX-License-Identifier: Apache-2.0
#pragma once

// MemoryReturn gives the system back what peaks of buffered bytes have left with the allocator. That looks at the pages
// of all threads and keeps each from the allocator meanwhile, so there is one for the process, on the main thread, and
// not often: peaks that are over too soon after the last time wait together.
//
//     MemoryReturn memory(loop, [] { malloc_trim(0); }, std::chrono::minutes(1));
//     memory.on_peak_over();  // a worker

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>

#include "net/event_loop.h"

namespace inlay::proxy {

class MemoryReturn {
 public:
  // `give_back` runs on the loop, which outlives this.
  MemoryReturn(net::EventLoop& loop, std::function<void()> give_back, std::chrono::milliseconds at_most_every);
  MemoryReturn(const MemoryReturn&) = delete;
  MemoryReturn& operator=(const MemoryReturn&) = delete;

  // Any thread, as long as this exists; no turn of the loop may come after it.
  void on_peak_over();

 private:
  void give_back();

  net::EventLoop& loop_;
  const std::function<void()> give_back_;
  const std::chrono::milliseconds at_most_every_;
  std::atomic<bool> asked_{false};
  net::Timer rest_;  // armed: it is too soon to do it again
  bool again_ = false;
};

}  // namespace inlay::proxy
