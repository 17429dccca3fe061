// SPDX-License-Identifier: Apache-2.0
#pragma once

// The host functions, declared from the ABI's table (abi/functions.h): imports in a WebAssembly build, plain C
// functions natively, where sdk/testing/fake_host.h defines them. An import that is not called does not appear in the
// module. Filters rarely need this file: the typed wrappers beside it cover it. What each does, and with which status
// it fails, is said in abi/functions.h. What a function allocates is the caller's: hand it to a Bytes at once.
//
//     LogLevel level = LogLevel::kInfo;  // no wrapper asks for it; ABI 0.2.1 only
//     if (proxy_get_log_level(&level) == Status::kOk && level <= LogLevel::kDebug) log_debug("all details");

#include "abi/functions.h"

#ifdef __wasm__
#define INLAY_IMPORT_(module, name) __attribute__((import_module(module), import_name(name)))
#else
#define INLAY_IMPORT_(module, name)
#endif

extern "C" {
#define INLAY_DECLARE_(name, result, params, versions) INLAY_IMPORT_("env", #name) result name params;
INLAY_ABI_PROXY_FUNCTIONS(INLAY_DECLARE_)
#undef INLAY_DECLARE_
}

#undef INLAY_IMPORT_
