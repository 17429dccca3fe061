// SPDX-License-Identifier: Apache-2.0
#pragma once

// ScriptedOrigin: the last filter of a chain in the place of the router, with what is behind it. It writes down what it
// gets and answers as it is told.

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "proxy/downstream/filter.h"
#include "tester/case.h"
#include "tester/transcript.h"

namespace inlay::tester {

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

class ScriptedOrigin final : public proxy::downstream::StreamFilter {
 public:
  static constexpr const char* kName = "origin";
  explicit ScriptedOrigin(OriginScript& script) : script_(script) {}

  bool start(proxy::downstream::FilterCallbacks& callbacks) override;
  proxy::downstream::HeadersStatus decode_headers(http::HeaderMap& headers, bool end) override;
  proxy::downstream::DataStatus decode_data(Buffer& data, bool end) override;
  proxy::downstream::TrailersStatus decode_trailers(http::HeaderMap& trailers) override;
  void on_above_write_watermark() override;
  void on_below_write_watermark() override;
  void on_destroy() override;

  net::EventLoop& loop() { return callbacks_->loop(); }
  void send_head(const Answer& answer, bool end, bool chunked);
  void send_body(std::string_view bytes, bool end);
  void send_trailers(const Fields& trailers);
  void send_continue() {
    http::HeaderMap headers;
    headers.add(":status", "100");
    callbacks_->encode_informational(headers);
  }
  void reset();

 private:
  void complete();
  void answered();
  void answer_later();

  OriginScript& script_;
  proxy::downstream::FilterCallbacks* callbacks_ = nullptr;
  std::string method_;
  uint64_t serial_ = 0;
  bool seen_ = false;
  bool request_complete_ = false;
  bool head_sent_ = false;
  bool answered_ = false;
  bool on_its_way_ = false;  // the whole answer has left the origin
};

class ScriptedOriginFactory final : public proxy::downstream::FilterFactory {
 public:
  explicit ScriptedOriginFactory(OriginScript& script) : script_(script) {}
  std::unique_ptr<proxy::downstream::StreamFilter> create() override {
    return std::make_unique<ScriptedOrigin>(script_);
  }
  std::string_view name() const override { return "router"; }

 private:
  OriginScript& script_;
};

}  // namespace inlay::tester
