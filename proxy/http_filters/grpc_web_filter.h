// SPDX-License-Identifier: Apache-2.0
#pragma once

// GrpcWebFilter: lets browsers, which see neither HTTP/2 nor trailers, call gRPC services, as Envoy's
// envoy.filters.http.grpc_web (1.40) does: a request of gRPC-Web, which gRPC itself describes, becomes a gRPC request,
// and the trailers of its answer the last frame of the answer's body, in base64 where the client asks for that. An
// answer that is no gRPC's becomes grpc-status and grpc-message. Other requests pass. Envoy's statistics by method are
// not kept: a client could make as many of them as it likes.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "proxy/downstream/filter.h"
#include "proxy/router/route_table.h"

namespace inlay::proxy::http_filters {

// GrpcWebText writes gRPC frames in base64, each by itself, and holds back no more than two bytes.
class GrpcWebText {
 public:
  // The text of what has come; what a frame still lacks for a group of characters waits.
  std::string add(std::string_view bytes);

 private:
  std::string prefix_;   // of the frame that comes
  std::string waiting_;  // of its bytes
  uint64_t left_ = 0;    // bytes that it still lacks behind its prefix
};

class GrpcWebFilter final : public downstream::StreamFilter {
 public:
  struct Options {
    std::string name;  // in http_filters
    std::shared_ptr<const router::RouteTable> routes;
    bool disabled = false;  // but where a route turns it on
  };
  explicit GrpcWebFilter(const Options& options) : options_(options) {}

  bool start(downstream::FilterCallbacks& callbacks) override;
  downstream::HeadersStatus decode_headers(http::HeaderMap& headers, bool end_stream) override;
  downstream::DataStatus decode_data(Buffer& data, bool end_stream) override;
  downstream::HeadersStatus encode_headers(http::HeaderMap& headers, bool end_stream) override;
  downstream::DataStatus encode_data(Buffer& data, bool end_stream) override;
  downstream::TrailersStatus encode_trailers(http::HeaderMap& trailers) override;
  void on_destroy() override { callbacks_ = nullptr; }

 private:
  bool is_on(const http::HeaderMap& headers) const;
  downstream::DataStatus refuse(std::string_view details);
  downstream::DataStatus hold_back(Buffer& data);
  void describe_failure(Buffer& last);

  const Options& options_;
  downstream::FilterCallbacks* callbacks_ = nullptr;
  bool is_grpc_web_ = false;
  bool text_request_ = false;
  bool text_response_ = false;
  bool foreign_ = false;   // the answer is no gRPC's, and its head waits for its body
  std::string undecoded_;  // less than a group of characters
  GrpcWebText text_;
};

class GrpcWebFilterFactory final : public downstream::FilterFactory {
 public:
  explicit GrpcWebFilterFactory(GrpcWebFilter::Options options) : options_(std::move(options)) {}
  std::unique_ptr<downstream::StreamFilter> create() override { return std::make_unique<GrpcWebFilter>(options_); }
  std::string_view name() const override { return options_.name; }

 private:
  GrpcWebFilter::Options options_;
};

}  // namespace inlay::proxy::http_filters
