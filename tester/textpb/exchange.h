// SPDX-License-Identifier: Apache-2.0
#pragma once

// A test of suite_file.h with a proxy around the plugin: as the case that has the same of a client and an upstream, for
// worlds that know no single callbacks.
//
//     const auto c = exchange_of(suite, test, {"build/auth.wasm", configuration});
//     if (!c) std::cout << c.error().message;   // why there is no such case

#include <string>

#include "base/result.h"
#include "tester/case.h"
#include "tester/textpb/suite_file.h"

namespace inlay::tester::textpb {

struct PluginFile {
  std::string module;  // the path of a .wasm
  std::string configuration;
};

// What request phases have as input a client sends, and what response phases have the upstream answers; what a phase
// must have come to is expected of what arrives at the other end, and log lines of any phase of the whole stream's. The
// first request line or status that a test does not say is `GET /`, `POST /` with a body, and 200. gRPC statuses and
// details of immediate responses are not looked at: no client gets them.
//
// Errors: kUnsupported with the reason for a test that means something else, or nothing, around a proxy; kNotFound and
// kIo of files that it names, kInvalidArgument of what is in them.
Result<Case> exchange_of(const TestSuite& suite, const PhaseTest& test, const PluginFile& plugin);

}  // namespace inlay::tester::textpb
