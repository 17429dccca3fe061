// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstdio>
#include <map>

#include "inspect/printable.h"
#include "inspect/report.h"

namespace inlay::inspect {
namespace {

constexpr size_t kWidth = 100;
constexpr size_t kLabel = 17;  // where a row's text begins

// Characters, not bytes, of valid UTF-8.
size_t columns(std::string_view text) {
  return static_cast<size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

std::string padded(std::string text, size_t width) {
  const size_t there = columns(text);
  return there < width ? text.append(width - there, ' ') : text;
}

std::string right(const std::string& text, size_t width) {
  return std::string(width > text.size() ? width - text.size() : 0, ' ') + text;
}

std::string shortened(std::string text, size_t width) {
  if (columns(text) <= width) return text;
  while (columns(text) > width - 3) text.pop_back();
  while (!text.empty() && columns(text + "x") == columns(text)) text.pop_back();
  return text + "...";
}

std::string share(size_t part, size_t whole) {
  char text[16];
  std::snprintf(text, sizeof text, "%5.1f %%",
                whole == 0 ? 0.0 : 100.0 * static_cast<double>(part) / static_cast<double>(whole));
  return text;
}

// Page collects lines.
class Page {
 public:
  void line(std::string_view text) { text_.append(text).append("\n"); }
  void title(std::string_view text) { line(std::string("\n").append(text)); }
  // A label and text, which goes on under itself where it does not fit.
  void row(std::string_view label, std::string_view text) {
    wrap(padded("  " + std::string(label) + " ", kLabel), std::string(kLabel, ' '), text);
  }
  // Breaks `text` at spaces.
  void wrap(std::string first, const std::string& next, std::string_view text) {
    std::vector<std::string> words;
    while (!text.empty()) {
      const size_t end = std::min(text.find(' '), text.size());
      words.emplace_back(text.substr(0, end));
      text.remove_prefix(std::min(end + 1, text.size()));
    }
    wrap(std::move(first), next, words);
  }
  void wrap(std::string current, const std::string& next, const std::vector<std::string>& words) {
    bool empty = true;
    for (const std::string& word : words) {
      if (!empty && columns(current) + 1 + columns(word) > kWidth) {
        line(current);
        current = next;
        empty = true;
      }
      current.append(empty ? "" : " ").append(word);
      empty = false;
    }
    line(current);
  }
  std::string take() { return std::move(text_); }

 private:
  std::string text_;
};

template <class Range, class Name>
std::string joined(const Range& range, Name&& name, std::string_view separator = ", ") {
  std::string text;
  for (const auto& item : range) text.append(text.empty() ? "" : separator).append(name(item));
  return text;
}

std::string joined(const std::vector<std::string>& names) {
  return joined(names, [](const std::string& name) { return printable(name); });
}

void write_verdict(Page& page, const Report& report) {
  const Facts& facts = report.facts;
  page.line(printable(report.file));
  if (!report.image.empty()) page.line("  in the image " + report.image);
  page.line("  " + grouped(facts.size) + " bytes, sha256 " + facts.sha256);
  const std::string what =
      facts.abi_version.empty() ? "not a proxy-wasm module" : "a proxy-wasm module of ABI " + facts.abi_version;
  page.line("  " + what + (facts.runs() ? "; it runs here" : "; it cannot run here:"));
  for (const std::string& fault : facts.faults) page.wrap("    - ", "      ", printable(fault));
}

std::string pages(uint64_t count) {
  constexpr uint64_t kKibPerPage = 64;
  return grouped(count) + (count == 1 ? " page (" : " pages (") + grouped(count * kKibPerPage) + " KiB)";
}

std::string size_range(const std::string& initial, const std::string& maximum) {
  return initial + " at first, " + (maximum.empty() ? "no maximum" : "at most " + maximum);
}

void write_state(Page& page, const Layout& layout) {
  for (const Memory& memory : layout.memories) {
    page.row("memory",
             size_range(pages(memory.initial_pages), memory.maximum_pages ? pages(*memory.maximum_pages) : "") +
                 (memory.imported ? "; imported" : ""));
  }
  for (const Table& table : layout.tables) {
    page.row("table",
             size_range(grouped(table.initial) + " of " + table.type, table.maximum ? grouped(*table.maximum) : "") +
                 (table.imported ? "; imported" : ""));
  }
  const Globals& globals = layout.globals;
  page.row("globals", grouped(globals.imported + globals.defined) + ", of which " + grouped(globals.mutable_ones) +
                          " mutable and " + grouped(globals.imported) + " imported");
  page.row("data", grouped(layout.data.bytes) + " bytes in " + grouped(layout.data.segments) +
                       (layout.data.segments == 1 ? " segment" : " segments") +
                       (layout.data.lowest_address ? ", from address " + grouped(*layout.data.lowest_address) : ""));
}

void write_module(Page& page, const Facts& facts) {
  const Layout& layout = facts.layout;
  page.title("Module");
  const std::string start = layout.start ? "start section (function " + std::to_string(*layout.start) + ")" : "";
  const std::string entry = joined(
      facts.entry, [](const std::string& name) { return name; }, ", then ");
  page.row("entry point", start + (!start.empty() && !entry.empty() ? ", then " : "") + entry +
                              (start.empty() && entry.empty() ? "none" : ""));
  page.row("allocator", facts.allocator.empty() ? "none" : facts.allocator);
  page.row("engine",
           facts.not_for_aot.empty() ? "compiled ahead of time" : "interpreted only: " + printable(facts.not_for_aot));
  std::string features;
  for (const FeatureInfo& info : kFeatures) {
    if (layout.features.has(info.feature)) features.append(features.empty() ? "" : ", ").append(info.name);
  }
  page.row("features", features.empty() ? "none beyond WebAssembly 1.0" : features);
  write_state(page, layout);
  page.row("functions", grouped(layout.bodies.size()) + " defined, " + grouped(facts.code_size) + " bytes; " +
                            grouped(layout.imported_functions) + " imported");
  page.row("made by",
           layout.producers.empty()
               ? "unknown: it has no producers section"
               : joined(layout.producers, [](const Producer& producer) {
                   return printable(producer.name + (producer.version.empty() ? "" : " ") + producer.version);
                 }));
  if (!layout.broken.empty()) page.row("unreadable", "custom sections " + joined(layout.broken));
}

using Groups = std::vector<std::pair<std::string, std::vector<std::string>>>;

void add_to(Groups& groups, const std::string& group, const std::string& name) {
  const auto found = std::find_if(groups.begin(), groups.end(), [&](const auto& g) { return g.first == group; });
  if (found == groups.end())
    groups.push_back({group, {name}});
  else
    found->second.push_back(name);
}

void write_groups(Page& page, const Groups& groups) {
  for (const auto& [group, names] : groups) page.row(group, joined(names));
}

void write_flagged(Page& page, std::string_view what, const std::vector<std::string>& names) {
  if (!names.empty()) page.wrap("  ! ", "    ", std::string(what) + ": " + joined(names));
}

void write_callbacks(Page& page, const Facts& facts) {
  Groups groups;
  std::vector<std::string> idle;
  for (const ExportedCallback& callback : facts.callbacks) {
    add_to(groups, callback.family, callback.name);
    if (!callback.called) idle.push_back(callback.name);
  }
  page.title("Callbacks that it exports (" + std::to_string(facts.callbacks.size()) + ")");
  write_groups(page, groups);
  write_flagged(page, "not called by this host", idle);
  write_flagged(page, "no callback of any known ABI", facts.unknown_exports);
  if (!facts.other_exports.empty()) page.row("other exports", joined(facts.other_exports));
}

void write_host_functions(Page& page, const Facts& facts) {
  Groups groups;
  std::map<host::Support, std::vector<std::string>> by_support;
  for (const UsedFunction& function : facts.functions) {
    if (function.support != host::Support::kAbsent) add_to(groups, function.family, function.name);
    by_support[function.support].push_back(
        function.support == host::Support::kAbsent ? function.module + "." + function.name : function.name);
  }
  page.title("Host functions that it imports (" + std::to_string(facts.functions.size()) + ")");
  write_groups(page, groups);
  write_flagged(page, "this host answers ENOSYS to", by_support[host::Support::kNosys]);
  write_flagged(page, "no host function", by_support[host::Support::kAbsent]);
}

void write_sections(Page& page, const Facts& facts) {
  constexpr size_t kName = 40;
  page.title(padded("Sections", kName + 2) + "    offset       bytes    share");
  for (const Section& section : facts.layout.sections) {
    char offset[16];
    std::snprintf(offset, sizeof offset, "0x%zx", section.offset);
    const std::string name = (section.id == kCustomSection ? "custom " : "") + printable(section.name);
    page.line("  " + padded(shortened(name, kName), kName) + right(offset, 10) + right(grouped(section.size), 12) +
              "  " + share(section.size, facts.size));
  }
}

void write_functions(Page& page, const Facts& facts, size_t count) {
  constexpr size_t kName = 68;
  count = std::min(count, facts.largest.size());
  if (count == 0) return;
  page.title(padded("Largest functions (" + std::to_string(count) + " of " + std::to_string(facts.largest.size()) + ")",
                    kName + 2) +
             "       bytes    share");
  for (size_t i = 0; i < count; ++i) {
    const NamedFunction& function = facts.largest[i];
    const std::string name =
        function.name.empty() ? "function " + std::to_string(function.index) : printable(function.name);
    page.line("  " + padded(shortened(name, kName), kName) + right(grouped(function.size), 12) + "  " +
              share(function.size, facts.size));
  }
}

std::string saving(size_t before, size_t after) {
  if (after >= before) return "nothing";
  std::string percent = share(before - after, before);
  percent.erase(0, percent.find_first_not_of(' '));
  return grouped(before - after) + " bytes (" + percent + "): " + grouped(after) + " are left";
}

void write_strip(Page& page, const Facts& facts) {
  const StripSavings& strip = facts.strip;
  const std::pair<const char*, size_t> parts[] = {{"names", strip.names},
                                                  {"debug", strip.debug},
                                                  {"producers", strip.producers},
                                                  {"target features", strip.target_features},
                                                  {"others", strip.other}};
  std::string detail;
  for (const auto& [name, size] : parts) {
    if (size != 0) detail += (detail.empty() ? "; " : ", ") + std::string(name) + " " + grouped(size);
  }
  page.row("strip", saving(facts.size, facts.size - strip.total()) + detail);
}

void write_savings(Page& page, const Report& report) {
  page.title("What could be saved");
  write_strip(page, report.facts);
  if (!report.wasm_opt) return;
  const WasmOpt& run = *report.wasm_opt;
  const std::string flags = joined(
      run.flags, [](const std::string& flag) { return flag; }, " ");
  switch (run.outcome) {
    case WasmOpt::Outcome::kSkipped:
      return page.row("wasm-opt", "skipped: " + run.reason);
    case WasmOpt::Outcome::kFailed:
      return page.row("wasm-opt", "unknown: " + run.reason + "; " + flags);
    case WasmOpt::Outcome::kRan:
      return page.row("wasm-opt", saving(report.facts.size, run.size) + "; strip included, by wasm-opt " + flags);
  }
}

// As YAML that can be pasted into an envoy.yaml; the flow style may be broken anywhere.
void write_capabilities(Page& page, const Facts& facts) {
  page.title("Capabilities, for a plugin's capability_restriction_config");
  std::vector<std::string> entries;
  for (const std::string& name : facts.capabilities) entries.push_back(printable(name) + ": {},");
  if (entries.empty()) entries.emplace_back(",");
  entries.back().back() = '}';
  page.wrap("  allowed_capabilities: {", "    ", entries);
}

}  // namespace

std::string to_text(const Report& report) {
  Page page;
  write_verdict(page, report);
  write_module(page, report.facts);
  write_callbacks(page, report.facts);
  write_host_functions(page, report.facts);
  write_sections(page, report.facts);
  write_functions(page, report.facts, report.functions);
  write_savings(page, report);
  write_capabilities(page, report.facts);
  return page.take();
}

}  // namespace inlay::inspect
