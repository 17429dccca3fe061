// SPDX-License-Identifier: Apache-2.0
#pragma once

// Properties: what the host knows about the request, the connection, the plugin (Envoy's "attributes"). Those that
// every filter asks for have names and types in sdk/properties.h:
//
//     if (auto code = properties::response_code.get(); code && *code >= 500) log_warn("failed with ", *code);
//
// Any other has a path, its parts with a NUL between each two, and the type that the host's documentation gives it:
//
//     using std::string_view_literals::operator""sv;
//     constexpr Property<Bytes> kTeam("xds\0node\0metadata\0team"sv);
//     if (auto team = kTeam.get()) log_info("of ", team->view());
//     (void)set_property("my_filter_saw", "yes");
//
// What set_property stores, others read under that name, and as "filter_state" with "wasm." before it. Property values
// that come from a client (its headers, its certificate's names) are input: check them.

#include <chrono>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <type_traits>

#include "sdk/bytes.h"
#include "sdk/host_functions.h"

namespace inlay::sdk {

// get_property: a copy of the value, as the host encodes it (docs/reference/properties.md, the first table). Those of
// the plugin can be read anywhere; those of a request or connection in its callbacks and tasks. kNotFound if there is
// none, or none yet; kSerializationFailure for a path that ends at a group, like "request".
inline Result<Bytes> get_property(std::string_view path) {
  char* data = nullptr;
  size_t size = 0;
  const Status status = proxy_get_property(path.data(), path.size(), &data, &size);
  if (status != Status::kOk) return status;
  return Bytes(data, size);
}

// set_property: stores a value for the rest of the stream (or longer: declare_property), for this filter and the others
// that come after it. kNotFound outside of a stream; kBadArgument for one that was declared read-only and is set
// already, and for a path above 8 KiB; kInternalFailure when the stream has too many (in Inlay 256, or 1 MiB).
inline Result<> set_property(std::string_view path, std::string_view value) {
  return to_result(proxy_set_property(path.data(), path.size(), value.data(), value.size()));
}

// Property is a path and the type of its value. T is Bytes (a string as it is; maps and messages in their encoding),
// int64_t, double, bool, or std::chrono::nanoseconds (a length of time, or a time since 1970).
template <class T>
class Property {
 public:
  constexpr explicit Property(std::string_view path) : path_(path) {}
  constexpr std::string_view path() const { return path_; }

  // get: a copy. Errors: the host's, kNotFound among them; kParseFailure if the value is not as long as a T.
  Result<T> get() const {
    auto bytes = get_property(path_);
    if constexpr (std::is_same_v<T, Bytes>) {
      return bytes;
    } else {
      if (!bytes) return bytes.error();
      return decode(bytes->view());
    }
  }

 private:
  static Result<T> decode(std::string_view bytes) {
    if constexpr (std::is_same_v<T, bool>) {
      if (bytes.size() != 1) return Status::kParseFailure;
      return bytes[0] != 0;
    } else if constexpr (std::is_same_v<T, std::chrono::nanoseconds>) {
      const Result<int64_t> count = Property<int64_t>::decode(bytes);
      if (!count) return count.error();
      return std::chrono::nanoseconds(*count);
    } else {
      static_assert(std::is_same_v<T, int64_t> || std::is_same_v<T, double>, "no type of a property");
      if (bytes.size() != sizeof(T)) return Status::kParseFailure;
      T value;
      std::memcpy(&value, bytes.data(), sizeof(T));  // little-endian, as WebAssembly and all that we build on
      return value;
    }
  }

  template <class>
  friend class Property;
  std::string_view path_;
};

}  // namespace inlay::sdk
