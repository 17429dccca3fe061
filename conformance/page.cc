// SPDX-License-Identifier: Apache-2.0
#include "conformance/page.h"

#include <map>

namespace inlay::conformance {
namespace {

constexpr std::string_view kBegin = R"(<!-- SPDX-License-Identifier: Apache-2.0 -->
<!-- Generated from conformance/cases and their results; `make conformance` rewrites it. -->
# Conformance

What the host and the proxy do for a guest, each as a case that runs with every build: `make conformance`. A case is one text
file: configuration, guests, what clients and upstreams do, and everything that must be seen, in order: callbacks with their
arguments and results, log lines, what the upstream got, what the client got, statistics. The same expectation holds for both
engines, and for all ways of running it:

- **in process**: the real host, HTTP codec, filter chain and wasm filter, with memory in the place of sockets and virtual time;
- **sockets**: the whole server on real sockets, in real time;
- **HTTP/2**: the same, with clients and upstreams that speak HTTP/2. Where a protocol makes a difference by nature, the case has
  both transcripts;
- **Envoy**: the real one in the server's place (`make envoy`). Where it shows something else, the table names the difference, and
  a test holds that it is this one and no other;
- **a dynamic module**: the same Envoy with Inlay in its Wasm filter's place (`make envoy_module`), held against what it does with V8.
  [dynamic_module.md](dynamic_module.md) has the result, [module_differences](../../conformance/module_differences) each case that differs.

[conformance/README.md](../../conformance/README.md) says how to read and write a case.

)";

std::string heading(const std::string& subject) {
  std::string text = subject;
  for (char& c : text) c = c == '_' ? ' ' : c;
  return text;
}

std::string heading_of(const std::string& way) {
  const bool http2 = protocol_of(way) == Protocol::kHttp2;
  return "Envoy " + std::string(version_of_way(way)) + (http2 ? ", HTTP/2" : "");
}

std::string cell(std::string text) {
  std::string out;
  for (const char c : text) {
    if (c == '|') out += '\\';
    out += c;
  }
  return out;
}

// What Envoy does otherwise: the differences, and how many cases show each.
std::string differences_table(const std::vector<Case>& cases, const Differences& differences,
                              const std::vector<std::string>& envoys) {
  std::string text = "\n## Where Envoy differs\n\n| | cases |";
  std::string agree = "| agree | |";
  std::string words = "| agree but for words of the host's log | |";
  std::string recorded = "| differ as below | |";
  std::map<std::string, std::map<std::string, size_t>> shown;
  for (const std::string& version : envoys) {
    text += " " + heading_of(version) + " |";
    size_t counts[3] = {};
    for (const Case& c : cases) {
      if (!runs_in_envoy(c, version)) continue;
      const std::vector<std::string> names = differences.of(c, version);
      const bool words_only = only_words(names) && c.expected_in_envoy(version) == nullptr;
      ++counts[names.empty() ? 0 : words_only ? 1 : 2];
      for (const std::string& name : names) ++shown[name][version];
    }
    agree += " " + std::to_string(counts[0]) + " |";
    words += " " + std::to_string(counts[1]) + " |";
    recorded += " " + std::to_string(counts[2]) + " |";
  }
  text += "\n| --- | --- |";
  for (size_t i = 0; i < envoys.size(); ++i) text += " --- |";
  text += "\n" + agree + "\n" + words + "\n" + recorded + "\n";
  for (const Difference& one : differences.all()) {
    text += "| " + one.name + " | " + cell(one.why) + " ([" + one.page + "](../../" + one.page + ")) |";
    for (const std::string& version : envoys) text += " " + std::to_string(shown[one.name][version]) + " |";
    text += "\n";
  }
  return text;
}

// "yes", or in what it differs there.
std::string in_envoy(const Case& c, const std::string& version, const Differences& differences) {
  if (!runs_in_envoy(c, version)) return " - |";
  std::string names;
  for (const std::string& name : differences.of(c, version)) names += (names.empty() ? " " : ", ") + name;
  return (names.empty() ? " yes" : names) + " |";
}

}  // namespace

std::string render_page(const std::vector<Case>& cases, const std::function<bool(const Case&, const Variant&)>& passed,
                        const Differences& differences, const std::vector<std::string>& envoys) {
  std::map<std::string, std::vector<const Case*>> subjects;
  for (const Case& c : cases) subjects[c.subject].push_back(&c);
  size_t runs = 0;
  std::string tables;
  for (const auto& [subject, members] : subjects) {
    tables += "\n## " + heading(subject) + "\n\n| case | what it shows |";
    for (const Variant& variant : variants()) tables += " " + variant.name() + " |";
    for (const std::string& version : envoys) tables += " " + heading_of(version) + " |";
    tables += "\n| --- | --- |";
    for (size_t i = 0; i < variants().size() + envoys.size(); ++i) tables += " --- |";
    tables += "\n";
    for (const Case* c : members) {
      tables +=
          "| [" + c->name + "](../../conformance/cases/" + c->subject + "/" + c->name + ".case) | " + cell(c->about);
      if (c->only) tables += " (Only " + cell(std::string(to_string(*c->only)) + ": " + c->only_because) + ")";
      if (c->only_protocol) {
        tables += " (Only " + cell(std::string(to_string(*c->only_protocol)) + ": " + c->only_protocol_because) + ")";
      }
      tables += " |";
      for (const Variant& variant : variants()) {
        if (!takes(*c, variant)) {
          tables += " - |";
          continue;
        }
        ++runs;
        tables += passed(*c, variant) ? " yes |" : " **no** |";
      }
      for (const std::string& version : envoys) tables += in_envoy(*c, version, differences);
      tables += "\n";
    }
  }
  return std::string(kBegin) + std::to_string(cases.size()) + " cases, " + std::to_string(runs) + " runs.\n" +
         differences_table(cases, differences, envoys) + tables;
}

}  // namespace inlay::conformance
