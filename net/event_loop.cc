// SPDX-License-Identifier: Apache-2.0
#include "net/event_loop.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <ctime>
#include <mutex>
#include <utility>
#include <vector>

#include "net/lingering_close.h"
#include "net/timer_wheel.h"

namespace inlay::net {
namespace {

// Events after which what they have added to is written at the latest (When::kAfterEvents), though more were found.
constexpr int kTogether = 32;

int64_t read_clock(clockid_t clock) {
  timespec t{};
  clock_gettime(clock, &t);
  return int64_t{t.tv_sec} * 1'000'000'000 + t.tv_nsec;
}

// Always English, whatever the locale.
size_t format_http_date(time_t seconds, std::array<char, 40>& out) {
  static constexpr std::array<const char*, 7> kDays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr std::array<const char*, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                          "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  tm t{};
  gmtime_r(&seconds, &t);
  const int n = std::snprintf(out.data(), out.size(), "%s, %02d %s %04d %02d:%02d:%02d GMT",
                              kDays[static_cast<size_t>(t.tm_wday)], t.tm_mday, kMonths[static_cast<size_t>(t.tm_mon)],
                              t.tm_year + 1900, t.tm_hour, t.tm_min, t.tm_sec);
  return n > 0 ? static_cast<size_t>(n) : 0;
}

}  // namespace

// TaskList: scheduled DeferredTasks, first in, first out.
class TaskList {
 public:
  bool empty() const { return first_ == nullptr; }
  void push(DeferredTask& task) {
    task.next_ = nullptr;
    task.previous_ = last_;
    *last_ = &task;
    last_ = &task.next_;
    ++size_;
  }
  void remove(DeferredTask& task) {
    *task.previous_ = task.next_;
    (task.next_ ? task.next_->previous_ : last_) = task.previous_;
    task.previous_ = nullptr;
    --size_;
  }
  // Runs at most as many as there are now.
  void run() {
    for (size_t n = size_; n > 0 && first_; --n) {
      DeferredTask& task = *first_;
      remove(task);
      task.run_();
    }
  }

 private:
  DeferredTask* first_ = nullptr;
  DeferredTask** last_ = &first_;
  size_t size_ = 0;
};

struct EventLoop::Impl final : IoHandler {
  Impl() : now(read_clock(CLOCK_MONOTONIC)), wheel(now) {}

  void on_io(uint32_t) override {
    uint64_t value = 0;
    while (read(wake_fd, &value, sizeof value) > 0) {
    }
  }
  void wake() const {
    const uint64_t one = 1;
    [[maybe_unused]] const ssize_t n = write(wake_fd, &one, sizeof one);  // full means that it wakes anyway
  }
  void run_after_event() {
    while (!after_event.empty()) after_event.run();
  }
  void run_after_events() {
    while (!after_event.empty() || !after_events.empty()) {
      run_after_event();
      after_events.run();
    }
  }
  static void announce(const epoll_event& event) { static_cast<IoHandler*>(event.data.ptr)->set_announced(true); }
  int wait_ms(std::chrono::milliseconds limit) const;
  void turn(std::chrono::milliseconds limit);
  void run_posted();
  void delete_all();
  void start_clock();

  int epoll_fd = -1;
  int wake_fd = -1;
  int64_t now;
  uint64_t turns = 0;
  TimerWheel wheel;
  TaskList after_event;
  TaskList after_events;
  TaskList next_turn;
  std::array<epoll_event, 256> events{};
  int event_count = 0;
  int event_index = 0;
  std::atomic<bool> stopped{false};

  std::mutex mutex;
  std::vector<std::function<void()>> posted;  // guarded by mutex
  std::vector<std::function<void()>> running;
  std::atomic<bool> has_posted{false};

  std::vector<Deletion> deletions;
  LingeringList lingering;

