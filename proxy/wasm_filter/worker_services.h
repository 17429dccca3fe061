// SPDX-License-Identifier: Apache-2.0
#pragma once

// WorkerServices: what a proxy worker offers to the guests on it. Loop thread only, but for post().

#include "host/embedder.h"
#include "net/event_loop.h"
#include "proxy/wasm_filter/attributes.h"

namespace inlay::proxy::wasm_filter {

class WorkerServices final : public host::WorkerServices {
 public:
  // All of these outlive the services.
  WorkerServices(net::EventLoop& loop, host::Upstreams& upstreams, AttributeOptions attributes)
      : loop_(loop), upstreams_(upstreams), attributes_(attributes) {}

  host::Upstreams& upstreams() override { return upstreams_; }
  std::unique_ptr<host::Timer> create_timer(std::function<void()> on_fire) override;
  void post(std::function<void()> task) override { loop_.post(std::move(task)); }
  void flush_calls() override { loop_.flush(); }
  abi::Status get_property(const std::vector<std::string_view>& path, std::string& value) override {
    return root_attribute(attributes_, path, value);
  }

 private:
  net::EventLoop& loop_;
  host::Upstreams& upstreams_;
  AttributeOptions attributes_;
};

}  // namespace inlay::proxy::wasm_filter
