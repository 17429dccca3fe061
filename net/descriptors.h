// SPDX-License-Identifier: Apache-2.0
#pragma once

// The process's file descriptors. The kernel always gives the lowest number that is free, so a high number says that
// few are left: the last ones are kept for what must go on in any case (the admin page, logs, name resolution), and
// neither a client nor a connection to an upstream gets one of those.

#include <cstddef>
#include <cstdint>
#include <optional>

namespace inlay::net {

// Raises the soft limit to the hard one. Returns the limit; nullopt: there is none, or the system does not say.
std::optional<uint64_t> raise_descriptor_limit();
// How many of `limit` are kept: an eighth, from 8 to 64.
uint64_t kept_descriptors(uint64_t limit);
// From now on descriptor_may_be_used() says no for the last kept_descriptors(limit). Before the first call it never
// does.
void keep_last_descriptors(uint64_t limit);
bool descriptor_may_be_used(int fd);
// How many the process has open; 0: the system does not say.
size_t open_descriptors();

}  // namespace inlay::net