  std::array<char, 40> date{};
  size_t date_size = 0;
  int64_t date_expires = 0;
};

int EventLoop::Impl::wait_ms(std::chrono::milliseconds limit) const {
  if (!next_turn.empty() || !deletions.empty() || has_posted.load(std::memory_order_acquire)) return 0;
  const int64_t due = wheel.next_wake();
  if (due == INT64_MAX) return limit.count() < 0 ? -1 : static_cast<int>(std::min<int64_t>(limit.count(), INT32_MAX));
  int64_t ms = std::clamp<int64_t>((due - now + 999'999) / 1'000'000, 0, 3'600'000);
  if (limit.count() >= 0) ms = std::min<int64_t>(ms, limit.count());
  return static_cast<int>(ms);
}

void EventLoop::Impl::turn(std::chrono::milliseconds limit) {
  run_after_events();  // what was scheduled before run()
  event_count = epoll_wait(epoll_fd, events.data(), static_cast<int>(events.size()), wait_ms(limit));
  now = read_clock(CLOCK_MONOTONIC);
  ++turns;
  for (int i = 0; i < event_count; ++i) announce(events[static_cast<size_t>(i)]);
  for (event_index = 0; event_index < event_count; ++event_index) {
    const epoll_event& event = events[static_cast<size_t>(event_index)];
    if (!event.data.ptr) continue;  // unwatched by an earlier handler of this turn
    IoHandler& handler = *static_cast<IoHandler*>(event.data.ptr);
    handler.set_announced(false);
    handler.on_io(event.events);
    run_after_event();
    if (event_index % kTogether == kTogether - 1) run_after_events();
  }
  event_count = 0;
  run_after_events();
  if (has_posted.load(std::memory_order_acquire)) run_posted();
  delete_all();
  if (!next_turn.empty()) {
    next_turn.run();
    run_after_event();
  }
  wheel.advance(now);
  run_after_events();
}

void EventLoop::Impl::start_clock() {
  const int64_t stood_at = std::exchange(now, read_clock(CLOCK_MONOTONIC));
  wheel.postpone(now, now - stood_at);
}

void EventLoop::Impl::run_posted() {
  {
    std::lock_guard lock(mutex);
    running.swap(posted);
    has_posted.store(false, std::memory_order_release);
  }
  for (auto& task : running) {
    task();
    run_after_event();
  }
  running.clear();
}

// What a destructor gives away is for the next time.
void EventLoop::Impl::delete_all() {
  if (!deletions.empty()) std::exchange(deletions, {}).clear();
}

EventLoop::EventLoop() : impl_(std::make_unique<Impl>()) {
  impl_->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
  impl_->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  watch(impl_->wake_fd, EPOLLIN, *impl_);
}

EventLoop::~EventLoop() {
  delete_now();
  impl_->lingering.clear();
  close(impl_->wake_fd);
  close(impl_->epoll_fd);
}

void EventLoop::run() {
  impl_->start_clock();
  while (!impl_->stopped.load(std::memory_order_acquire)) impl_->turn(std::chrono::milliseconds(-1));
  impl_->stopped.store(false, std::memory_order_release);
}

void EventLoop::run_once(std::chrono::milliseconds limit) {
  impl_->turn(limit);
}

void EventLoop::flush() {
  impl_->run_after_events();
}

void EventLoop::stop() {
  impl_->stopped.store(true, std::memory_order_release);
  impl_->wake();
}

void EventLoop::post(std::function<void()> task) {
  bool first = false;
  {
    std::lock_guard lock(impl_->mutex);
    impl_->posted.push_back(std::move(task));
    first = !impl_->has_posted.exchange(true, std::memory_order_acq_rel);
  }
  if (first) impl_->wake();
}

void EventLoop::delete_later(Deletion deletion) {
  if (deletion) impl_->deletions.push_back(std::move(deletion));
}

void EventLoop::delete_now() {
  while (!impl_->deletions.empty()) impl_->delete_all();
}

uint64_t EventLoop::turn() const {
  return impl_->turns;
}

int64_t EventLoop::now() const {
  return impl_->now;
}

std::string_view EventLoop::http_date() {
  if (impl_->now >= impl_->date_expires) {
    const int64_t wall = read_clock(CLOCK_REALTIME);
    impl_->date_size = format_http_date(static_cast<time_t>(wall / 1'000'000'000), impl_->date);
    impl_->date_expires = impl_->now + 1'000'000'000 - wall % 1'000'000'000;
  }
  return {impl_->date.data(), impl_->date_size};
}

bool EventLoop::watch(int fd, uint32_t events, IoHandler& handler, bool edge) {
  epoll_event event{};
  event.events = events | (edge ? static_cast<uint32_t>(EPOLLET) : 0u);
  event.data.ptr = &handler;
  return epoll_ctl(impl_->epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0;
}

void EventLoop::unwatch(int fd, IoHandler& handler) {
  epoll_ctl(impl_->epoll_fd, EPOLL_CTL_DEL, fd, nullptr);
  for (int i = impl_->event_index + 1; i < impl_->event_count; ++i) {
    auto& event = impl_->events[static_cast<size_t>(i)];
    if (event.data.ptr == &handler) event.data.ptr = nullptr;
  }
  handler.set_announced(false);
}

LingeringList& lingering_list(EventLoop& loop) {
  return loop.impl().lingering;
}

DeferredTask::DeferredTask(EventLoop& loop, When when, std::function<void()> run)
    : loop_(loop), run_(std::move(run)), when_(when) {}

DeferredTask::~DeferredTask() {
  cancel();
}

TaskList& DeferredTask::list() {
  switch (when_) {
    case When::kAfterEvent:
      return loop_.impl().after_event;
    case When::kAfterEvents:
      return loop_.impl().after_events;
    case When::kNextTurn:
      break;
  }
  return loop_.impl().next_turn;
}

void DeferredTask::schedule() {
  if (!scheduled()) list().push(*this);
}

void DeferredTask::cancel() {
  if (scheduled()) list().remove(*this);
}

Timer::Timer(EventLoop& loop, std::function<void()> on_fire) : loop_(loop), on_fire_(std::move(on_fire)) {}

Timer::~Timer() {
  TimerWheel::unlink(*this);
}

void Timer::arm(std::chrono::milliseconds after) {
  constexpr int64_t kLongest = int64_t{100} * 365 * 24 * 3600 * 1000;
  const int64_t ms = std::clamp<int64_t>(after.count(), 0, kLongest);
  loop_.impl().wheel.arm(*this, loop_.now() + ms * 1'000'000);
}

void Timer::disarm() {
  TimerWheel::disarm(*this);
}

}  // namespace inlay::net
