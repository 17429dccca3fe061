// SPDX-License-Identifier: Apache-2.0
#include "proxy/router/redirect.h"

#include <algorithm>

namespace inlay::proxy::router {
namespace {

using http::HeaderId;

struct HostPort {
  std::string_view host;
  std::string_view port;  // with the colon, or empty
};

HostPort split(std::string_view authority) {
  const size_t colon = authority.rfind(':');
  const size_t bracket = authority.rfind(']');
  if (colon == std::string_view::npos || (bracket != std::string_view::npos && bracket > colon)) return {authority, ""};
  return {authority.substr(0, colon), authority.substr(colon)};
}

}  // namespace

std::string redirect_location(const RouteEntry& route, const http::HeaderMap& request) {
  const config::RedirectAction& action = *route.redirect;
  std::string_view scheme = request.value(HeaderId::kScheme);
  if (scheme.empty()) scheme = "http";
  const std::string_view old_scheme = scheme;
  if (action.https_redirect) scheme = "https";
  if (!action.scheme_redirect.empty()) scheme = action.scheme_redirect;

  const std::string_view authority = request.value(HeaderId::kAuthority);
  HostPort target = split(authority);
  const bool default_port =
      (old_scheme == "http" && target.port == ":80") || (old_scheme == "https" && target.port == ":443");
  if (scheme != old_scheme && default_port) target.port = "";
  if (!action.host_redirect.empty()) target.host = action.host_redirect;

  std::string out(scheme);
  out += "://";
  out += target.host;
  if (action.port_redirect != 0) {
    out += ':' + std::to_string(action.port_redirect);
  } else {
    out += target.port;
  }

  std::string path(request.value(HeaderId::kPath));
  std::string rewritten;
  if (!action.path_redirect.empty()) {
    const size_t question = std::min(path.find('?'), path.size());
    const std::string query = path.substr(question);
    path = action.path_redirect;
    if (path.find('?') == std::string::npos) path += query;
  } else if (route.rewrite_path(path, rewritten)) {
    path = std::move(rewritten);
  }
  if (action.strip_query) path.resize(std::min(path.find('?'), path.size()));
  return out + path;
}

}  // namespace inlay::proxy::router
