// SPDX-License-Identifier: Apache-2.0
// A case's file, whatever is in it: it is read, or it is an error with its place. What was read is written as it was.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "tester/case.h"
#include "tester/expected.h"

using namespace inlay;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  // What includes files would read those of the machine.
  if (text.find("include") != std::string_view::npos) return 0;
  for (const tester::Dialect dialect : {tester::Dialect::kFilters, tester::Dialect::kConformance}) {
    const auto cases = tester::parse_file("fuzz/one.case", text, dialect);
    if (!cases) {
      if (cases.error().message.empty() || !cases.error().where.starts_with("fuzz/one.case")) std::abort();
      continue;
    }
    if (cases->empty()) std::abort();
    for (const tester::Case& c : *cases) {
      if (c.upstream("origin") == nullptr || !c.input.starts_with(tester::input_of(text))) std::abort();
      for (const tester::Step& step : c.steps) {
        if (!step.actor.empty() && !step.of_client && c.upstream(step.actor) == nullptr) std::abort();
      }
    }
  }
  return 0;
}
