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
engines, and for both ways of running it:

- **in process**: the real host, HTTP codec, filter chain and wasm filter, with memory in the place of sockets and virtual time;
- **sockets**: the whole server on real sockets, in real time.

[conformance/README.md](../../conformance/README.md) says how to read and write a case.

)";

std::string heading(const std::string& subject) {
  std::string text = subject;
  for (char& c : text) c = c == '_' ? ' ' : c;
  return text;
}

std::string cell(std::string text) {
  std::string out;
  for (const char c : text) {
    if (c == '|') out += '\\';
    out += c;
  }
  return out;
}

}  // namespace

std::string render_page(const std::vector<Case>& cases,
                        const std::function<bool(const Case&, const Variant&)>& passed) {
  std::map<std::string, std::vector<const Case*>> subjects;
  for (const Case& c : cases) subjects[c.subject].push_back(&c);
  size_t runs = 0;
  std::string tables;
  for (const auto& [subject, members] : subjects) {
    tables += "\n## " + heading(subject) + "\n\n| case | what it shows |";
    for (const Variant& variant : variants()) tables += " " + variant.name() + " |";
    tables += "\n| --- | --- |";
    for (size_t i = 0; i < variants().size(); ++i) tables += " --- |";
    tables += "\n";
    for (const Case* c : members) {
      tables +=
          "| [" + c->name + "](../../conformance/cases/" + c->subject + "/" + c->name + ".case) | " + cell(c->about);
      if (c->only) tables += " (Only " + cell(std::string(to_string(*c->only)) + ": " + c->only_because) + ")";
      tables += " |";
      for (const Variant& variant : variants()) {
        if (!takes(*c, variant)) {
          tables += " - |";
          continue;
        }
        ++runs;
        tables += passed(*c, variant) ? " yes |" : " **no** |";
      }
      tables += "\n";
    }
  }
  return std::string(kBegin) + std::to_string(cases.size()) + " cases, " + std::to_string(runs) + " runs.\n" + tables;
}

}  // namespace inlay::conformance
