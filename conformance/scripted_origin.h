// SPDX-License-Identifier: Apache-2.0
#pragma once

// ScriptedOrigin: the last filter of a chain in the place of the router, with what is behind it. It writes down what it
// gets and answers as it is told.

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "conformance/case.h"
#include "conformance/transcript.h"
#include "proxy/http/filter.h"

namespace inlay::conformance {

class ScriptedOrigin;
class TcpOrigin;

// What the origins of a world share.
struct OriginScript {
  const Case& c;
  Transcript& transcript;
  std::vector<ScriptedOrigin*> waiting = {};  // requests without a whole answer, the oldest first
  std::vector<TcpOrigin*> connections = {};   // of upstreams that accept, the oldest first
  int thread = 0;                             // whose turn it is: the main one's, 0, or a worker's
  size_t activity = 0;                        // grows with everything that happens
};

class ScriptedOrigin final : public proxy::http::StreamFilter {
 public:
  static constexpr const char* kName = "origin";
  explicit ScriptedOrigin(OriginScript& script) : script_(script) {}

  bool start(proxy::http::FilterCallbacks& callbacks) override;
  proxy::http::HeadersStatus decode_headers(host::HeaderMap& headers, bool end) override;
  proxy::http::DataStatus decode_data(host::Buffer& data, bool end) override;
  proxy::http::TrailersStatus decode_trailers(host::HeaderMap& trailers) override;
  void on_above_write_watermark() override;
  void on_below_write_watermark() override;
  void on_destroy() override;

  proxy::net::EventLoop& loop() { return callbacks_->loop(); }
  void send_head(const Answer& answer, bool end, bool chunked);
  void send_body(std::string_view bytes, bool end);
  void send_trailers(const Fields& trailers);
  void send_continue() {
    host::HeaderMap headers;
    headers.add(":status", "100");
    callbacks_->encode_informational(headers);
  }
  void reset();

 private:
  void complete();
  void answered();
  void answer_later();

  OriginScript& script_;
  proxy::http::FilterCallbacks* callbacks_ = nullptr;
  std::string method_;
  uint64_t serial_ = 0;
  bool seen_ = false;
  bool request_complete_ = false;
  bool head_sent_ = false;
  bool answered_ = false;
  bool on_its_way_ = false;  // the whole answer has left the origin
};

class ScriptedOriginFactory final : public proxy::http::FilterFactory {
 public:
  explicit ScriptedOriginFactory(OriginScript& script) : script_(script) {}
  std::unique_ptr<proxy::http::StreamFilter> create() override { return std::make_unique<ScriptedOrigin>(script_); }
  std::string_view name() const override { return "router"; }

 private:
  OriginScript& script_;
};

Fields fields_of(const host::HeaderMap& map);

}  // namespace inlay::conformance
