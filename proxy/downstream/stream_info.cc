// SPDX-License-Identifier: Apache-2.0
#include "proxy/downstream/filter.h"

namespace inlay::proxy::downstream {

// Member by member, so that the strings keep their memory for the next stream.
void StreamInfo::reset() {
  start_monotonic = start_system = 0;
  stream_id = connection_id = 0;
  bytes_received = bytes_sent = request_headers_bytes = response_headers_bytes = 0;
  response_code = response_flags = 0;
  response_code_details.clear();
  local_reply = false;
  downstream_local = downstream_remote = downstream_direct_remote = nullptr;
  forwarded_remote.host.clear();
  downstream_tls = nullptr;
  downstream_transport_failure.clear();
  protocol = "HTTP/1.1";
  upgrade = Upgrade::kNone;
  route = nullptr;
  kept_route.reset();
  early_route.reset();
  dynamic_metadata.clear();
  upstream_cluster.clear();
  for (Address* address : {&upstream_host, &upstream_local}) {
    address->host.clear();
    address->port = 0;
    address->is_pipe = false;
  }
  upstream_tls.reset();
  upstream_transport_failure.clear();
  upstream_request_attempts = 0;
  upstream_asked_monotonic = upstream_connected_monotonic = 0;
  upstream_first_byte_monotonic = upstream_last_byte_monotonic = 0;
  filter_state.clear();
  state_below = nullptr;
}

std::vector<FilterState> StreamInfo::take_connection_state() {
  std::vector<FilterState> taken;
  for (FilterState& state : filter_state)
    if (state.of_connection) taken.push_back(std::move(state));
  filter_state.clear();
  return taken;
}

}  // namespace inlay::proxy::downstream
