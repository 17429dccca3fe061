// SPDX-License-Identifier: Apache-2.0
#pragma once

// What Inlay uses of Envoy's ABI of dynamic modules, as far as it is the module that calls: functions that the proxy
// exports by name, and that the loader resolves when it opens the module. Their names in the proxy begin with
// envoy_dynamic_module_callback_. All are weak: one that the Envoy around us does not have is null, so that one file
// runs in several versions of it. What is required is asked for once (requirements.h); what is not is tested where it
// is called. What Envoy calls is in hooks.cc.
//
// Written from the documentation of the ABI v0.1.0 (Envoy 1.38 and 1.39) and v0.2.0 (1.40), of which the first is
// promised to work in the second.
//
// Threads: a function with a Filter belongs to the worker that serves its stream, inside of a hook about that stream;
// one with a FilterConfig to the main thread. log(), log_enabled() and the two commits may be called on any thread.
// Functions that can call back into the same filter before they return are marked "re-enters".

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace inlay::dynamic_module::envoy {

// View is a range of bytes, of either side. What Envoy gives is valid until the hook returns, or until something of
// that kind is set.
struct View {
  const char* data = nullptr;
  size_t size = 0;

  View() = default;
  View(std::string_view text) : data(text.data()), size(text.size()) {}    // NOLINT: implicit
  View(const std::string& text) : data(text.data()), size(text.size()) {}  // NOLINT: implicit
  View(const char* text) : View(std::string_view(text)) {}                 // NOLINT: implicit
  operator std::string_view() const { return {data, size}; }               // NOLINT: implicit
};

// Field is a header, or a trailer.
struct Field {
  View name;
  View value;
};

// Envoy's own objects.
struct Filter;           // of a stream
struct FilterConfig;     // of a filter in a listener's chain
struct FilterScheduler;  // comes back to a stream
struct ConfigScheduler;  // comes back to the main thread
struct AccessLogger;     // of a listener, on a worker

// Numbers of header maps are abi::MapType's first four, and of log levels abi::LogLevel's. Those of what hooks return
// are the ones that the Wasm ABI has (HeadersStatus, DataStatus, TrailersStatus), but that 2 of the headers' says that
// the stream is not to end.

// BodyType: what has come just now (in a body hook), and what Envoy holds back for the filter.
enum class BodyType : uint32_t { kReceivedRequest, kBufferedRequest, kReceivedResponse, kBufferedResponse };

// CallStart: what became of a call-out.
enum class CallStart : uint32_t {
  kSuccess,
  kMissingHeaders,  // :method, :path or host
  kNoCluster,
  kDuplicateId,
  kCannotCreate,  // no healthy host, for instance
};
// CallResult: how a call-out has ended.
enum class CallResult : uint32_t { kSuccess, kReset, kTooLarge };
// ResetReason: of the stream itself.
enum class ResetReason : uint32_t { kLocal, kLocalRefused };

#define INLAY_ENVOY(result, name, ...) \
  result name(__VA_ARGS__) __asm__("envoy_dynamic_module_callback_" #name) __attribute__((weak))

// --- the process ---

INLAY_ENVOY(void, log, uint32_t level, View message);
INLAY_ENVOY(bool, log_enabled, uint32_t level);
INLAY_ENVOY(void, log_v2, );  // only whether it is there counts: 1.40
INLAY_ENVOY(uint32_t, get_concurrency, );
INLAY_ENVOY(bool, is_validation_mode, );  // `envoy --mode validate`

// --- the configuration ---

INLAY_ENVOY(ConfigScheduler*, http_filter_config_scheduler_new, FilterConfig* config);
INLAY_ENVOY(void, http_filter_config_scheduler_commit, ConfigScheduler* scheduler, uint64_t event);
INLAY_ENVOY(void, http_filter_config_scheduler_delete, ConfigScheduler* scheduler);
// Re-enters.
INLAY_ENVOY(CallStart, http_filter_config_http_callout, FilterConfig* config, uint64_t* id, View cluster,
            Field* headers, size_t count, View body, uint64_t timeout_ms);

// A call-out whose parts are sent and come one by one; `end`: the request is whole. Re-enter.
INLAY_ENVOY(CallStart, http_filter_config_start_http_stream, FilterConfig* config, uint64_t* id, View cluster,
            Field* headers, size_t count, View body, bool end, uint64_t timeout_ms);
INLAY_ENVOY(bool, http_filter_config_stream_send_data, FilterConfig* config, uint64_t id, View data, bool end);
INLAY_ENVOY(void, http_filter_config_reset_http_stream, FilterConfig* config, uint64_t id);

// Statistics; 0 is success. They are defined in on_http_filter_config_new; labels are not used here. The second pair is
// there from 1.39 on.
INLAY_ENVOY(uint32_t, http_filter_config_define_counter, FilterConfig* config, View name, View* labels, size_t count,
            size_t* id);
INLAY_ENVOY(uint32_t, http_filter_config_define_gauge, FilterConfig* config, View name, View* labels, size_t count,
            size_t* id);
INLAY_ENVOY(uint32_t, http_filter_config_define_histogram, FilterConfig* config, View name, View* labels, size_t count,
            size_t* id);
INLAY_ENVOY(uint32_t, http_filter_config_record_histogram_value, FilterConfig* config, size_t id, View* labels,
            size_t count, uint64_t value);
INLAY_ENVOY(uint32_t, http_filter_config_increment_counter, FilterConfig* config, size_t id, View* labels, size_t count,
            uint64_t value);
INLAY_ENVOY(uint32_t, http_filter_config_set_gauge, FilterConfig* config, size_t id, View* labels, size_t count,
            uint64_t value);

// --- a stream ---

INLAY_ENVOY(uint32_t, http_filter_get_worker_index, Filter* filter);
INLAY_ENVOY(FilterScheduler*, http_filter_scheduler_new, Filter* filter);
INLAY_ENVOY(void, http_filter_scheduler_commit, FilterScheduler* scheduler, uint64_t event);
INLAY_ENVOY(void, http_filter_scheduler_delete, FilterScheduler* scheduler);

// The value at `index` of that name, and how many there are.
INLAY_ENVOY(bool, http_get_header, Filter* filter, uint32_t map, View name, View* value, size_t index, size_t* count);
// 0 for a map that is not there.
INLAY_ENVOY(size_t, http_get_headers_size, Filter* filter, uint32_t map);
// Fills as many as there are.
INLAY_ENVOY(bool, http_get_headers, Filter* filter, uint32_t map, Field* headers);
INLAY_ENVOY(bool, http_add_header, Filter* filter, uint32_t map, View name, View value);
// In the place of all of that name; a null value removes them.
INLAY_ENVOY(bool, http_set_header, Filter* filter, uint32_t map, View name, View value);
INLAY_ENVOY(void, http_clear_route_cache, Filter* filter);
// Of the request's route. False: it leads to none.
INLAY_ENVOY(bool, http_get_cluster_name, Filter* filter, View* name);

INLAY_ENVOY(size_t, http_get_body_size, Filter* filter, BodyType type);
INLAY_ENVOY(size_t, http_get_body_chunks_size, Filter* filter, BodyType type);
INLAY_ENVOY(bool, http_get_body_chunks, Filter* filter, BodyType type, View* chunks);
INLAY_ENVOY(bool, http_append_body, Filter* filter, BodyType type, View data);
INLAY_ENVOY(bool, http_drain_body, Filter* filter, BodyType type, size_t bytes);
// As much as Envoy holds back of a body; not in each version.
INLAY_ENVOY(uint64_t, http_get_buffer_limit, Filter* filter);
// What has come is what was held back, for a filter before this one.
INLAY_ENVOY(bool, http_received_buffered_request_body, Filter* filter);
INLAY_ENVOY(bool, http_received_buffered_response_body, Filter* filter);

// These three re-enter, and may end the stream before they return.
INLAY_ENVOY(void, http_send_response, Filter* filter, uint32_t status, Field* headers, size_t count, View body,
            View details);
INLAY_ENVOY(void, http_filter_continue_decoding, Filter* filter);
INLAY_ENVOY(void, http_filter_continue_encoding, Filter* filter);
// Re-enters.
INLAY_ENVOY(void, http_filter_reset_stream, Filter* filter, ResetReason reason, View details);

// The filter state as text (a StringAccessor). False: it is there, and not to be changed.
INLAY_ENVOY(bool, http_set_filter_state_bytes, Filter* filter, View key, View value);
INLAY_ENVOY(bool, http_get_filter_state_bytes, Filter* filter, View key, View* value);
// As what Envoy itself makes of such a key.
INLAY_ENVOY(bool, http_set_filter_state_typed, Filter* filter, View key, View value);
INLAY_ENVOY(bool, http_get_filter_state_typed, Filter* filter, View key, View* value);

// Attributes by number (attributes.cc). False: it has none, or one of another type.
INLAY_ENVOY(bool, http_filter_get_attribute_string, Filter* filter, uint32_t id, View* value);
INLAY_ENVOY(bool, http_filter_get_attribute_int, Filter* filter, uint32_t id, uint64_t* value);
INLAY_ENVOY(bool, http_filter_get_attribute_bool, Filter* filter, uint32_t id, bool* value);

// --- an access logger, which may read a stream that is over; it is given with each call of on_access_logger_log ---

INLAY_ENVOY(uint32_t, access_logger_get_worker_index, AccessLogger* logger);
INLAY_ENVOY(size_t, access_logger_get_headers_size, AccessLogger* logger, uint32_t map);
INLAY_ENVOY(bool, access_logger_get_headers, AccessLogger* logger, uint32_t map, Field* headers);
// Not in each version.
INLAY_ENVOY(bool, access_logger_get_attribute_string, AccessLogger* logger, uint32_t id, View* value);
INLAY_ENVOY(bool, access_logger_get_attribute_int, AccessLogger* logger, uint32_t id, uint64_t* value);
INLAY_ENVOY(bool, access_logger_get_attribute_bool, AccessLogger* logger, uint32_t id, bool* value);

#undef INLAY_ENVOY

}  // namespace inlay::dynamic_module::envoy
