// SPDX-License-Identifier: Apache-2.0
#include "filters/header_augmenting/config.h"

#include "filters/header_augmenting/compile.h"
#include "filters/header_augmenting/config_reader.h"
#include "filters/header_augmenting/texts.h"
#include "sdk/text.h"

namespace inlay::header_augmenting {

bool parse_config(std::string_view text, std::string_view environment, Config& config) {
  Report report;
  const Place top;
  Json& json = config.text;
  if (!json.parse(trim(text).empty() ? "{}" : text)) {
    size_t line = 1;
    size_t column = 1;
    for (const char c : text.substr(0, json.error_at())) {
      ++column;
      if (c != '\n') continue;
      ++line;
      column = 1;
    }
    sdk::Line found;
    found.add("no valid JSON (line ").add(line).add(", column ").add(column).add(")");
    report.add(top, found.view(), "a JSON object");
    return false;
  }
  const Json::Node& root = json.root();
  if (root.type != Json::Type::kObject) {
    report.add(top, Json::type_name(root.type), "a JSON object");
    return false;
  }
  ConfigReader reader(json, environment, config.arena, report);
  ConfigValues& values = config;
  const uint32_t seen = reader.object(top, root, kConfigSchema, reinterpret_cast<char*>(&values));
  const bool flat = (seen & ((1u << kFlatKeys) - 1)) != 0;
  if (flat && (seen >> kSourcesKey & 1) != 0)
    report.add({&top, "sources"}, "an array beside keys of the short form", "one or the other");
  compile(config, report);
  return report.empty();
}

}  // namespace inlay::header_augmenting
