// SPDX-License-Identifier: Apache-2.0
#pragma once

// HTTP filters, and the code of Wasm plugins, in the typed configuration (config/model.h).

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "config/common_model.h"
#include "host/host.h"

namespace inlay::config {

constexpr size_t kLargestModule = size_t{64} << 20;  // bytes of a wasm module

// core/v3 HttpUri with a RetryPolicy: what is fetched through a cluster.
struct RemoteSource {
  std::string uri;          // for messages: without its query, which may be a signature
  std::string host;         // of the URI, with its port: the request's authority
  std::string path;         // of the URI, with its query
  std::string cluster;      // of static_resources
  Milliseconds timeout{0};  // 0: none
  uint32_t num_retries = 1;
  Milliseconds back_off_base{1'000};
  Milliseconds back_off_max{10'000};
};

// core/v3 RemoteDataSource: a module that is fetched before it is used; its timeout is for one try.
struct RemoteCode : RemoteSource {
  std::string sha256;  // 64 hexadecimal digits, lower-case
};

// Where a wasm module comes from: code.local, whose bytes the loader has read, or code.remote.
struct WasmCode {
  std::string filename;  // for messages: "<inline>" for inline code, the URI of remote code
  std::shared_ptr<const std::vector<uint8_t>> bytes;  // null for remote code
  std::optional<RemoteCode> remote;
  bool nack_on_code_cache_miss = false;
};

// extensions/wasm/v3 PluginConfig, of an HTTP filter, an access logger or a service.
struct WasmPlugin {
  host::PluginConfig plugin;
  WasmCode code;
};

// extensions/wasm/v3 WasmService: a plugin without streams.
struct WasmService {
  std::string name;
  WasmPlugin wasm;
  bool singleton = false;  // one instance on the main thread; else one on each worker
};
// extensions/filters/http/router/v3 Router.
struct RouterFilter {
  bool suppress_envoy_headers = false;
};
// extensions/filters/http/cors/v3 Cors: what it does is of the routes.
struct CorsFilter {};
// extensions/filters/http/grpc_web/v3 GrpcWeb.
struct GrpcWebFilter {};
struct JwtAuthentication;  // config/jwt_authn.h
// extensions/filters/http/jwt_authn/v3 JwtAuthentication.
struct JwtAuthnFilter {
  std::shared_ptr<const JwtAuthentication> settings;
};
// HttpFilter: one of http_filters.
struct HttpFilter {
  std::string name;
  bool disabled = false;
  std::variant<WasmPlugin, RouterFilter, CorsFilter, GrpcWebFilter, JwtAuthnFilter> config;
};

}  // namespace inlay::config
