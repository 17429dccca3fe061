// SPDX-License-Identifier: Apache-2.0
#pragma once

// The guest SDK: everything that a proxy-wasm filter needs, header-only, without exceptions, RTTI or WASI imports.
// It compiles to WebAssembly (cmake/WasmModule.cmake) and natively, against sdk/testing/fake_host.h, for tests.
//
//     class Hello : public inlay::sdk::HttpContext {
//      public:
//       HeadersStatus on_request_headers(size_t, bool) override {
//         inlay::sdk::request_headers().set("x-hello", "world");
//         return HeadersStatus::kContinue;
//       }
//     };
//     INLAY_REGISTER("*", inlay::sdk::RootContext, Hello);

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
#include "sdk/property.h"      // IWYU pragma: export
#include "sdk/register.h"      // IWYU pragma: export
#include "sdk/shared_data.h"   // IWYU pragma: export
#include "sdk/shared_queue.h"  // IWYU pragma: export
#include "sdk/task.h"          // IWYU pragma: export
