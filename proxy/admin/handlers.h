// SPDX-License-Identifier: Apache-2.0
#pragma once

// The admin interface's pages, as functions of a request: no sockets here. One table says all of them (admin_help()).
//
//     Response r = handle({"GET", "/stats?usedonly"}, target);

#include <cstdint>
#include <string>
#include <string_view>

#include "proxy/admin/admin_target.h"

namespace inlay::proxy::admin {

struct Request {
  std::string_view method;
  std::string_view target;  // path and query
};

struct Response {
  uint32_t status = 200;
  std::string content_type = "text/plain; charset=UTF-8";
  std::string body;
};

Response handle(const Request& request, AdminTarget& target);

// The value of a query parameter, percent-decoded; `present` says whether it is there at all.
std::string query_parameter(std::string_view query, std::string_view name, bool* present = nullptr);

}  // namespace inlay::proxy::admin
