// SPDX-License-Identifier: Apache-2.0
#include "proxy/config_watch.h"

#include <utility>

namespace inlay::proxy {

ConfigWatch::ConfigWatch(net::EventLoop& loop, std::function<void(const std::string&)> on_change)
    : on_change_(std::move(on_change)), timer_(loop, [this] { look(); }) {}

void ConfigWatch::follow(FileWatch files) {
  seen_ = followed_ = std::move(files);
  changed_.clear();  // it is seen again, if it is otherwise than in `files`
  seen_.empty() ? timer_.disarm() : timer_.arm(kEvery);
}

void ConfigWatch::look() {
  timer_.arm(kEvery);
  const std::string changed = seen_.changed();
  if (!changed.empty()) {
    changed_ = changed;
    seen_.look_again();
    looks_ = 0;
  } else if (!changed_.empty() && (seen_.all_there(followed_) || ++looks_ >= kLooksForOneThatIsAway)) {
    followed_ = seen_;
    on_change_(std::exchange(changed_, {}));
  }
}

}  // namespace inlay::proxy
