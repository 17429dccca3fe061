// SPDX-License-Identifier: Apache-2.0
#include "net/descriptors.h"

#include <dirent.h>
#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <limits>

namespace inlay::net {
namespace {

std::atomic<int> first_kept{std::numeric_limits<int>::max()};

}  // namespace

std::optional<uint64_t> raise_descriptor_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return std::nullopt;
  if (limit.rlim_cur != limit.rlim_max) {
    const rlim_t soft = limit.rlim_cur;
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0) limit.rlim_cur = soft;
  }
  if (limit.rlim_cur == RLIM_INFINITY) return std::nullopt;
  return limit.rlim_cur;
}

uint64_t kept_descriptors(uint64_t limit) {
  return std::clamp<uint64_t>(limit / 8, 8, 64);
}

void keep_last_descriptors(uint64_t limit) {
  const uint64_t first = limit - std::min(limit, kept_descriptors(limit));
  first_kept.store(static_cast<int>(std::min<uint64_t>(first, std::numeric_limits<int>::max())),
                   std::memory_order_relaxed);
}

bool descriptor_may_be_used(int fd) {
  return fd < first_kept.load(std::memory_order_relaxed);
}

size_t open_descriptors() {
  DIR* directory = opendir("/proc/self/fd");
  if (directory == nullptr) return 0;
  size_t count = 0;
  while (const dirent* entry = readdir(directory)) count += entry->d_name[0] != '.';
  closedir(directory);
  return count - 1;  // the directory's own
}

}  // namespace inlay::net
