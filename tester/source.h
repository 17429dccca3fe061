// SPDX-License-Identifier: Apache-2.0
#pragma once

// The lines of a case's file, each with its place: with those of the files that it includes in the place of `include`,
// and with the values of its parameters.
//
//     include common.case
//     let token = abc
//     rows path status
//       /public   200
//       /private  403
//     client GET {{path}} authorization="Bearer {{token}}"
//     expect client status {{status}}

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace inlay::tester {

struct SourceLine {
  std::string text;  // without its line end
  std::shared_ptr<const std::string> file;
  size_t number = 0;  // from 1

  std::string place() const { return *file + ":" + std::to_string(number); }
};

// Errors are collected, so that one run shows all of a file.
using Errors = std::vector<Error>;
// One error that has them all, each with its place. `errors` is not empty.
Error joined(const Errors& errors);

// A row of a table, or the only one of a file without a table.
struct Row {
  std::string title;  // its line; empty where there is no table
  std::vector<SourceLine> lines;
};

// What a file up to its expectation has, row by row. `text` is that of `path`.
Result<std::vector<Row>> read_source(const std::string& path, std::string_view text);

}  // namespace inlay::tester
