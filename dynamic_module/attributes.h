// SPDX-License-Identifier: Apache-2.0
#pragma once

// The attributes of a stream that guests read as properties, as far as Envoy tells them to a module
// (docs/reference/dynamic_module.md has which). Encoded as host::AttributeSource says.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "abi/types.h"
#include "dynamic_module/envoy_abi.h"
#include "http/header_map.h"

namespace inlay::dynamic_module {

// VisibleMaps are the headers that the guest may see now; nullptr: not these.
struct VisibleMaps {
  const http::HeaderMap* request_headers = nullptr;
  const http::HeaderMap* response_headers = nullptr;
  const http::HeaderMap* response_trailers = nullptr;
};

// AttributeSource asks Envoy for attributes, by number. False: it has none, or one of another type.
class AttributeSource {
 public:
  virtual bool text(uint32_t id, envoy::View* value) const = 0;
  virtual bool number(uint32_t id, uint64_t* value) const = 0;
  virtual bool flag(uint32_t id, bool* value) const = 0;
  // The filter state of that key.
  virtual bool state(const std::string& key, envoy::View* value) const = 0;

 protected:
  ~AttributeSource() = default;
};

// StreamAttributes are those of a filter's stream, in a hook.
class StreamAttributes final : public AttributeSource {
 public:
  explicit StreamAttributes(envoy::Filter* filter) : filter_(filter) {}
  bool text(uint32_t id, envoy::View* value) const override;
  bool number(uint32_t id, uint64_t* value) const override;
  bool flag(uint32_t id, bool* value) const override;
  bool state(const std::string& key, envoy::View* value) const override;

 private:
  envoy::Filter* const filter_;
};

// kNotFound, or kSerializationFailure for the root of a group.
abi::Status get_attribute(const AttributeSource& source, const VisibleMaps& maps,
                          const std::vector<std::string_view>& path, std::string& value);

}  // namespace inlay::dynamic_module
