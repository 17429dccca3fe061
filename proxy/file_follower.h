// SPDX-License-Identifier: Apache-2.0
#pragma once

// FileFollower reads files anew when their directories say so: the bodies of direct responses with a
// `watched_directory`. On the main thread, whose loop may block for a small file; the workers' may not.

#include <memory>

#include "base/result.h"
#include "net/directory_watch.h"
#include "net/event_loop.h"
#include "proxy/logging/log.h"
#include "proxy/router/route_table.h"

namespace inlay::proxy {

class FileFollower {
 public:
  // Both outlive this.
  FileFollower(net::EventLoop& loop, logging::Logger& log);

  // Follows the files of `routes` from now on, and reads them: what was renamed since the configuration was read is not
  // missed. A file that cannot be read keeps what it had, and the log says why. Errors: those of net::DirectoryWatch.
  Result<Unit> follow(const router::RouteTable& routes);

 private:
  void read(router::FollowedFile& file);

  logging::Logger& log_;
  net::DirectoryWatch watch_;
};

}  // namespace inlay::proxy
