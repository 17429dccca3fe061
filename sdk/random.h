// SPDX-License-Identifier: Apache-2.0
#pragma once

// Random bytes, good enough for keys, by way of WASI, which a module imports only if it calls random_bytes.
//
//     uint64_t key = 0;
//     if (!random_bytes(&key, sizeof key)) key = now_ns();  // a guess, where the host has none

#include <cstddef>
#include <cstdint>

#ifdef __wasm__
#define INLAY_WASI_(name) __attribute__((import_module("wasi_snapshot_preview1"), import_name(#name)))
#else
#define INLAY_WASI_(name)
#endif

extern "C" {
INLAY_WASI_(random_get) uint32_t inlay_random_get(char* bytes, size_t size);
}

#undef INLAY_WASI_

namespace inlay::sdk {

// random_bytes: fills `size` bytes at `bytes`; false, and they are what they were, if the host gives none (it has no
// such function for the plugin, or `size` is more than it gives at once: 64 KiB).
inline bool random_bytes(void* bytes, size_t size) {
  return inlay_random_get(static_cast<char*>(bytes), size) == 0;
}

}  // namespace inlay::sdk
