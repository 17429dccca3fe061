// SPDX-License-Identifier: Apache-2.0
#pragma once

// The guest SDK: everything that a proxy-wasm filter needs, header-only, without exceptions, RTTI or WASI imports.
// It compiles to WebAssembly (cmake/AddFilter.cmake) and natively, against sdk/testing/fake_host.h, for tests.
//
//     using namespace inlay::sdk;
//
//     class Hello : public HttpContext {
//      public:
//       HeadersStatus on_request_headers(size_t, bool) override {
//         if (!request_headers().set("x-hello", "world")) log_warn("the host does not take x-hello");
//         return HeadersStatus::kContinue;
//       }
//     };
//     INLAY_REGISTER("*", RootContext, Hello);
//
// What may fail gives a Result, which has to be looked at; a (void) before it says that the failure does not matter.
// tests/test_sdk_examples.py compiles the examples in these comments, and in docs/guide.

#include "sdk/buffer.h"        // IWYU pragma: export
#include "sdk/bytes.h"         // IWYU pragma: export
#include "sdk/clock.h"         // IWYU pragma: export
#include "sdk/context.h"       // IWYU pragma: export
#include "sdk/environment.h"   // IWYU pragma: export
#include "sdk/event.h"         // IWYU pragma: export
#include "sdk/foreign.h"       // IWYU pragma: export
#include "sdk/headers.h"       // IWYU pragma: export
#include "sdk/http_call.h"     // IWYU pragma: export
#include "sdk/local_reply.h"   // IWYU pragma: export
#include "sdk/log.h"           // IWYU pragma: export
#include "sdk/metrics.h"       // IWYU pragma: export
#include "sdk/properties.h"    // IWYU pragma: export
#include "sdk/property.h"      // IWYU pragma: export
#include "sdk/register.h"      // IWYU pragma: export
#include "sdk/shared_data.h"   // IWYU pragma: export
#include "sdk/shared_queue.h"  // IWYU pragma: export
#include "sdk/task.h"          // IWYU pragma: export
