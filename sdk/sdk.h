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
// A guest has one thread: nothing in the SDK may be used from another, and nothing needs a lock. Without memory a guest
// ends, and its host applies the plugin's failure policy, unless a function's comment says otherwise.
//
// Each header says what it is for, with an example that compiles (tests/test_sdk_examples.py); the guide is
// docs/guide/sdk.md. All is in namespace inlay::sdk; what is in its namespace detail, or has a name that ends in an
// underscore, may change without notice.

#include "sdk/buffer.h"        // IWYU pragma: export
#include "sdk/bytes.h"         // IWYU pragma: export
#include "sdk/clock.h"         // IWYU pragma: export
#include "sdk/context.h"       // IWYU pragma: export
#include "sdk/environment.h"   // IWYU pragma: export
#include "sdk/event.h"         // IWYU pragma: export
#include "sdk/foreign.h"       // IWYU pragma: export
#include "sdk/grpc_call.h"     // IWYU pragma: export
#include "sdk/grpc_stream.h"   // IWYU pragma: export
#include "sdk/headers.h"       // IWYU pragma: export
#include "sdk/http_call.h"     // IWYU pragma: export
#include "sdk/local_reply.h"   // IWYU pragma: export
#include "sdk/log.h"           // IWYU pragma: export
#include "sdk/metrics.h"       // IWYU pragma: export
#include "sdk/properties.h"    // IWYU pragma: export
#include "sdk/property.h"      // IWYU pragma: export
#include "sdk/random.h"        // IWYU pragma: export
#include "sdk/register.h"      // IWYU pragma: export
#include "sdk/shared_data.h"   // IWYU pragma: export
#include "sdk/shared_queue.h"  // IWYU pragma: export
#include "sdk/task.h"          // IWYU pragma: export
