// SPDX-License-Identifier: Apache-2.0
// Any text as a values file. What is accepted is rendered for every target, and must pass the checks that rendering
// ends with: whatever a value holds, the file it stands in says the same.
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "deploy/render/check.h"
#include "deploy/render/write.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace inlay::deploy;
  Diagnostics diagnostics;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto values = read_values_text(text, "fuzz.yaml", "/nonexistent", diagnostics);
  if (!values) return 0;
  for (const Target& target : targets()) {
    inlay::config::Reporter report("fuzz.yaml", diagnostics);
    auto rendering = target.render(*values, report);
    if (!rendering) {
      if (rendering.error().code == inlay::ErrorCode::kInternal) std::abort();
      continue;
    }
    add_made_by(*rendering, target.name, values->file);
    const auto checked = check_rendering(target.name, *rendering, *values);
    if (!checked) {
      std::fprintf(stderr, "%s\n", checked.error().to_string().c_str());
      std::abort();
    }
  }
  return 0;
}
