// SPDX-License-Identifier: Apache-2.0
#include "proxy/router/route_timeouts.h"

#include <algorithm>

#include "http/grpc.h"

namespace inlay::proxy::router {
namespace {

using std::chrono::milliseconds;
constexpr milliseconds kNone{0};

std::optional<milliseconds> asked_time(const http::HeaderMap& request) {
  const auto text = request.get("grpc-timeout");
  return text ? http::read_grpc_timeout(*text) : std::nullopt;
}

}  // namespace

milliseconds route_timeout(const config::RouteAction& action, const http::HeaderMap& request, bool by_grpc_timeout) {
  if (action.max_stream_duration) return kNone;
  if (!by_grpc_timeout) return action.timeout;
  milliseconds time = asked_time(request).value_or(kNone);
  // An offset that would leave nothing is none: 0 is no limit.
  const milliseconds offset = action.grpc_timeout_offset.value_or(kNone);
  if (offset < time) time -= offset;
  const milliseconds most = *action.max_grpc_timeout;
  if (most != kNone && (time == kNone || time > most)) time = most;
  return time;
}

StreamLimit stream_limit(const config::RouteAction& action, const http::HeaderMap& request, milliseconds own) {
  const auto& said = action.max_stream_duration;
  const auto asked = said && said->grpc_timeout_header_max ? asked_time(request) : std::nullopt;
  if (!asked) {
    const milliseconds limit = said && said->limit ? *said->limit : own;
    return limit == kNone ? std::nullopt : StreamLimit(limit);
  }
  const milliseconds most = *said->grpc_timeout_header_max;
  const milliseconds time = most == kNone ? *asked : std::min(*asked, most);
  return std::max(time - said->grpc_timeout_header_offset.value_or(kNone), kNone);
}

}  // namespace inlay::proxy::router
