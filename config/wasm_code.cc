// SPDX-License-Identifier: Apache-2.0
// Where a module comes from: config/core/v3 AsyncDataSource, RemoteDataSource.
#include <algorithm>

#include "base/ascii.h"
#include "config/builders.h"
#include "document/scalars.h"

namespace inlay::config {

namespace {

constexpr FieldRule kAsyncDataSource[] = {{"local"}, {"remote"}};
constexpr FieldRule kRemoteDataSource[] = {{"http_uri"}, {"sha256"}, {"retry_policy"}};
constexpr MessageRules kRules[] = {
    {"envoy.config.core.v3.AsyncDataSource", kAsyncDataSource},
    {"envoy.config.core.v3.RemoteDataSource", kRemoteDataSource},
};

RemoteCode build_remote(View remote, BuildContext& context) {
  RemoteCode out;
  if (context.require(remote, "http_uri")) read_http_uri(remote["http_uri"], true, out, context);
  if (context.require(remote, "sha256")) {
    out.sha256 = lower(remote.text("sha256"));
    const auto is_digit = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
    if (out.sha256.size() != 64 || !std::all_of(out.sha256.begin(), out.sha256.end(), is_digit))
      context.field_error(
          remote, "sha256",
          "expected the 64 hexadecimal digits that `sha256sum` prints, found " + document::quote(out.sha256));
  }
  if (View policy = remote["retry_policy"]) read_retry_policy(policy, out, context);
  return out;
}

}  // namespace

std::span<const MessageRules> wasm_code_rules() {
  return kRules;
}

WasmCode build_wasm_code(View vm, BuildContext& context) {
  WasmCode out;
  if (!context.require(vm, "code")) return out;
  const View code = vm["code"];
  out.nack_on_code_cache_miss = vm.boolean("nack_on_code_cache_miss");
  if (View remote = code["remote"]) {
    out.remote = build_remote(remote, context);
    out.filename = out.remote->uri;
    return out;
  }
  if (!context.require(code, "local")) return out;
  auto data = read_data_source(code["local"], kLargestModule, context);
  if (!data) return out;
  if (data->bytes.empty()) context.error(code["local"], "the module is empty");
  out.filename = data->name;
  out.bytes = std::make_shared<const std::vector<uint8_t>>(data->bytes.begin(), data->bytes.end());
  return out;
}

}  // namespace inlay::config
