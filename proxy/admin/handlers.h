// SPDX-License-Identifier: Apache-2.0
#pragma once

// The admin interface's pages, as functions of a request: no sockets here. One table says all of them (/help).
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
  // What a browser says of the page that makes the request; empty where it says nothing, or is none.
  std::string_view host = {};
  std::string_view origin = {};
  std::string_view fetch_site = {};  // Sec-Fetch-Site
};

struct Response {
  uint32_t status = 200;
  std::string content_type = "text/plain; charset=UTF-8";
  std::string body;
};

// What changes something needs a POST, and a browser's POST has to come from this interface's own page: 403 otherwise.
Response handle(const Request& request, AdminTarget& target);

// Whether a browser made the request for a page of another site, or may have: its Origin or Sec-Fetch-Site says so, or
// it names this interface by a host name, which anybody's name server may have given it. Without either header it is
// no browser.
bool is_cross_site(const Request& request);

// The value of a query parameter, percent-decoded; `present` says whether it is there at all.
std::string query_parameter(std::string_view query, std::string_view name, bool* present = nullptr);

}  // namespace inlay::proxy::admin
