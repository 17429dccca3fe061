// SPDX-License-Identifier: Apache-2.0
// Test files in Google's format: any text is one, or has mistakes, each with its place.
#include <cstdlib>
#include <string>
#include <string_view>

#include "tester/textpb/inputs.h"
#include "tester/textpb/suite_file.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace inlay::tester::textpb;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  // What begins as YAML does is read as that.
  const std::string path =
      text.starts_with("test:") || text.starts_with("env:") || text.starts_with("{") ? "x.yaml" : "x.textpb";
  const auto suite = read_suite(text, path);
  if (!suite) {
    if (!suite.error().where.starts_with(path + ":") || suite.error().message.empty()) std::abort();
    return 0;
  }
  for (const PhaseTest& test : suite->tests) {
    if (test.name.empty()) std::abort();
    for (const Invocation& body : test.request_body) (void)in_chunks(body.input.content, test);
    if (test.request_headers) (void)parse_headers(test.request_headers->input.content, true);
  }
  return 0;
}
