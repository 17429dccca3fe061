// SPDX-License-Identifier: Apache-2.0
// WASI as far as a proxy has it: clocks, randomness, the environment, standard output as logs; no files, no arguments.

#include <sys/random.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>
#include <thread>
#include <vector>

#include "host/functions.h"
#include "host/vm.h"

namespace inlay::host::wasi {
namespace {

constexpr u32 kStdout = 1;
constexpr u32 kStderr = 2;
constexpr u32 kRealtime = 0;
constexpr u32 kMonotonic = 1;
constexpr u32 kMaxRandom = 64 * 1024;
constexpr u32 kMaxIovecs = 1024;
constexpr size_t kMaxLogLine = 64 * 1024;
constexpr u32 kWord = 4;
constexpr u32 kFdstatSize = 24;

Errno written(bool ok) {
  return ok ? Errno::kSuccess : Errno::kFault;
}

// WASI's subscription and event, in bytes.
constexpr u32 kMaxSubscriptions = 64;
constexpr u32 kSubscriptionSize = 48;
constexpr size_t kSubscriptionType = 8;
constexpr size_t kSubscriptionClock = 16;  // {id u32, 4 bytes, timeout u64, precision u64, flags u16}
constexpr char kClockSubscription = 0;
constexpr u32 kEventSize = 32;
constexpr size_t kEventError = 8;
constexpr size_t kEventType = 10;
constexpr std::chrono::milliseconds kLongestWait{10};

// Of a subscription to a clock, in ns, not negative.
int64_t time_left(const Clock& clock, const char* subscription) {
  u64 timeout = 0;
  uint16_t flags = 0;
  std::memcpy(&timeout, subscription + 8, sizeof(timeout));
  std::memcpy(&flags, subscription + 24, sizeof(flags));
  const auto time = static_cast<int64_t>(std::min<u64>(timeout, INT64_MAX));
  if ((flags & 1) == 0) return time;
  const int64_t now = subscription[0] == kRealtime ? clock.system_time() : clock.monotonic_time();
  return std::max<int64_t>(time - now, 0);
}

u32 load_u32(const char* from) {
  u32 value = 0;
  std::memcpy(&value, from, sizeof(value));
  return value;
}

}  // namespace

Errno args_get(Vm&, u32, u32) {
  return Errno::kSuccess;
}

Errno args_sizes_get(Vm& vm, u32 return_count, u32 return_size) {
  return written(vm.write_u32(return_count, 0) && vm.write_u32(return_size, 0));
}

Errno clock_res_get(Vm& vm, u32 clock, u32 return_time) {
  if (clock != kRealtime && clock != kMonotonic) return Errno::kNotsup;
  return written(vm.write_u64(return_time, 1));
}

Errno clock_time_get(Vm& vm, u32 clock, u64, u32 return_time) {
  const Clock& now = *vm.host().options.clock;
  if (clock != kRealtime && clock != kMonotonic) return Errno::kNotsup;
  return written(
      vm.write_u64(return_time, static_cast<u64>(clock == kRealtime ? now.system_time() : now.monotonic_time())));
}

Errno environ_get(Vm& vm, u32 entries, u32 buffer) {
  for (const std::string& variable : vm.spec().environment) {
    const auto size = static_cast<u32>(variable.size() + 1);
    char* to = vm.writable(buffer, size);
    if (to == nullptr || !vm.write_u32(entries, buffer)) return Errno::kFault;
    std::memcpy(to, variable.c_str(), size);
    entries += kWord;
    buffer += size;
  }
  return Errno::kSuccess;
}

Errno environ_sizes_get(Vm& vm, u32 return_count, u32 return_size) {
  size_t size = 0;
  for (const std::string& variable : vm.spec().environment) size += variable.size() + 1;
  return written(vm.write_u32(return_count, static_cast<u32>(vm.spec().environment.size())) &&
                 vm.write_u32(return_size, static_cast<u32>(size)));
}

Errno fd_close(Vm&, u32) {
  return Errno::kSuccess;
}

// Standard output and error: character devices that may be written.
Errno fd_fdstat_get(Vm& vm, u32 fd, u32 return_stat) {
  if (fd != kStdout && fd != kStderr) return Errno::kBadf;
  constexpr char kCharacterDevice = 2;
  constexpr u64 kRightToWrite = 64;
  char* to = vm.writable(return_stat, kFdstatSize);
  if (to == nullptr) return Errno::kFault;
  std::memset(to, 0, kFdstatSize);
  to[0] = kCharacterDevice;
  std::memcpy(to + 8, &kRightToWrite, sizeof(kRightToWrite));
  return Errno::kSuccess;
}

Errno fd_fdstat_set_flags(Vm&, u32 fd, u32) {
  return fd == kStdout || fd == kStderr ? Errno::kSuccess : Errno::kBadf;
}
Errno fd_filestat_get(Vm&, u32, u32) {
  return Errno::kBadf;
}
Errno fd_prestat_dir_name(Vm&, u32, u32, u32) {
  return Errno::kBadf;
}
Errno fd_prestat_get(Vm&, u32, u32) {
  return Errno::kBadf;
}
Errno fd_read(Vm&, u32, u32, u32, u32) {
  return Errno::kNosys;
}
Errno fd_seek(Vm&, u32, u64, u32, u32) {
  return Errno::kSuccess;
}

Errno fd_write(Vm& vm, u32 fd, u32 iovecs, u32 count, u32 return_size) {
  if (fd != kStdout && fd != kStderr) return Errno::kBadf;
  if (count > kMaxIovecs) return Errno::kInval;
  const auto list = vm.read(iovecs, count * 2 * kWord);
  if (!list) return Errno::kFault;
  std::string line;
  u32 total = 0;
  for (u32 i = 0; i < count; ++i) {
    const char* entry = list->data() + size_t{i} * 2 * kWord;
    const auto piece = vm.read(load_u32(entry), load_u32(entry + kWord));
    if (!piece) return Errno::kFault;
    line.append(piece->substr(0, kMaxLogLine - std::min(line.size(), kMaxLogLine)));
    total += static_cast<u32>(piece->size());
  }
  if (!vm.write_u32(return_size, total)) return Errno::kFault;
  vm.print(fd == kStderr, line);
  return Errno::kSuccess;
}

Errno path_filestat_get(Vm&, u32, u32, u32, u32, u32) {
  return Errno::kNosys;
}
Errno path_open(Vm&, u32, u32, u32, u32, u32, u64, u64, u32, u32) {
  return Errno::kNoent;
}
// Waits for the clock only, which is as long as a guest's sleep and holds up the worker: Go's runtime sleeps some
// milliseconds before it prints a panic, and cannot go on if it may not. A longer wait ends early, so that the call's
// budget is looked at; whoever still has to wait asks again.
Errno poll_oneoff(Vm& vm, u32 in, u32 out, u32 count, u32 return_count) {
  if (count == 0 || count > kMaxSubscriptions) return Errno::kInval;
  const auto list = vm.read(in, count * kSubscriptionSize);
  char* events = vm.writable(out, count * kEventSize);
  if (!list || events == nullptr || vm.writable(return_count, kWord) == nullptr) return Errno::kFault;
  const Clock& clock = *vm.host().options.clock;
  int64_t wait = std::chrono::nanoseconds(kLongestWait).count();
  std::vector<char> ready;
  for (u32 i = 0; i < count; ++i) {
    const char* subscription = list->data() + size_t{i} * kSubscriptionSize;
    std::array<char, kEventSize> event{};
    std::memcpy(event.data(), subscription, sizeof(u64));  // the guest's own mark
    event[kEventType] = subscription[kSubscriptionType];
    if (subscription[kSubscriptionType] == kClockSubscription) {
      wait = std::min(wait, time_left(clock, subscription + kSubscriptionClock));
    } else {
      // There are no files to wait for.
      event[kEventError] = static_cast<char>(Errno::kBadf);
      wait = 0;
    }
    ready.insert(ready.end(), event.begin(), event.end());
  }
  if (wait > 0) std::this_thread::sleep_for(std::chrono::nanoseconds(wait));
  std::memcpy(events, ready.data(), ready.size());
  return written(vm.write_u32(return_count, count));
}

// It returns, as in Envoy; what a compiler puts behind the call is then a trap.
void proc_exit(Vm& vm, u32 code) {
  vm.log(abi::LogLevel::kTrace, "the guest called proc_exit(" + std::to_string(code) + ")");
}

Errno random_get(Vm& vm, u32 buffer, u32 buffer_size) {
  if (buffer_size > kMaxRandom) return Errno::kInval;
  char* to = vm.writable(buffer, buffer_size);
  if (to == nullptr) return Errno::kFault;
  for (size_t done = 0; done < buffer_size;) {
    const ssize_t got = getrandom(to + done, buffer_size - done, 0);
    if (got > 0) done += static_cast<size_t>(got);
  }
  return Errno::kSuccess;
}

Errno sched_yield(Vm&) {
  return Errno::kSuccess;
}

}  // namespace inlay::host::wasi
