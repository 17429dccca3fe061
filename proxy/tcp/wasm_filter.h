// SPDX-License-Identifier: Apache-2.0
#pragma once

// WasmFilter: a plugin as a filter of the network filter chain (envoy.filters.network.wasm). It joins host::TcpContext
// (the guest's side of a connection) to tcp::Filter (the proxy's). A guest without a callback is not asked.

#include <memory>

#include "host/host.h"
#include "host/tcp.h"
#include "proxy/tcp/filter.h"
#include "proxy/wasm_filter/attributes.h"

namespace inlay::proxy::tcp {

class WasmFilter final : public Filter, private host::TcpStream {
 public:
  struct Options {
    host::WorkerPlugin* plugin = nullptr;  // not null
    wasm_filter::AttributeOptions attributes;
  };
  explicit WasmFilter(const Options& options) : options_(options) {}

  void start(FilterCallbacks& callbacks) override { callbacks_ = &callbacks; }
  Action on_new_connection() override;
  Action on_read(Buffer& data, bool end_stream) override;
  Action on_write(Buffer& data, bool end_stream) override;
  void on_close(abi::PeerType by) override;

 private:
  // host::TcpStream
  Buffer* data(host::Peer from) override;
  void continue_stream(host::Peer from) override;
  void close(std::string_view details) override;
  abi::Status get_property(const std::vector<std::string_view>& path, std::string& value) override;
  abi::Status set_property(std::string_view path, std::string_view value, const host::PropertyTraits& traits) override;
  abi::Status set_proxy_state(std::string_view key, std::string_view value) override;

  const Options& options_;
  FilterCallbacks* callbacks_ = nullptr;
  host::TcpContext* context_ = nullptr;  // null: not begun, bypassed, or over
  bool read_visible_ = false;            // the guest may see the buffer: in its callback, and while it has paused
  bool write_visible_ = false;
  bool upstream_closed_ = false;  // the guest has been told
};

class WasmFilterFactory final : public FilterFactory {
 public:
  explicit WasmFilterFactory(WasmFilter::Options options) : options_(std::move(options)) {}
  std::unique_ptr<Filter> create() override { return std::make_unique<WasmFilter>(options_); }

 private:
  WasmFilter::Options options_;
};

}  // namespace inlay::proxy::tcp
