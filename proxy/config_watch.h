// SPDX-License-Identifier: Apache-2.0
#pragma once

// ConfigWatch: says when files of the configuration have changed and stand still again.
//
//     ConfigWatch watch(loop, [&](const std::string& path) { reload(); });
//     watch.follow(FileWatch({"envoy.yaml", "filter.wasm"}));

#include <chrono>
#include <functional>
#include <string>

#include "base/file_watch.h"
#include "net/event_loop.h"

namespace inlay::proxy {

// The loop's thread only, which outlives it.
class ConfigWatch {
 public:
  // How often it looks. What has changed is told when two looks in a row have found it the same: editors and compilers
  // write for a while.
  static constexpr std::chrono::milliseconds kEvery{300};
  // So many looks it waits for a file that was there and is away: it may be about to be replaced, or nobody's any more.
  static constexpr int kLooksForOneThatIsAway = 10;

  // `on_change` gets one of the files that have changed; it may call follow().
  ConfigWatch(net::EventLoop& loop, std::function<void(const std::string& path)> on_change);

  // Looks at these files from now on, and tells of what is otherwise than `files` remembers. None: it rests.
  void follow(FileWatch files);

 private:
  void look();

  const std::function<void(const std::string&)> on_change_;
  FileWatch followed_;   // as it was told, or as it has told
  FileWatch seen_;       // at the last look
  std::string changed_;  // not told yet
  int looks_ = 0;        // since then
  net::Timer timer_;
};

}  // namespace inlay::proxy
