// SPDX-License-Identifier: Apache-2.0
#pragma once

// ConfigWatch: says when files of the configuration have changed and stand still again.
//
//     ConfigWatch watch(loop, [&](const std::string& path) { reload(); });
//     watch.follow({"envoy.yaml", "filter.wasm"});

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "base/file_watch.h"
#include "net/event_loop.h"

namespace inlay::proxy {

// The loop's thread only, which outlives it.
class ConfigWatch {
 public:
  // How often it looks. What has changed is told when two looks in a row have found it the same: editors and compilers
  // write for a while.
  static constexpr std::chrono::milliseconds kEvery{300};

  // `on_change` gets one of the files that have changed; it may call follow().
  ConfigWatch(net::EventLoop& loop, std::function<void(const std::string& path)> on_change);

  // Looks at these files from now on: as they were when it last looked, and as they are now if it did not look at them.
  // None: it rests.
  void follow(std::vector<std::string> paths);

 private:
  void look();

  const std::function<void(const std::string&)> on_change_;
  std::vector<std::string> paths_;
  FileWatch seen_{{}};
  std::string changed_;  // not told yet
  net::Timer timer_;
};

}  // namespace inlay::proxy
