// SPDX-License-Identifier: Apache-2.0
#pragma once

// Header maps: a HeaderMap names one map of the host, and costs nothing. A stream's are members of HttpContext, those
// of a call's answer members of HttpReply. Which of them can be used is a matter of the callback (proxy-wasm/spec
// v0.2.1, "HTTP fields"); outside of it, the host answers Status::kBadArgument.
//
//     (void)request_headers().set("x-tenant", "orders");        // in a member of an HttpContext
//     if (auto host = request_headers().get(":authority")) log_info("for ", host->view());

#include <cstdint>
#include <string_view>

#include "abi/pairs.h"
#include "sdk/bytes.h"
#include "sdk/host_functions.h"

namespace inlay::sdk {

using abi::MapType;
using abi::Pair;

// HeaderPairs is a copy of a whole map, in one block that it owns. Move-only. HeaderMap::pairs makes it:
//
//     if (const auto all = request_headers().pairs()) {
//       auto reader = all->reader();
//       for (Pair pair; reader.next(pair);) log_debug(pair.key, ": ", pair.value);
//     }
class HeaderPairs {
 public:
  HeaderPairs(Bytes bytes, abi::PairsReader reader) : bytes_(std::move(bytes)), reader_(reader) {}
  // reader: starts at the first pair; what it yields is valid as long as this object.
  abi::PairsReader reader() const { return reader_; }
  // size: the number of pairs.
  size_t size() const { return reader_.size(); }

 private:
  Bytes bytes_;
  abi::PairsReader reader_;
};

// HeaderMap reads and edits the host's map at once; each member is one call into the host. Names are looked up in any
// case and become lower case; values are taken as they are, so that one with a line end makes a message that hosts do
// not send. Any of them gives kBadArgument where the map is not there, or, to edit it, cannot be changed any more
// (Envoy lets it be changed without effect in some callbacks); and kInternalFailure where the host's limits are reached
// (in Inlay 1 MiB or 2048 fields).
class HeaderMap {
 public:
  constexpr explicit HeaderMap(MapType type) : type_(type) {}

  // get: a copy of the first value under `name`, which may be empty; kNotFound if there is none.
  Result<Bytes> get(std::string_view name) const {
    char* data = nullptr;
    size_t size = 0;
    const Status status = proxy_get_header_map_value(type_, name.data(), name.size(), &data, &size);
    if (status != Status::kOk) return status;
    return Bytes(data, size);
  }

  // set: makes `value` the only one under `name`.
  Result<> set(std::string_view name, std::string_view value) const {
    return to_result(proxy_replace_header_map_value(type_, name.data(), name.size(), value.data(), value.size()));
  }

  // status: ":status", of a response, as a number; 0 if there is none, or it is none.
  uint32_t status() const {
    const Result<Bytes> text = get(":status");
    if (!text || text->size() != 3) return 0;
    uint32_t number = 0;
    for (const char c : text->view()) {
      if (c < '0' || c > '9') return 0;
      number = number * 10 + static_cast<uint32_t>(c - '0');
    }
    return number;
  }

  // add: one more value under `name`.
  Result<> add(std::string_view name, std::string_view value) const {
    return to_result(proxy_add_header_map_value(type_, name.data(), name.size(), value.data(), value.size()));
  }

  // remove: every value under `name`. An absent name is no error.
  Result<> remove(std::string_view name) const {
    return to_result(proxy_remove_header_map_value(type_, name.data(), name.size()));
  }

  // pairs: a copy of the whole map, in its order; empty where the map is not there. kParseFailure if what the host
  // gives cannot be read.
  Result<HeaderPairs> pairs() const {
    char* data = nullptr;
    size_t size = 0;
    const Status status = proxy_get_header_map_pairs(type_, &data, &size);
    if (status != Status::kOk) return status;
    Bytes bytes(data, size);
    const auto reader = abi::PairsReader::open(bytes.view());
    if (!reader) return Status::kParseFailure;
    return HeaderPairs(std::move(bytes), *reader);
  }

  // set_pairs: replaces the whole map, pseudo-headers included, which have to be among them. `pairs` is a range of
  // things with .key and .value, such as a span of Pair; they are only read. kInternalFailure if there is no memory.
  template <class Range>
  Result<> set_pairs(const Range& pairs) const {
    Bytes bytes = Bytes::allocate(abi::pairs_size(pairs));
    if (bytes.data() == nullptr) return Status::kInternalFailure;
    abi::write_pairs(pairs, bytes.data());
    return to_result(proxy_set_header_map_pairs(type_, bytes.data(), bytes.size()));
  }

 private:
  MapType type_;
};

}  // namespace inlay::sdk
