// SPDX-License-Identifier: Apache-2.0

// What Envoy calls: the functions that it looks up in a dynamic module by name, which are all that the library shows.
// Envoy holds our objects as pointers, and gives them back with each call. No exception leaves a hook, since the frames
// around it are of another C++ library.

#include <exception>
#include <memory>
#include <string>
#include <string_view>

#include "dynamic_module/access_logger.h"
#include "dynamic_module/configuration.h"
#include "dynamic_module/envoy_abi.h"
#include "dynamic_module/log.h"
#include "dynamic_module/requirements.h"
#include "dynamic_module/stream.h"

using namespace inlay;
using namespace inlay::dynamic_module;

namespace {

using Fields = envoy::Field*;

// Runs `body`; `fallback` is what Envoy gets where it has thrown, which is when there is no memory.
template <class Body, class T>
T guarded(T fallback, Body&& body) noexcept {
  try {
    return body();
  } catch (const std::exception& error) {
    envoy::log(static_cast<uint32_t>(abi::LogLevel::kCritical), error.what());
  } catch (...) {
    envoy::log(static_cast<uint32_t>(abi::LogLevel::kCritical), "inlay: an unknown exception");
  }
  return fallback;
}
template <class Body>
void guarded(Body&& body) noexcept {
  guarded(0, [&] { return body(), 0; });
}

Configuration& configuration(const void* mine) {
  return *static_cast<Configuration*>(const_cast<void*>(mine));
}
Stream& stream(const void* mine) {
  return *static_cast<Stream*>(const_cast<void*>(mine));
}

// After an exception a stream stops, and waits for its time to be over.
constexpr uint32_t kStop = 1;

}  // namespace

#define INLAY_HOOK(result, name) extern "C" __attribute__((visibility("default"))) result envoy_dynamic_module_on_##name

// --- the library ---

INLAY_HOOK(const char*, program_init)() {
  return guarded(static_cast<const char*>(nullptr), []() -> const char* {
    const std::string missing = missing_in_envoy();
    if (missing.empty()) return abi_version();
    write_log(abi::LogLevel::kCritical, missing);
    return nullptr;
  });
}

// --- the configuration ---

INLAY_HOOK(const void*, http_filter_config_new)
(envoy::FilterConfig* config, envoy::View name, envoy::View text) {
  return guarded(static_cast<const void*>(nullptr), [&]() -> const void* {
    auto made = Configuration::create(config, name, text);
    if (made) return made->release();
    write_log(abi::LogLevel::kError, "filter_name " + std::string(name) + " is refused: " + made.error().to_string());
    return nullptr;
  });
}
INLAY_HOOK(void, http_filter_config_destroy)(const void* mine) {
  guarded([&] { delete &configuration(mine); });
}
INLAY_HOOK(void, http_filter_config_scheduled)(envoy::FilterConfig*, const void* mine, uint64_t) {
  guarded([&] { configuration(mine).main_thread().run(); });
}
INLAY_HOOK(void, http_filter_config_http_callout_done)
(envoy::FilterConfig*, const void* mine, uint64_t id, envoy::CallResult result, Fields headers, size_t header_count,
 envoy::View* chunks, size_t chunk_count) {
  guarded([&] { configuration(mine).calls().on_done(id, result, headers, header_count, chunks, chunk_count); });
}

INLAY_HOOK(void, http_filter_config_http_stream_headers)
(envoy::FilterConfig*, const void* mine, uint64_t id, Fields fields, size_t count, bool end) {
  guarded([&] { configuration(mine).streams().on_headers(id, fields, count, end); });
}
INLAY_HOOK(void, http_filter_config_http_stream_data)
(envoy::FilterConfig*, const void* mine, uint64_t id, const envoy::View* chunks, size_t count, bool end) {
  guarded([&] { configuration(mine).streams().on_data(id, chunks, count, end); });
}
INLAY_HOOK(void, http_filter_config_http_stream_trailers)
(envoy::FilterConfig*, const void* mine, uint64_t id, Fields fields, size_t count) {
  guarded([&] { configuration(mine).streams().on_trailers(id, fields, count); });
}
INLAY_HOOK(void, http_filter_config_http_stream_complete)(envoy::FilterConfig*, const void* mine, uint64_t id) {
  guarded([&] { configuration(mine).streams().on_end(id, false); });
}
INLAY_HOOK(void, http_filter_config_http_stream_reset)(envoy::FilterConfig*, const void* mine, uint64_t id, uint32_t) {
  guarded([&] { configuration(mine).streams().on_end(id, true); });
}

// There is nothing that a route could configure.
INLAY_HOOK(const void*, http_filter_per_route_config_new)(envoy::View name, envoy::View) {
  return guarded(static_cast<const void*>(nullptr), [&]() -> const void* {
    write_log(abi::LogLevel::kError, "filter_name " + std::string(name) +
                                         " is refused: a route cannot configure it; a filter of its own can, which "
                                         "routes turn on (FilterConfig.disabled)");
    return nullptr;
  });
}
INLAY_HOOK(void, http_filter_per_route_config_destroy)(const void*) {}

