// SPDX-License-Identifier: Apache-2.0
#include "dynamic_module/requirements.h"

#include <string_view>

#include "dynamic_module/envoy_abi.h"

namespace inlay::dynamic_module {
namespace {

struct Needed {
  std::string_view name;
  bool there;
};

#define INLAY_NEEDED(name) \
  { #name, envoy::name != nullptr }

}  // namespace

const char* abi_version() {
  return envoy::log_v2 != nullptr ? "v0.2.0" : "v0.1.0";
}

std::string missing_in_envoy() {
  const Needed all[] = {
      INLAY_NEEDED(log_enabled),
      INLAY_NEEDED(get_concurrency),
      INLAY_NEEDED(http_filter_config_scheduler_new),
      INLAY_NEEDED(http_filter_config_scheduler_commit),
      INLAY_NEEDED(http_filter_config_scheduler_delete),
      INLAY_NEEDED(http_filter_config_http_callout),
      INLAY_NEEDED(http_filter_config_start_http_stream),
      INLAY_NEEDED(http_filter_config_stream_send_data),
      INLAY_NEEDED(http_filter_config_reset_http_stream),
      INLAY_NEEDED(http_filter_get_worker_index),
      INLAY_NEEDED(http_filter_scheduler_new),
      INLAY_NEEDED(http_filter_scheduler_commit),
      INLAY_NEEDED(http_filter_scheduler_delete),
      INLAY_NEEDED(http_get_header),
      INLAY_NEEDED(http_get_headers_size),
      INLAY_NEEDED(http_get_headers),
      INLAY_NEEDED(http_add_header),
      INLAY_NEEDED(http_set_header),
      INLAY_NEEDED(http_clear_route_cache),
      INLAY_NEEDED(http_get_body_size),
      INLAY_NEEDED(http_get_body_chunks_size),
      INLAY_NEEDED(http_get_body_chunks),
      INLAY_NEEDED(http_append_body),
      INLAY_NEEDED(http_drain_body),
      INLAY_NEEDED(http_received_buffered_request_body),
      INLAY_NEEDED(http_received_buffered_response_body),
      INLAY_NEEDED(http_send_response),
      INLAY_NEEDED(http_filter_continue_decoding),
      INLAY_NEEDED(http_filter_continue_encoding),
      INLAY_NEEDED(http_filter_reset_stream),
      INLAY_NEEDED(http_set_filter_state_bytes),
      INLAY_NEEDED(http_get_filter_state_bytes),
      INLAY_NEEDED(http_set_filter_state_typed),
      INLAY_NEEDED(http_get_filter_state_typed),
      INLAY_NEEDED(http_filter_get_attribute_string),
      INLAY_NEEDED(http_filter_get_attribute_int),
      INLAY_NEEDED(http_filter_get_attribute_bool),
  };
  std::string names;
  for (const Needed& one : all) {
    if (!one.there) names.append(names.empty() ? "" : ", ").append(one.name);
  }
  if (names.empty()) return {};
  return "Envoy 1.38 or later is needed: this one has no " + names + " for modules";
}

#undef INLAY_NEEDED

}  // namespace inlay::dynamic_module
