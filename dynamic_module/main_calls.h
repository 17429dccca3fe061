// SPDX-License-Identifier: Apache-2.0
#pragma once

// MainCalls: guests' call-outs, all of which Envoy sends for us on its main thread. A call belongs to the root context
// of the guest that has asked for it and outlives the stream that it was asked for in, as in Envoy's own host; the
// call-outs that a stream can start end with it, and are not used.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <unordered_map>

#include "dynamic_module/envoy_abi.h"
#include "dynamic_module/main_thread.h"
#include "host/embedder.h"

namespace inlay::dynamic_module {

class MainCalls {
 public:
  // Called on the main thread, once.
  using Done = std::function<void(host::HttpCallResponse)>;

  // Both outlive it.
  MainCalls(envoy::FilterConfig* config, MainThread& main) : config_(config), main_(main) {}

  // Any thread. False: the configuration is going away, and `done` is never called. A call that Envoy does not take is
  // answered with 503, as one that finds no healthy host; the log says which cluster.
  bool start(host::HttpCallRequest request, Done done);
  // The hook on_http_filter_config_http_callout_done, on the main thread. It may come while start's task asks for the
  // call.
  void on_done(uint64_t id, envoy::CallResult result, const envoy::Field* headers, size_t header_count,
               const envoy::View* chunks, size_t chunk_count);

 private:
  void ask_for(const host::HttpCallRequest& request, Done done);

  envoy::FilterConfig* const config_;
  MainThread& main_;
  // All of what follows is the main thread's.
  std::unordered_map<uint64_t, Done> under_way_;
  bool asking_ = false;
  std::optional<host::HttpCallResponse> early_;  // of the call that is being asked for
};

}  // namespace inlay::dynamic_module
