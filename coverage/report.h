// SPDX-License-Identifier: Apache-2.0
#pragma once

// What of modules has been called: as a table for a terminal, as JSON and as a page of HTML.

#include <string>
#include <vector>

#include "base/result.h"
#include "coverage/counted_module.h"

namespace inlay::coverage {

// Of each module: callbacks and host functions with the number of their calls, those that were never called by name,
// and how many of its functions were called, in all and by group_of().
std::string text(const std::vector<ModuleCoverage>& modules);

// In the format of lcov's files (geninfo(1)): files with their functions and lines, of all modules, as far as they have
// DWARF.
std::string lcov(const std::vector<ModuleCoverage>& modules);

// {"modules":[{"name":...,"callbacks":[{"name":...,"calls":...}...],"imports":[...],"functions":[...],
// "files":[{"path":...,"lines":[{"line":...,"times":...}...]}...]}]}
std::string json(const std::vector<ModuleCoverage>& modules);

// A page that needs nothing else, with every function, and the sources as they are now.
std::string html(const std::vector<ModuleCoverage>& modules);

// Writes json() as coverage.json, html() as index.html and lcov() as lcov.info into a folder, which it makes where
// there is none. Errors: kIo.
Result<> write_reports(const std::vector<ModuleCoverage>& modules, const std::string& folder);

// What a function belongs to by its name: the outermost namespace of C++ ("std"), the crate of Rust ("core"), the
// package of Go ("net/http"); "C" for a name without any.
std::string group_of(std::string_view function);

}  // namespace inlay::coverage