// --- a stream ---

INLAY_HOOK(const void*, http_filter_new)(const void* mine, envoy::Filter* filter) {
  return guarded(static_cast<const void*>(nullptr), [&]() -> const void* {
    const Configuration::Place place = configuration(mine).place_of(filter);
    return new Stream(filter, place.vm, place.plugin);
  });
}
INLAY_HOOK(uint32_t, http_filter_request_headers)(envoy::Filter*, const void* mine, bool end_of_stream) {
  return guarded(kStop, [&] { return stream(mine).request_headers(end_of_stream); });
}
INLAY_HOOK(uint32_t, http_filter_request_body)(envoy::Filter*, const void* mine, bool end_of_stream) {
  return guarded(kStop, [&] { return stream(mine).request_body(end_of_stream); });
}
INLAY_HOOK(uint32_t, http_filter_request_trailers)(envoy::Filter*, const void* mine) {
  return guarded(kStop, [&] { return stream(mine).request_trailers(); });
}
INLAY_HOOK(uint32_t, http_filter_response_headers)(envoy::Filter*, const void* mine, bool end_of_stream) {
  return guarded(kStop, [&] { return stream(mine).response_headers(end_of_stream); });
}
INLAY_HOOK(uint32_t, http_filter_response_body)(envoy::Filter*, const void* mine, bool end_of_stream) {
  return guarded(kStop, [&] { return stream(mine).response_body(end_of_stream); });
}
INLAY_HOOK(uint32_t, http_filter_response_trailers)(envoy::Filter*, const void* mine) {
  return guarded(kStop, [&] { return stream(mine).response_trailers(); });
}
INLAY_HOOK(void, http_filter_scheduled)(envoy::Filter*, const void* mine, uint64_t) {
  guarded([&] { stream(mine).scheduled(); });
}
INLAY_HOOK(void, http_filter_stream_complete)(envoy::Filter*, const void* mine) {
  guarded([&] { stream(mine).complete(); });
}
INLAY_HOOK(void, http_filter_destroy)(const void* mine) {
  guarded([&] { stream(mine).destroy(); });
}

// --- an access logger: what each worker has of it is the one of the main thread ---

INLAY_HOOK(const void*, access_logger_config_new)(void*, envoy::View name, envoy::View text) {
  return guarded(static_cast<const void*>(nullptr), [&]() -> const void* {
    auto made = AccessLogger::create(name, text);
    if (made) return made->release();
    write_log(abi::LogLevel::kError, "logger_name " + std::string(name) + " is refused: " + made.error().to_string());
    return nullptr;
  });
}
INLAY_HOOK(void, access_logger_config_destroy)(const void* mine) {
  guarded([&] { delete static_cast<const AccessLogger*>(mine); });
}
INLAY_HOOK(const void*, access_logger_new)(const void* mine, envoy::AccessLogger*) {
  return mine;
}
INLAY_HOOK(void, access_logger_log)(envoy::AccessLogger* logger, const void* mine, uint32_t) {
  guarded([&] { static_cast<AccessLogger*>(const_cast<void*>(mine))->log(logger); });
}
INLAY_HOOK(void, access_logger_destroy)(const void*) {}
INLAY_HOOK(void, access_logger_flush)(const void*) {}

// --- what Envoy asks of every module, and this one does not use ---

INLAY_HOOK(uint32_t, http_filter_local_reply)(envoy::Filter*, const void*, uint32_t, envoy::View, bool) {
  return 0;  // it is sent
}
INLAY_HOOK(void, http_filter_http_callout_done)
(envoy::Filter*, const void*, uint64_t, envoy::CallResult, Fields, size_t, envoy::View*, size_t) {}
INLAY_HOOK(void, http_filter_http_stream_headers)(envoy::Filter*, const void*, uint64_t, Fields, size_t, bool) {}
INLAY_HOOK(void, http_filter_http_stream_data)
(envoy::Filter*, const void*, uint64_t, const envoy::View*, size_t, bool) {}
INLAY_HOOK(void, http_filter_http_stream_trailers)(envoy::Filter*, const void*, uint64_t, Fields, size_t) {}
INLAY_HOOK(void, http_filter_http_stream_complete)(envoy::Filter*, const void*, uint64_t) {}
INLAY_HOOK(void, http_filter_http_stream_reset)(envoy::Filter*, const void*, uint64_t, uint32_t) {}
INLAY_HOOK(void, http_filter_downstream_above_write_buffer_high_watermark)(envoy::Filter*, const void*) {}
INLAY_HOOK(void, http_filter_downstream_below_write_buffer_low_watermark)(envoy::Filter*, const void*) {}
