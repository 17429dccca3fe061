// SPDX-License-Identifier: Apache-2.0
#pragma once

// The VM's environment variables (vm_config.environment_variables), by way of WASI, which a module imports only if it
// calls read_environment. They are the same for as long as the VM lives.
//
//     const Bytes variables = read_environment();
//     for (std::string_view rest = variables.view(); !rest.empty();) {
//       const std::string_view variable = rest.substr(0, rest.find('\0'));
//       if (variable.starts_with("REGION=")) log_info("region ", variable.substr(7));
//       rest.remove_prefix(variable.size() + 1);
//     }

#include <cstdlib>

#include "sdk/bytes.h"

#ifdef __wasm__
#define INLAY_WASI_(name) __attribute__((import_module("wasi_snapshot_preview1"), import_name(#name)))
#else
#define INLAY_WASI_(name)
#endif

extern "C" {
INLAY_WASI_(environ_sizes_get) uint32_t inlay_environ_sizes_get(size_t* count, size_t* size);
INLAY_WASI_(environ_get) uint32_t inlay_environ_get(char** entries, char* buffer);
}

#undef INLAY_WASI_

namespace inlay::sdk {

// read_environment: all variables, "NAME=value", each ended by a NUL, in the host's order. Empty if the VM has none, if
// the host does not let the plugin have them, or if there is no memory. Best called once, in on_configure.
inline Bytes read_environment() {
  size_t count = 0;
  size_t size = 0;
  if (inlay_environ_sizes_get(&count, &size) != 0 || size == 0) return {};
  Bytes text = Bytes::allocate(size);
  char** const entries = static_cast<char**>(std::calloc(count, sizeof(char*)));
  if (text.data() == nullptr || entries == nullptr || inlay_environ_get(entries, text.data()) != 0) text = {};
  std::free(entries);
  return text;
}

}  // namespace inlay::sdk
