// SPDX-License-Identifier: Apache-2.0
#include "dynamic_module/main_calls.h"

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "dynamic_module/log.h"

namespace inlay::dynamic_module {

using host::HttpCallRequest;
using host::HttpCallResponse;

namespace {

HttpCallResponse unavailable() {
  HttpCallResponse response;
  response.headers.add(http::HeaderId::kStatus, ":status", "503");
  return response;
}

std::string_view reason(envoy::CallStart start) {
  switch (start) {
    case envoy::CallStart::kMissingHeaders:
      return "it lacks :method, :path or :authority";
    case envoy::CallStart::kNoCluster:
      return "there is no such cluster";
    default:
      return "Envoy cannot send it: there is no healthy host, for instance";
  }
}

}  // namespace

bool MainCalls::start(HttpCallRequest request, Done done) {
  auto kept = std::make_shared<HttpCallRequest>(std::move(request));
  return main_.post([this, kept = std::move(kept), done = std::move(done)] { ask_for(*kept, done); });
}

void MainCalls::ask_for(const HttpCallRequest& request, Done done) {
  std::vector<envoy::Field> headers;
  headers.reserve(request.headers.size());
  for (const auto& entry : request.headers) headers.push_back({entry.name, entry.value});
  const auto timeout = std::chrono::ceil<std::chrono::milliseconds>(request.timeout);
  uint64_t id = 0;
  asking_ = true;
  const envoy::CallStart start =
      envoy::http_filter_config_http_callout(config_, &id, request.cluster, headers.data(), headers.size(),
                                             request.body, static_cast<uint64_t>(timeout.count()));
  asking_ = false;
  auto early = std::exchange(early_, std::nullopt);
  if (early) return done(std::move(*early));
  if (start != envoy::CallStart::kSuccess) {
    write_log(abi::LogLevel::kWarn,
              "a call to cluster " + request.cluster + " was not sent: " + std::string(reason(start)));
    return done(unavailable());
  }
  under_way_.emplace(id, std::move(done));
}

void MainCalls::on_done(uint64_t id, envoy::CallResult result, const envoy::Field* headers, size_t header_count,
                        const envoy::View* chunks, size_t chunk_count) {
  HttpCallResponse response;
  if (result == envoy::CallResult::kSuccess) {
    for (size_t i = 0; i < header_count; ++i) response.headers.add(headers[i].name, headers[i].value);
    for (size_t i = 0; i < chunk_count; ++i) response.body.append(chunks[i]);
  } else {
    response.reset = true;
  }
  auto found = under_way_.extract(id);
  if (!found.empty()) return found.mapped()(std::move(response));
  if (asking_) early_ = std::move(response);
}

}  // namespace inlay::dynamic_module
