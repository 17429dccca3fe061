// SPDX-License-Identifier: Apache-2.0
#pragma once

// CaseReader makes a case of a file's lines. It goes on behind a mistake, so that one run shows all of them.

#include <string>
#include <vector>

#include "base/result.h"
#include "tester/case.h"
#include "tester/source.h"
#include "tester/vocabulary.h"

namespace inlay::tester {

class CaseReader {
 public:
  // Into `c`, whose path and upstream `origin` are there. All references outlive the reader.
  CaseReader(Case& c, const std::vector<SourceLine>& lines, Dialect dialect, Errors& errors)
      : case_(c), lines_(lines), dialect_(dialect), errors_(errors) {}
  void read();

 private:
  using Words = std::vector<Word>;
  Result<Unit> take(const SourceLine& line);
  Result<Unit> take_setting(const WordEntry& entry, const SourceLine& line, const Words& words);
  Result<Unit> take_bootstrap(const SourceLine& line, const Words& words);
  Result<Unit> take_only(const std::string& text);
  template <class Way>
  static Result<Unit> take_only(std::optional<Way>& field, Way way, std::string& because, const std::string& text);
  Result<Unit> take_options(const Words& words);
  Result<Unit> take_option(Name name, const std::string& word);
  Result<Unit> take_show(const Words& words);
  Result<Unit> take_plugin(const SourceLine& line, const Words& words);
  Result<Unit> take_plugin_word(PluginCase& plugin, const Word& word);
  static Result<Unit> take_imports(PluginCase& plugin, std::string value);
  Result<Unit> check_plugin(const PluginCase& plugin) const;
  Result<Unit> take_upstream(const SourceLine& line, const Words& words);
  Result<Unit> take_change(const SourceLine& line, Upstream upstream);
  Result<Unit> take_step(const SourceLine& line, Words words);
  Result<Unit> take_expectation(const SourceLine& line, const Words& words);
  // Of the lines together, once all are read.
  void check();
  void check_actors();

  // The indented lines that follow, without their indentation.
  std::string block();
  Result<Unit> put_block(std::string& field, const Words& words);
  void report(const Error& error, const std::string& place);

  Case& case_;
  const std::vector<SourceLine>& lines_;
  const Dialect dialect_;
  Errors& errors_;
  size_t next_ = 0;
  std::vector<std::pair<std::string, std::string>> actors_;  // upstreams that lines speak of, and where
};

}  // namespace inlay::tester
