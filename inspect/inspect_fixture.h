// SPDX-License-Identifier: Apache-2.0
#pragma once

// What this room's tests share: modules from text, with custom sections put behind them.

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/wat.h"

namespace inlay::inspect {

inline std::vector<uint8_t> wasm(std::string_view text) {
  auto bytes = compiler::wat_to_wasm(text);
  EXPECT_TRUE(bytes) << bytes.error().to_string();
  return bytes ? *std::move(bytes) : std::vector<uint8_t>{};
}

// The bytes of a string literal, its NULs included.
template <size_t N>
std::vector<uint8_t> raw(const char (&text)[N]) {
  return {text, text + N - 1};
}

// A size or a name of up to 127 bytes takes one byte for its length.
inline void append_text(std::vector<uint8_t>& out, std::string_view text) {
  out.push_back(static_cast<uint8_t>(text.size()));
  out.insert(out.end(), text.begin(), text.end());
}

inline std::vector<uint8_t> with_custom(std::vector<uint8_t> module, std::string_view name, std::string_view content) {
  std::vector<uint8_t> section;
  append_text(section, name);
  section.insert(section.end(), content.begin(), content.end());
  module.push_back(0);
  append_text(module, {reinterpret_cast<const char*>(section.data()), section.size()});
  return module;
}

// A proxy-wasm module that does little.
inline constexpr std::string_view kSmallProxy = R"((module
  (import "env" "proxy_log" (func $log (param i32 i32 i32) (result i32)))
  (import "env" "proxy_grpc_cancel" (func (param i32) (result i32)))
  (import "wasi_snapshot_preview1" "sock_shutdown" (func (param i32 i32) (result i32)))
  (memory (export "memory") 2 16)
  (table 3 3 funcref)
  (global $g (mut i32) (i32.const 1))
  (func (export "proxy_abi_version_0_2_1"))
  (func (export "_initialize"))
  (func (export "malloc") (param i32) (result i32) (i32.const 1024))
  (func (export "proxy_on_configure") (param i32 i32) (result i32)
    (drop (call $log (i32.const 2) (i32.const 2048) (i32.const 5)))
    (global.set $g (i32.const 2))
    (i32.const 1))
  (func (export "proxy_on_grpc_close") (param i32 i32 i32))
  (func (export "proxy_on_nothing_known"))
  (func (export "helper"))
  (data (i32.const 2048) "hello")))";

}  // namespace inlay::inspect
