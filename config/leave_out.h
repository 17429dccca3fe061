// SPDX-License-Identifier: Apache-2.0
#pragma once

// Which extensions that Inlay lacks may take no part in a run, since its user has named them (--leave-out).

#include <string>
#include <string_view>
#include <vector>

namespace inlay::config {

// Stands for the types of is_safe_to_leave_out().
inline constexpr std::string_view kLeaveOutSafe = "safe";

// Whether an extension of this name and type is one of `names`. Types are full names of messages.
bool is_left_out(const std::vector<std::string>& names, std::string_view name, std::string_view type);
// Whether it decides nothing about who gets in and what anybody gets: it only counts, writes down or looks.
bool is_safe_to_leave_out(std::string_view type);

}  // namespace inlay::config
