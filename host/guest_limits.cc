// SPDX-License-Identifier: Apache-2.0
#include "host/guest_limits.h"

#include <array>

namespace inlay::host {

std::string_view describe(GuestLimit limit) {
  static constexpr std::array<std::string_view, kGuestLimits> kText = {
      "a header map larger than 1 MiB or 2048 entries",
      "a body larger than 16 MiB",
      "a local reply larger than 16 MiB",
      "more than 10000 HTTP calls or 64 MiB of requests under way",
      "more than 10000 gRPC calls and streams under way, or more than 64 MiB of them, a message larger than 16 MiB, or "
      "more than its server takes",
      "more than 256 MiB of shared data",
      "more than 1024 shared queues or 64 MiB of queued items",
      "more than 100000 metrics, or definitions of them",
      "more than 256 properties or 1 MiB of them on a stream",
      "compression of more than 16 MiB, or uncompression to more",
  };
  return kText[static_cast<size_t>(limit)];
}

}  // namespace inlay::host
