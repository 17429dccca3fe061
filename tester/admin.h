// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

namespace inlay::tester {

// The body that the admin interface on that port answers to GET `path`; empty if it does not within ten seconds.
std::string admin_get(uint16_t port, const std::string& path);

// The value in a page of "NAME: VALUE" lines; "absent" when it has none of that name.
std::string stat_of(const std::string& page, const std::string& name);

}  // namespace inlay::tester
