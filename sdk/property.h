// SPDX-License-Identifier: Apache-2.0
#pragma once

// Properties: what the host knows about the request, the connection, the plugin. A path is its parts with a NUL between
// each two.
//
//     auto name = sdk::get_property("plugin_root_id");
//     if (name) sdk::log_info("of ", name->view());
//     auto code = sdk::get_property(std::string_view("response\0code", 13));
//     if (code && code->size() == 8) sdk::log_info("its first byte is ", code->view()[0]);

#include <string_view>

#include "sdk/bytes.h"
#include "sdk/host_functions.h"

namespace inlay::sdk {

// get_property: the raw value (strings as they are, numbers as 8 bytes little-endian); kNotFound if there is none.
inline Result<Bytes> get_property(std::string_view path) {
  char* data = nullptr;
  size_t size = 0;
  const Status status = proxy_get_property(path.data(), path.size(), &data, &size);
  if (status != Status::kOk) return status;
  return Bytes(data, size);
}

inline Result<> set_property(std::string_view path, std::string_view value) {
  return to_result(proxy_set_property(path.data(), path.size(), value.data(), value.size()));
}

}  // namespace inlay::sdk
