// SPDX-License-Identifier: Apache-2.0
#include "proxy/wasm_filter/attributes.h"

#include <algorithm>
#include <array>

#include "abi/pairs.h"
#include "base/ascii.h"
#include "http/http1_grammar.h"
#include "proxy/wasm_filter/attribute.h"
#include "proxy/wasm_filter/struct_value.h"

namespace inlay::proxy::wasm_filter {

using abi::Status;
using http::HeaderMap;

namespace {

constexpr std::array<AttributeRoot, 7> kRoots = {{
    {"request", &request_attributes, true},
    {"response", &response_attributes, true},
    {"connection", &connection_attributes, true},
    {"upstream", &upstream_attributes, true},
    {"source", &source_attributes, true},
    {"destination", &destination_attributes, true},
    {"xds", &xds_attributes, false},
}};

// Top-level names of Envoy before 1.33, which are xds.<name> now.
constexpr std::array<std::string_view, 9> kLegacy = {"node",
                                                     "cluster_name",
                                                     "cluster_metadata",
                                                     "route_name",
                                                     "route_metadata",
                                                     "listener_direction",
                                                     "listener_metadata",
                                                     "upstream_host_metadata",
                                                     "filter_chain_name"};

Status find(const AttributeOptions& options, const StreamAttributes* stream, std::string_view root, Path path,
            std::string& value) {
  const auto* found =
      std::find_if(kRoots.begin(), kRoots.end(), [&](const AttributeRoot& r) { return r.name == root; });
  if (found == kRoots.end() || (found->needs_stream && stream == nullptr)) return Status::kNotFound;
  if (path.empty()) return Status::kSerializationFailure;
  for (const Attribute& attribute : found->attributes()) {
    if (attribute.name != path.front()) continue;
    const bool has_parts = attribute.kind == AttributeKind::kMap || attribute.kind == AttributeKind::kMessage;
    if (path.size() > 1 && !has_parts) return Status::kNotFound;
    return attribute.get({options, stream, path.subspan(1)}, value);
  }
  return Status::kNotFound;
}

Status look_up(const AttributeOptions& options, const StreamAttributes* stream, Path path, std::string& value) {
  if (path.empty()) return Status::kSerializationFailure;
  const std::string_view first = path.front();
  if (options.legacy && std::find(kLegacy.begin(), kLegacy.end(), first) != kLegacy.end())
    return find(options, stream, "xds", path, value);
  return find(options, stream, first, path.subspan(1), value);
}

const downstream::FilterState* find_state(const downstream::StreamInfo& info, std::string_view prefix,
                                          std::string_view name) {
  const auto same = [&](const downstream::FilterState& state) {
    const std::string_view full = state.name;
    return full.starts_with(prefix) && full.substr(prefix.size()) == name;
  };
  const auto found = std::find_if(info.filter_state.begin(), info.filter_state.end(), same);
  return found == info.filter_state.end() ? nullptr : &*found;
}

Status filter_state(const StreamAttributes& stream, Path rest, std::string& value) {
  if (rest.empty()) return Status::kSerializationFailure;
  const downstream::FilterState* state = rest.size() == 1 ? find_state(stream.info, "", rest.front()) : nullptr;
  return state != nullptr ? put_text(value, state->value) : Status::kNotFound;
}

}  // namespace

std::span<const AttributeRoot> attribute_roots() {
  return kRoots;
}

Status put_headers(std::string& out, const HeaderMap* headers, Path rest) {
  if (!rest.empty()) {
    if (headers == nullptr || rest.size() > 1) return Status::kNotFound;
    out.clear();
    bool found = false;
    for (const auto& entry : *headers) {
      if (!equals_ignore_case(entry.name, rest.front())) continue;
      out.append(std::exchange(found, true) ? "," : "").append(entry.value);
    }
    return found ? Status::kOk : Status::kNotFound;
  }
  std::vector<std::pair<std::string_view, std::string>> fields;
  if (headers != nullptr) {
    for (const auto& entry : *headers) {
      const auto same =
          std::find_if(fields.begin(), fields.end(), [&](const auto& f) { return f.first == entry.name; });
      if (same == fields.end())
        fields.emplace_back(entry.name, entry.value);
      else
        same->second.append(",").append(entry.value);
    }
  }
  std::vector<abi::Pair> pairs;
  pairs.reserve(fields.size());
  for (const auto& [name, text] : fields) pairs.push_back({name, text});
  out.resize(abi::pairs_size(pairs));
  abi::write_pairs(pairs, out.data());
  return Status::kOk;
}

Status root_attribute(const AttributeOptions& options, Path path, std::string& value) {
  return look_up(options, nullptr, path, value);
}

Status stream_attribute(const AttributeOptions& options, const StreamAttributes& stream, Path path,
                        std::string& value) {
  if (path.empty()) return Status::kSerializationFailure;
  const std::string_view first = path.front();
  if (first == "connection_id" && path.size() == 1) return put_number(value, stream.info.connection_id);
  if (first == "metadata") return metadata_attribute(stream.info.dynamic_metadata, path.subspan(1), value);
  // Neither does anything write filter state of the upstream: a map that is there once there is an upstream.
  if (first == "upstream_filter_state") {
    const bool connected = !stream.info.upstream_local.host.empty() || stream.info.upstream_local.is_pipe;
    return path.size() == 1 && connected ? Status::kSerializationFailure : Status::kNotFound;
  }
  if (first == "filter_state") return filter_state(stream, path.subspan(1), value);
  const Status status = look_up(options, &stream, path, value);
  if (status != Status::kNotFound || path.size() != 1) return status;
  const downstream::FilterState* state = find_state(stream.info, "wasm.", first);
  return state != nullptr ? put_text(value, state->value) : Status::kNotFound;
}

}  // namespace inlay::proxy::wasm_filter
