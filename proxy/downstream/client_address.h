// SPDX-License-Identifier: Apache-2.0
#pragma once

// Whose request it is: the addresses of x-forwarded-for, and which of them are internal ones. Inside of http/.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/model.h"
#include "http/header_map.h"

namespace inlay::proxy::downstream {

// The values of all x-forwarded-for fields, with commas between, into `out`; false: there is no such field.
bool join_forwarded_for(const http::HeaderMap& headers, std::string& out);

// The address that stands in `forwarded_for` (a list with commas) before the last `skip` ones, in the form in which
// addresses are written. nullopt: there are not that many, or what stands there is no IP address; one with a port is
// none.
std::optional<std::string> forwarded_address(std::string_view forwarded_for, uint32_t skip);

// `ip` is an IP address in one of the ranges.
bool is_in_ranges(const std::string& ip, const std::vector<config::CidrRange>& ranges);

}  // namespace inlay::proxy::downstream
