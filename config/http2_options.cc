// SPDX-License-Identifier: Apache-2.0
// config/core/v3 Http2ProtocolOptions, of a connection manager and of a cluster.
#include "config/builders.h"

namespace inlay::config {
namespace {

constexpr FieldRule kHttp2Options[] = {
    {"hpack_table_size"},
    {"max_concurrent_streams"},
    {"initial_stream_window_size"},
    {"initial_connection_window_size"},
    {"allow_connect", Support::kYes, "of clients; an upstream is asked for an upgrade whatever it says"},
    {"allow_metadata", Support::kOnly, "METADATA frames are not known", "false"},
    {"max_outbound_frames", Support::kIgnored, "what waits is bounded in bytes"},
    {"max_outbound_control_frames", Support::kIgnored, "nghttp2's own limit holds"},
    {"max_consecutive_inbound_frames_with_empty_payload", Support::kYes, "of clients"},
    {"max_inbound_priority_frames_per_stream", Support::kYes, "of clients"},
    {"max_inbound_window_update_frames_per_data_frame_sent", Support::kYes, "of clients"},
    {"override_stream_error_on_invalid_http_message", Support::kYes, "of clients; an upstream's ends its stream alone"},
    {"stream_error_on_invalid_http_messaging", Support::kYes, "of clients; an upstream's ends its stream alone"},
    {"custom_settings_parameters", Support::kNo, "remove them; other fields set what Inlay knows"},
    {"connection_keepalive"},
    {"use_oghttp2_codec", Support::kIgnored, "the codec is nghttp2"},
    {"max_metadata_size", Support::kIgnored, "METADATA frames are not known"},
    {"enable_huffman_encoding", Support::kIgnored, "the codec decides for each field"},
};
constexpr FieldRule kKeepalive[] = {
    {"interval"},
    {"timeout"},
    {"interval_jitter", Support::kIgnored, "a PING is sent after `interval`"},
    {"connection_idle_interval", Support::kIgnored, "a PING is sent after `interval`"},
};
constexpr MessageRules kRules[] = {
    {"envoy.config.core.v3.Http2ProtocolOptions", kHttp2Options},
    {"envoy.config.core.v3.KeepaliveSettings", kKeepalive},
};

constexpr uint32_t kLargest = 0x7fffffff;
constexpr uint32_t kSmallestWindow = 65'535;

uint32_t in_range(View message, std::string_view field, uint32_t otherwise, uint32_t least, BuildContext& context) {
  const uint32_t value = message.uint32(field, otherwise);
  if (value < least || value > kLargest)
    context.field_error(message, field, "must be from " + std::to_string(least) + " to " + std::to_string(kLargest));
  return value;
}

}  // namespace

std::span<const MessageRules> http2_options_rules() {
  return kRules;
}

Http2Options build_http2_options(View message, BuildContext& context) {
  Http2Options out;
  out.header_table_size = message.uint32("hpack_table_size", out.header_table_size);
  out.max_concurrent_streams = in_range(message, "max_concurrent_streams", out.max_concurrent_streams, 1, context);
  out.initial_stream_window_size =
      in_range(message, "initial_stream_window_size", out.initial_stream_window_size, kSmallestWindow, context);
  out.initial_connection_window_size =
      in_range(message, "initial_connection_window_size", out.initial_connection_window_size, kSmallestWindow, context);
  out.max_empty_frames = message.uint32("max_consecutive_inbound_frames_with_empty_payload", out.max_empty_frames);
  out.max_priority_frames = message.uint32("max_inbound_priority_frames_per_stream", out.max_priority_frames);
  out.max_window_updates =
      message.uint32("max_inbound_window_update_frames_per_data_frame_sent", out.max_window_updates);
  if (message.has("max_inbound_window_update_frames_per_data_frame_sent") && out.max_window_updates == 0)
    context.field_error(message, "max_inbound_window_update_frames_per_data_frame_sent", "must be at least 1");
  out.stream_error_on_invalid_message = message.boolean("override_stream_error_on_invalid_http_message",
                                                        message.boolean("stream_error_on_invalid_http_messaging"));
  out.allow_connect = message.boolean("allow_connect");
  const View keepalive = message["connection_keepalive"];
  if (!keepalive) return out;
  context.require(keepalive, "timeout");
  for (const std::string_view field : {"interval", "timeout"}) {
    if (keepalive.has(field) && keepalive[field].node().duration < Milliseconds(1))
      context.field_error(keepalive, field, "must be at least 0.001s");
  }
  out.keepalive_interval = keepalive.duration("interval", out.keepalive_interval);
  out.keepalive_timeout = keepalive.duration("timeout", out.keepalive_timeout);
  return out;
}

}  // namespace inlay::config
