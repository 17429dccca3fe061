// SPDX-License-Identifier: Apache-2.0
#pragma once

// AccessLogger: a plugin that is called at each stream's end (envoy.access_loggers.wasm). The guest gets proxy_on_log
// with its root context, which can read the stream's headers, trailers and properties for as long as that lasts.

#include "host/host.h"
#include "proxy/downstream/stream_logger.h"
#include "proxy/wasm_filter/attributes.h"

namespace inlay::proxy::wasm_filter {

class AccessLogger final : public downstream::StreamLogger, private host::HttpStream {
 public:
  // `plugin` outlives the logger.
  AccessLogger(host::WorkerPlugin& plugin, AttributeOptions attributes) : plugin_(plugin), attributes_(attributes) {}

  void log(const downstream::StreamRecord& record) override;

 private:
  // host::HttpStream: a stream that is over. It can be read.
  http::HeaderMap* headers(abi::MapType type, bool writable) override;
  Buffer* body(abi::BufferType) override { return nullptr; }
  void continue_stream(host::Direction) override {}
  void send_local_reply(host::LocalReply) override {}
  void reset(std::string_view) override {}
  void clear_route_cache() override {}
  abi::Status get_property(const std::vector<std::string_view>& path, std::string& value) override;
  abi::Status set_property(std::string_view, std::string_view, const host::PropertyTraits&) override {
    return abi::Status::kNotFound;
  }

  host::WorkerPlugin& plugin_;
  const AttributeOptions attributes_;
  const downstream::StreamRecord* record_ = nullptr;  // inside of log()
};

}  // namespace inlay::proxy::wasm_filter
