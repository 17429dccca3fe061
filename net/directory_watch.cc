// SPDX-License-Identifier: Apache-2.0
#include "net/directory_watch.h"

#include <sys/epoll.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <cstring>
#include <system_error>
#include <utility>

namespace inlay::net {
namespace {

Error cannot_watch(const std::string& directory, int error) {
  std::string message = "cannot watch " + directory + ": " + std::generic_category().message(error);
  if (error == EMFILE) message += " (fs.inotify.max_user_instances bounds it, and ulimit -n)";
  if (error == ENOSPC) message += " (fs.inotify.max_user_watches bounds it)";
  return {ErrorCode::kIo, std::move(message), ""};
}

}  // namespace

DirectoryWatch::DirectoryWatch(EventLoop& loop, Gone on_gone) : loop_(loop), on_gone_(std::move(on_gone)) {
  fd_ = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
  if (fd_ < 0 || !loop_.watch(fd_, EPOLLIN, *this)) error_ = errno;
}

DirectoryWatch::~DirectoryWatch() {
  if (fd_ < 0) return;
  loop_.unwatch(fd_, *this);
  close(fd_);
}

Result<Unit> DirectoryWatch::add(const std::string& directory, std::function<void()> renamed) {
  if (error_ != 0) return cannot_watch(directory, error_);
  const int descriptor = inotify_add_watch(fd_, directory.c_str(), IN_MOVED_TO);
  if (descriptor < 0) return cannot_watch(directory, errno);
  Watched& watched = watched_[descriptor];
  if (watched.directory.empty()) watched.directory = directory;
  watched.renamed.push_back(std::move(renamed));
  return Unit{};
}

void DirectoryWatch::on_io(uint32_t) {
  alignas(inotify_event) std::array<char, 16 * (sizeof(inotify_event) + NAME_MAX + 1)> events;
  for (;;) {
    const ssize_t size = read(fd_, events.data(), events.size());
    if (size > 0) {
      take(events.data(), static_cast<size_t>(size));
    } else if (size == 0 || errno != EINTR) {
      break;
    }
  }
  for (auto& [descriptor, watched] : watched_) {
    if (!std::exchange(watched.due, false)) continue;
    for (const auto& renamed : watched.renamed) renamed();
  }
}

void DirectoryWatch::take(const char* events, size_t size) {
  inotify_event event{};
  for (size_t at = 0; at + sizeof event <= size; at += sizeof event + event.len) {
    std::memcpy(&event, events + at, sizeof event);
    if (event.mask & IN_Q_OVERFLOW) {
      for (auto& [descriptor, watched] : watched_) watched.due = true;
      continue;
    }
    const auto found = watched_.find(event.wd);
    if (found == watched_.end()) continue;
    if (event.mask & IN_MOVED_TO) found->second.due = true;
    if ((event.mask & IN_IGNORED) == 0) continue;
    const std::string directory = std::move(found->second.directory);
    watched_.erase(found);
    if (on_gone_) on_gone_(directory);
  }
}

}  // namespace inlay::net
