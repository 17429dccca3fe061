// SPDX-License-Identifier: Apache-2.0
#include "proxy/wasm_filter/worker_services.h"

namespace inlay::proxy::wasm_filter {
namespace {

class LoopTimer final : public host::Timer {
 public:
  LoopTimer(net::EventLoop& loop, std::function<void()> on_fire) : timer_(loop, std::move(on_fire)) {}
  void arm(std::chrono::milliseconds after) override { timer_.arm(after); }
  void disarm() override { timer_.disarm(); }

 private:
  net::Timer timer_;
};

}  // namespace

std::unique_ptr<host::Timer> WorkerServices::create_timer(std::function<void()> on_fire) {
  return std::make_unique<LoopTimer>(loop_, std::move(on_fire));
}

}  // namespace inlay::proxy::wasm_filter
