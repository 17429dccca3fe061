// SPDX-License-Identifier: Apache-2.0
// Any bytes: the reader on its own, and for what is valid the whole report.
#include <rapidjson/document.h>

#include <cstdlib>

#include "inspect/report.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace inlay::inspect;
  const auto layout = read_layout({data, size});
  if (layout) {
    size_t end = 8;
    for (const Section& section : layout->sections) {
      if (section.offset != end) std::abort();
      end += section.size;
    }
    if (end != size) std::abort();
  }
  Report report;
  report.file = "fuzz.wasm";
  auto facts = examine({data, size});
  if (!facts) return 0;
  report.facts = *std::move(facts);
  if (to_text(report).empty()) std::abort();
  rapidjson::Document document;
  if (document.Parse<rapidjson::kParseValidateEncodingFlag>(to_json(report).c_str()).HasParseError()) std::abort();
  return 0;
}
