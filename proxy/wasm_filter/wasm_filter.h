// SPDX-License-Identifier: Apache-2.0
#pragma once

// WasmFilter: a plugin as a filter of the HTTP filter chain. It joins host::HttpContext (the guest's side of a stream)
// to downstream::StreamFilter (the proxy's). Made per stream object and used again; a guest without a callback is not
// asked.

#include <memory>
#include <string>

#include "host/host.h"
#include "proxy/downstream/filter.h"
#include "proxy/router/route_table.h"
#include "proxy/wasm_filter/attributes.h"

namespace inlay::proxy::wasm_filter {

class WasmFilter final : public downstream::StreamFilter, private host::HttpStream {
 public:
  struct Options {
    std::string name;                      // of the filter in the chain, which routes may turn off or on
    host::WorkerPlugin* plugin = nullptr;  // not null
    AttributeOptions attributes;
    std::shared_ptr<const router::RouteTable> routes;  // for typed_per_filter_config and xds.*
    bool disabled = false;                             // off where no route turns it on
  };
  explicit WasmFilter(const Options& options) : options_(options) {}

  bool start(downstream::FilterCallbacks& callbacks) override;
  downstream::HeadersStatus decode_headers(http::HeaderMap& headers, bool end_stream) override;
  downstream::DataStatus decode_data(Buffer& data, bool end_stream) override;
  downstream::TrailersStatus decode_trailers(http::HeaderMap& trailers) override;
  downstream::HeadersStatus encode_headers(http::HeaderMap& headers, bool end_stream) override;
  downstream::DataStatus encode_data(Buffer& data, bool end_stream) override;
  downstream::TrailersStatus encode_trailers(http::HeaderMap& trailers) override;
  void on_log() override;
  void on_destroy() override;

 private:
  // host::HttpStream
  http::HeaderMap* headers(abi::MapType type, bool writable) override;
  Buffer* body(abi::BufferType type) override;
  void continue_stream(host::Direction direction) override;
  void send_local_reply(host::LocalReply reply) override;
  void reset(std::string_view details) override;
  std::optional<std::string> content_length(host::Direction direction) override;
  bool response_begun() const override { return response_begun_; }
  void clear_route_cache() override {}  // the route is chosen after the filters
  abi::Status get_property(const std::vector<std::string_view>& path, std::string& value) override;
  abi::Status set_property(std::string_view path, std::string_view value, const host::PropertyTraits& traits) override;

  // One direction of the stream, as the guest may see it now.
  struct Side {
    http::HeaderMap* headers = nullptr;  // from its callback until the guest has let it go
    http::HeaderMap* trailers = nullptr;
    Buffer* body = nullptr;  // in a body callback
    bool end_stream = false;
    bool buffering = false;    // the guest asked to buffer: it sees all that is buffered
    bool paused_body = false;  // it stopped in a body callback: what is buffered stays within reach
    void close() { *this = Side(); }
  };
  downstream::DataStatus on_data(Side& side, Buffer& data, Buffer* buffered, bool end_stream, bool request);
  StreamAttributes attributes() const;
  bool is_off(const http::HeaderMap& headers) const;
  bool ensure_context();
  void remember_route();

  const Options& options_;
  downstream::FilterCallbacks* callbacks_ = nullptr;
  host::HttpContext* context_ = nullptr;
  bool bypass_ = false;
  bool logging_ = false;
  bool response_begun_ = false;
  bool over_ = false;        // logged: what is left is on_done
  bool over_limit_ = false;  // in the body callback that sees more than may be buffered
  Side request_;
  Side response_;
};

class WasmFilterFactory final : public downstream::FilterFactory {
 public:
  explicit WasmFilterFactory(WasmFilter::Options options) : options_(std::move(options)) {}
  std::unique_ptr<downstream::StreamFilter> create() override { return std::make_unique<WasmFilter>(options_); }
  std::string_view name() const override { return options_.name; }

 private:
  WasmFilter::Options options_;
};

}  // namespace inlay::proxy::wasm_filter
