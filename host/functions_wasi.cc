// SPDX-License-Identifier: Apache-2.0
// WASI as far as a proxy has it: clocks, randomness, the environment, standard output as logs; no files, no arguments.

#include <sys/random.h>

#include <algorithm>
#include <cstring>

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
  if (line.ends_with('\n')) line.pop_back();
  if (!line.empty()) vm.log(fd == kStdout ? abi::LogLevel::kInfo : abi::LogLevel::kError, line);
  return Errno::kSuccess;
}

Errno path_filestat_get(Vm&, u32, u32, u32, u32, u32) {
  return Errno::kNosys;
}
Errno path_open(Vm&, u32, u32, u32, u32, u32, u64, u64, u32, u32) {
  return Errno::kNoent;
}
Errno poll_oneoff(Vm&, u32, u32, u32, u32) {
  return Errno::kNosys;
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
