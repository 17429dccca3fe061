// SPDX-License-Identifier: Apache-2.0
// libFuzzer entry: any bytes as a bootstrap, YAML or JSON. Files and the environment are out of reach.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "config/load.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace inlay::config;
  if (size == 0) return 0;
  LoadOptions options;
  options.allow_unknown_static_fields = (data[0] & 1) != 0;
  options.base_dir = "/nonexistent";
  options.environment = [](const std::string&) { return std::optional<std::string>(); };
  const char* name = (data[0] & 2) != 0 ? "fuzz.json" : "fuzz.yaml";
  inlay::document::Diagnostics diagnostics;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  auto bootstrap = load_text(text, name, options, diagnostics);
  if (static_cast<bool>(bootstrap) != (diagnostics.errors() == 0)) std::abort();
  if (bootstrap && bootstrap->redacted_json.empty()) std::abort();
  return 0;
}
