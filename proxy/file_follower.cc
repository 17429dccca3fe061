// SPDX-License-Identifier: Apache-2.0
#include "proxy/file_follower.h"

#include <string>

namespace inlay::proxy {

FileFollower::FileFollower(net::EventLoop& loop, logging::Logger& log)
    : log_(log), watch_(loop, [&log](const std::string& directory) {
        log.warn("main", "watched_directory " + directory +
                             " is gone, and with it the watch: what was read from it stays until the next start");
      }) {}

Result<Unit> FileFollower::follow(const router::RouteTable& routes) {
  for (const std::shared_ptr<router::FollowedFile>& file : routes.followed_files()) {
    auto watched = watch_.add(file->file().directory, [this, file] { read(*file); });
    if (!watched) {
      Error error = std::move(watched).error();
      error.where = "watched_directory";
      return error;
    }
    read(*file);
  }
  return Unit{};
}

void FileFollower::read(router::FollowedFile& file) {
  if (auto done = file.read_again(); !done)
    log_.warn("main", "direct_response: " + done.error().message + "; its body stays what it was");
}

}  // namespace inlay::proxy
