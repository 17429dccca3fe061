// SPDX-License-Identifier: Apache-2.0
#pragma once

// DirectoryWatch tells when a name comes into a directory by being renamed, which is how kubelet, and everybody who
// wants to change files at one stroke, puts new content in the place of old: a new directory is written, and a link
// that leads to it is renamed over the one that was there. What is written in place is not told of, nor what is
// deleted.
//
//     DirectoryWatch watch(loop);
//     INLAY_RETURN_IF_ERROR(watch.add("/var/run/secrets/tokens", [&] { read_again(); }));

#include <cstddef>
#include <functional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "net/event_loop.h"

namespace inlay::net {

// Over inotify. Loop thread only, but before the loop runs any one: what happens from add() on is told once it runs.
class DirectoryWatch final : IoHandler {
 public:
  // Hears of a directory that is gone: nothing more will be told of it.
  using Gone = std::function<void(const std::string& directory)>;

  explicit DirectoryWatch(EventLoop& loop, Gone on_gone = {});
  ~DirectoryWatch();
  DirectoryWatch(const DirectoryWatch&) = delete;
  DirectoryWatch& operator=(const DirectoryWatch&) = delete;

  // Not from a callback. `renamed` is called once for as many renames as are found together, and whenever some may have
  // been missed. Errors: kIo; what the system said, and which of its limits that is about.
  Result<Unit> add(const std::string& directory, std::function<void()> renamed);

 private:
  struct Watched {
    std::string directory;  // as it was first named
    std::vector<std::function<void()>> renamed;
    bool due = false;
  };

  void on_io(uint32_t events) override;
  void take(const char* events, size_t size);

  EventLoop& loop_;
  Gone on_gone_;
  int fd_ = -1;
  int error_ = 0;                             // why there is none
  std::unordered_map<int, Watched> watched_;  // by watch descriptor, of which a directory has one
};

}  // namespace inlay::net
