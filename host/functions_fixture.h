// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the tests of single host functions share: a guest logs what a function returned, and story() is what it logged.

#include <string>
#include <vector>

#include "abi/pairs.h"
#include "base/ascii.h"
#include "testkit/guest_fixture.h"

namespace inlay::host {
using namespace testkit;  // NOLINT: tests only

inline const HeaderList kRequest = {{":method", "GET"}, {":path", "/"}};

// proxy_on_request_headers that does `body` and continues.
inline std::string on_request_headers(const std::string& body) {
  return "(func (export \"proxy_on_request_headers\") (param i32 i32 i32) (result i32)" + body + " (i32.const 0))";
}

// Pairs in the wire form, as the text of a (data) segment; `size` is how many bytes that is.
struct PairsText {
  std::string text;
  size_t size = 0;
};
inline PairsText pairs_text(const HeaderList& list) {
  std::vector<abi::Pair> pairs;
  for (const auto& [name, value] : list) pairs.push_back({name, value});
  std::string bytes(abi::pairs_size(pairs), '\0');
  abi::write_pairs(pairs, bytes.data());
  PairsText data{"", bytes.size()};
  for (const char c : bytes) append_hex(data.text += '\\', c);
  return data;
}

// The lines logged since the last time, without their prefix, joined by spaces.
inline std::string story(TestProxy& proxy) {
  std::string text;
  for (const auto& line : proxy.log().lines())
    if (line.text.starts_with("wasm log"))
      text += (text.empty() ? "" : " ") + line.text.substr(line.text.find(": ") + 2);
  proxy.log().clear();
  return text;
}

}  // namespace inlay::host
