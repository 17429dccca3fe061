// SPDX-License-Identifier: Apache-2.0
#include "proxy/memory_return.h"

#include <utility>

namespace inlay::proxy {

MemoryReturn::MemoryReturn(net::EventLoop& loop, std::function<void()> give_back,
                           std::chrono::milliseconds at_most_every)
    : loop_(loop), give_back_(std::move(give_back)), at_most_every_(at_most_every), rest_(loop, [this] {
        if (std::exchange(again_, false)) this->give_back();
      }) {}

void MemoryReturn::on_peak_over() {
  if (asked_.exchange(true)) return;
  loop_.post([this] {
    asked_ = false;
    if (rest_.armed())
      again_ = true;
    else
      give_back();
  });
}

void MemoryReturn::give_back() {
  give_back_();
  rest_.arm(at_most_every_);
}

}  // namespace inlay::proxy
