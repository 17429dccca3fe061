// SPDX-License-Identifier: Apache-2.0
#pragma once

// MainStreams: call-outs whose request and answer are passed on as they come, which guests' gRPC calls and streams are
// made of. As MainCalls' they are Envoy's to send on its main thread, and belong to the configuration.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>

#include "base/buffer.h"
#include "dynamic_module/envoy_abi.h"
#include "dynamic_module/main_thread.h"
#include "host/embedder.h"
#include "http/header_map.h"

namespace inlay::dynamic_module {

class MainStreams {
 public:
  // What comes of a stream. Nothing follows one that has `end`.
  struct Event {
    enum class Kind : uint8_t { kHeaders, kData, kTrailers, kReset } kind = Kind::kReset;
    bool end = true;
    http::HeaderMap fields{};
    Buffer data{};
    std::string details{};
  };
  // Called on the main thread.
  using OnEvent = std::function<void(Event)>;
  // A stream, for whoever has started it.
  struct Handle;
  using HandlePtr = std::shared_ptr<Handle>;

  // Both outlive it.
  MainStreams(envoy::FilterConfig* config, MainThread& main) : config_(config), main_(main) {}

  // Any thread, all of them. What is asked for is done in its order. nullptr: the configuration is going away. A stream
  // that Envoy does not take is answered in gRPC's form, as one that finds no healthy host.
  HandlePtr start(host::CallStreamRequest request, OnEvent on_event);
  void send(const HandlePtr& stream, std::string data, bool end);
  void reset(const HandlePtr& stream);

  // The hooks on_http_filter_config_http_stream_*, on the main thread.
  void on_headers(uint64_t id, const envoy::Field* fields, size_t count, bool end);
  void on_data(uint64_t id, const envoy::View* chunks, size_t count, bool end);
  void on_trailers(uint64_t id, const envoy::Field* fields, size_t count);
  void on_end(uint64_t id, bool reset);

 private:
  void ask_for(const host::CallStreamRequest& request, const HandlePtr& stream);
  void tell(uint64_t id, Event event);

  envoy::FilterConfig* const config_;
  MainThread& main_;
  std::unordered_map<uint64_t, HandlePtr> under_way_;  // by Envoy's id; the main thread's
};

}  // namespace inlay::dynamic_module
