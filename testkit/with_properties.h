// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "host/embedder.h"
#include "testkit/worker.h"

namespace inlay::testkit {

// WithProperties answers a stream's or a connection's properties from maps that a test fills and reads.
template <class Source>
class WithProperties : public Source {
 public:
  // Attributes by their path joined with '.'.
  std::map<std::string, std::string> properties;
  std::map<std::string, std::string> filter_state;     // "wasm.<path>"
  std::map<std::string, host::PropertyTraits> traits;  // of filter_state, as first set

  abi::Status get_property(const std::vector<std::string_view>& path, std::string& value) override {
    const std::string name = join(path);
    auto found = properties.find(name);
    if (found == properties.end()) {
      found = filter_state.find("wasm." + name);
      if (found == filter_state.end()) return abi::Status::kNotFound;
    }
    value = found->second;
    return abi::Status::kOk;
  }

  abi::Status set_property(std::string_view path, std::string_view value,
                           const host::PropertyTraits& declared) override {
    const std::string name = "wasm." + std::string(path);
    const auto known = traits.try_emplace(name, declared);
    if (!known.second && known.first->second.read_only) return abi::Status::kBadArgument;
    filter_state[name] = value;
    return abi::Status::kOk;
  }
};

}  // namespace inlay::testkit
