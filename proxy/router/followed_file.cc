// SPDX-License-Identifier: Apache-2.0
#include "proxy/router/followed_file.h"

#include <utility>

#include "base/read_file.h"

namespace inlay::proxy::router {

FollowedFile::FollowedFile(const config::WatchedFile& file, std::string content)
    : file_(file), content_(std::make_shared<const std::string>(std::move(content))) {}

std::shared_ptr<const std::string> FollowedFile::content() const {
  const std::lock_guard lock(mutex_);
  return content_;
}

Result<Unit> FollowedFile::read_again() {
  INLAY_TRY(std::string bytes, read_regular_file(file_.path, file_.limit));
  auto fresh = std::make_shared<const std::string>(std::move(bytes));
  const std::lock_guard lock(mutex_);
  content_.swap(fresh);
  return Unit{};
}

}  // namespace inlay::proxy::router
