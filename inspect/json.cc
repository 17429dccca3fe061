// SPDX-License-Identifier: Apache-2.0
#include <rapidjson/prettywriter.h>

#include <algorithm>

#include "inspect/json_writer.h"
#include "inspect/report.h"

namespace inlay::inspect {
namespace {

constexpr int kFormat = 1;

class Json : public JsonWriter<rapidjson::PrettyWriter<rapidjson::StringBuffer>> {
 public:
  Json() { writer().SetIndent(' ', 1); }
};

std::string_view support_name(host::Support support) {
  static constexpr std::string_view kNames[] = {"full", "enosys", "unknown"};
  return kNames[static_cast<size_t>(support)];
}

void write_interface(Json& json, const Facts& facts) {
  json.list("callbacks", facts.callbacks, [&](const ExportedCallback& callback) {
    json.open();
    json.text("name", callback.name);
    json.text("type", callback.type);
    json.text("group", callback.family);
    json.flag("called", callback.called);
    json.close();
  });
  json.texts("unknown_exports", facts.unknown_exports);
  json.texts("other_exports", facts.other_exports);
  json.list("host_functions", facts.functions, [&](const UsedFunction& function) {
    json.open();
    json.text("module", function.module);
    json.text("name", function.name);
    json.text("type", function.type);
    json.text("group", function.family);
    json.text("support", support_name(function.support));
    json.close();
  });
  json.texts("allowed_capabilities", facts.capabilities);
}

void write_memories(Json& json, const Layout& layout) {
  json.list("memories", layout.memories, [&](const Memory& memory) {
    json.open();
    json.flag("imported", memory.imported);
    json.number("initial_pages", memory.initial_pages);
    json.number_or_null("maximum_pages", memory.maximum_pages);
    json.close();
  });
  json.list("tables", layout.tables, [&](const Table& table) {
    json.open();
    json.flag("imported", table.imported);
    json.text("type", table.type);
    json.number("initial", table.initial);
    json.number_or_null("maximum", table.maximum);
    json.close();
  });
  json.open("globals");
  json.number("imported", layout.globals.imported);
  json.number("defined", layout.globals.defined);
  json.number("mutable", layout.globals.mutable_ones);
  json.close();
  json.open("data");
  json.number("segments", layout.data.segments);
  json.number("bytes", layout.data.bytes);
  json.number_or_null("lowest_address", layout.data.lowest_address);
  json.close();
}

void write_sections(Json& json, const Layout& layout) {
  json.list("sections", layout.sections, [&](const Section& section) {
    json.open();
    json.number("id", section.id);
    json.text("name", section.name);
    json.number("offset", section.offset);
    json.number("size", section.size);
    json.close();
  });
  json.texts("broken_sections", layout.broken);
  json.list("producers", layout.producers, [&](const Producer& producer) {
    json.open();
    json.text("field", producer.field);
    json.text("name", producer.name);
    json.text("version", producer.version);
    json.close();
  });
}

void write_functions(Json& json, const Facts& facts, size_t count) {
  json.open("functions");
  json.number("imported", facts.layout.imported_functions);
  json.number("defined", facts.layout.bodies.size());
  json.number("code_size", facts.code_size);
  const std::span shown(facts.largest.data(), std::min(count, facts.largest.size()));
  json.list("largest", shown, [&](const NamedFunction& function) {
    json.open();
    json.number("index", function.index);
    json.text_or_null("name", function.name);
    json.number("size", function.size);
    json.close();
  });
  json.close();
}

void write_savings(Json& json, const Report& report) {
  const StripSavings& strip = report.facts.strip;
  json.open("strip");
  json.number("names", strip.names);
  json.number("debug", strip.debug);
  json.number("producers", strip.producers);
  json.number("target_features", strip.target_features);
  json.number("other", strip.other);
  json.number("total", strip.total());
  json.close();
  if (!report.wasm_opt) return;
  static constexpr std::string_view kOutcomes[] = {"ran", "skipped", "failed"};
  const WasmOpt& run = *report.wasm_opt;
  json.open("wasm_opt");
  json.text("outcome", kOutcomes[static_cast<size_t>(run.outcome)]);
  json.text_or_null("reason", run.reason);
  json.texts("flags", run.flags);
  if (run.outcome == WasmOpt::Outcome::kRan) json.number("size", run.size);
  json.close();
}

}  // namespace

std::string to_json(const Report& report) {
  const Facts& facts = report.facts;
  Json json;
  json.open();
  json.number("format", kFormat);
  json.text("file", report.file);
  json.text_or_null("image", report.image);
  json.number("size", facts.size);
  json.text("sha256", facts.sha256);
  json.open("proxy_wasm");
  json.text_or_null("abi_version", facts.abi_version);
  json.flag("runs", facts.runs());
  json.texts("faults", facts.faults);
  json.close();
  json.texts("entry_points", facts.entry);
  json.number_or_null("start_function", facts.layout.start);
  json.text_or_null("allocator", facts.allocator);
  json.open("aot");
  json.flag("possible", facts.not_for_aot.empty());
  json.text_or_null("reason", facts.not_for_aot);
  json.close();
  json.list("features", kFeatures, [&](const FeatureInfo& info) {
    if (facts.layout.features.has(info.feature)) json.text(nullptr, info.name);
  });
  json.texts("target_features", facts.layout.target_features);
  write_interface(json, facts);
  write_memories(json, facts.layout);
  write_functions(json, facts, report.functions);
  write_sections(json, facts.layout);
  write_savings(json, report);
  json.close();
  return json.take() + "\n";
}

}  // namespace inlay::inspect
