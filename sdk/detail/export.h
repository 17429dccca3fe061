// SPDX-License-Identifier: Apache-2.0
#pragma once

// INLAY_EXPORT_(name): makes the function that follows an export of the module under that name; nothing natively.
// A function template with it is exported where it is instantiated.
#ifdef __wasm__
#define INLAY_EXPORT_(name) __attribute__((export_name(#name)))
#else
#define INLAY_EXPORT_(name)
#endif
