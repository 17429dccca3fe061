// SPDX-License-Identifier: Apache-2.0
#include "testkit/worker.h"

#include <algorithm>

namespace inlay::testkit {

class TestWorker::VirtualTimer final : public host::Timer {
 public:
  VirtualTimer(TestWorker& worker, std::function<void()> on_fire) : worker_(worker), on_fire_(std::move(on_fire)) {
    worker_.timers_.push_back(this);
  }
  ~VirtualTimer() override { std::erase(worker_.timers_, this); }

  void arm(std::chrono::milliseconds after) override {
    due = worker_.clock_.elapsed() + std::chrono::nanoseconds(after).count();
  }
  void disarm() override { due = -1; }
  void fire() {
    due = -1;
    on_fire_();
  }

  int64_t due = -1;

 private:
  TestWorker& worker_;
  std::function<void()> on_fire_;
};

TestWorker::TestWorker(host::Host& host, VirtualClock& clock)
    : clock_(clock),
      upstreams_([this](std::chrono::nanoseconds after, std::function<void()> task) {
        due_.emplace(clock_.elapsed() + after.count(), std::move(task));
      }),
      worker_(std::make_unique<host::Worker>(host, *this)) {}

TestWorker::~TestWorker() = default;

void TestWorker::run_posted() {
  for (;;) {
    std::function<void()> task;
    {
      const std::lock_guard lock(mutex_);
      if (posted_.empty()) return;
      task = std::move(posted_.front());
      posted_.pop_front();
    }
    task();
  }
}

int64_t TestWorker::next_due() const {
  int64_t next = due_.empty() ? -1 : due_.begin()->first;
  for (const VirtualTimer* timer : timers_)
    if (timer->due >= 0 && (next < 0 || timer->due < next)) next = timer->due;
  return next;
}

void TestWorker::run_due() {
  run_posted();
  const int64_t now = clock_.elapsed();
  while (!due_.empty() && due_.begin()->first <= now) {
    auto task = std::move(due_.begin()->second);
    due_.erase(due_.begin());
    task();
    run_posted();
  }
  const auto snapshot = timers_;
  for (VirtualTimer* timer : snapshot) {
    const bool alive = std::find(timers_.begin(), timers_.end(), timer) != timers_.end();
    if (!alive || timer->due < 0 || timer->due > now) continue;
    timer->fire();
    run_posted();
  }
}

std::unique_ptr<host::Timer> TestWorker::create_timer(std::function<void()> on_fire) {
  return std::make_unique<VirtualTimer>(*this, std::move(on_fire));
}

void TestWorker::post(std::function<void()> task) {
  const std::lock_guard lock(mutex_);
  posted_.push_back(std::move(task));
}

abi::Status TestWorker::get_property(const std::vector<std::string_view>& path, std::string& value) {
  auto found = properties_.find(join(path));
  if (found == properties_.end()) return property_source_ ? property_source_(path, value) : abi::Status::kNotFound;
  value = found->second;
  return abi::Status::kOk;
}

std::string join(const std::vector<std::string_view>& path) {
  std::string text;
  for (const auto part : path) text.append(text.empty() ? "" : ".").append(part);
  return text;
}

}  // namespace inlay::testkit
