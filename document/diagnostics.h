// SPDX-License-Identifier: Apache-2.0
#pragma once

// Diagnostics: where the loader reports everything that it finds in one file, so that one run shows all of it.
//
//     Diagnostics diagnostics;
//     auto bootstrap = load_file("envoy.yaml", {}, diagnostics);
//     for (const Diagnostic& d : diagnostics.list()) std::cerr << d.to_string() << "\n";
//     // envoy.yaml:12:15: error: static_resources.clusters[0].type: `STATICC` is no value of ...; did you mean
//     `STATIC`?

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace inlay::document {

// Place is a position in the source text: both count from 1; 0 means unknown. Columns count characters.
struct Place {
  uint32_t line = 0;
  uint32_t column = 0;
  uint32_t file = 0;  // which text, where several are read as one
};

struct Diagnostic {
  enum class Severity : uint8_t { kWarning, kError } severity = Severity::kError;
  std::string file;
  Place place;
  std::string path;     // static_resources.listeners[0].name; empty: the file as a whole
  std::string message;  // what is wrong and what would be right; never holds a secret's value

  // "file:line:column: error: path: message"
  std::string to_string() const;
};

// Diagnostics keeps at most kMaxKept entries (a broken file of megabytes must not fill the memory) but counts all.
class Diagnostics {
 public:
  static constexpr size_t kMaxKept = 1000;

  void add(Diagnostic diagnostic);
  // Orders by place. The loader does this before it returns.
  void sort();

  const std::vector<Diagnostic>& list() const { return list_; }
  size_t errors() const { return errors_; }
  size_t warnings() const { return warnings_; }
  // One line a diagnostic, each with its newline.
  std::string to_string() const;

 private:
  std::vector<Diagnostic> list_;
  size_t errors_ = 0;
  size_t warnings_ = 0;
};

}  // namespace inlay::document
