// SPDX-License-Identifier: Apache-2.0
#include "proxy/config_watch.h"

#include <utility>

namespace inlay::proxy {

ConfigWatch::ConfigWatch(net::EventLoop& loop, std::function<void(const std::string&)> on_change)
    : on_change_(std::move(on_change)), timer_(loop, [this] { look(); }) {}

void ConfigWatch::follow(std::vector<std::string> paths) {
  paths_ = std::move(paths);
  seen_.follow(paths_);
  paths_.empty() ? timer_.disarm() : timer_.arm(kEvery);
}

// A file that is away for a moment is about to be replaced.
void ConfigWatch::look() {
  timer_.arm(kEvery);
  const std::string changed = seen_.changed();
  if (!changed.empty()) {
    changed_ = changed;
    seen_ = FileWatch(paths_);
  } else if (!changed_.empty() && seen_.all_there()) {
    on_change_(std::exchange(changed_, {}));
  }
}

}  // namespace inlay::proxy
