// SPDX-License-Identifier: Apache-2.0
#include "proxy/wasm_filter/filter_state.h"

#include <algorithm>
#include <string>

#include "host/guest_limits.h"

namespace inlay::proxy::wasm_filter {

namespace {

void change_below(downstream::StreamInfo& info, std::string_view key, std::string_view value) {
  for (downstream::FilterState& state : *info.state_below)
    if (state.name == key) state.value = value;
}

}  // namespace

abi::Status set_filter_state(downstream::StreamInfo& info, std::string_view path, std::string_view value,
                             const host::PropertyTraits& traits) {
  auto& state = info.filter_state;
  const std::string key = "wasm." + std::string(path);
  const auto it = std::find_if(state.begin(), state.end(), [&](const auto& entry) { return entry.name == key; });
  if (it != state.end() && it->read_only) return abi::Status::kBadArgument;
  size_t held = 0;
  for (const auto& entry : state) held += entry.name == key ? 0 : entry.name.size() + entry.value.size();
  if (held + key.size() + value.size() > host::limits::kPropertyBytes) return abi::Status::kInternalFailure;
  if (it == state.end() && state.size() >= host::limits::kProperties) return abi::Status::kInternalFailure;
  if (it != state.end()) {
    it->value = value;
    if (it->of_below) change_below(info, key, value);
  } else {
    state.push_back({key, std::string(value), traits.read_only, traits.of_connection});
  }
  return abi::Status::kOk;
}

}  // namespace inlay::proxy::wasm_filter
