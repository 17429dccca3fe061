// SPDX-License-Identifier: Apache-2.0
#include "coverage/report.h"

#include <rapidjson/prettywriter.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <string_view>
#include <utility>

#include "base/printable.h"
#include "inspect/json_writer.h"

namespace inlay::coverage {
namespace {

constexpr size_t kGroupsShown = 12;

struct Share {
  size_t called = 0;
  size_t all = 0;
};

Share share_of(const std::vector<Counted>& list) {
  const auto called = std::count_if(list.begin(), list.end(), [](const Counted& c) { return c.calls > 0; });
  return {static_cast<size_t>(called), list.size()};
}

std::string percent(Share share) {
  std::array<char, 16> out;
  std::snprintf(out.data(), out.size(), "%5.1f%%",
                share.all == 0 ? 100.0 : 100.0 * static_cast<double>(share.called) / static_cast<double>(share.all));
  return out.data();
}

std::string to_text(Share share) {
  return std::to_string(share.called) + " of " + std::to_string(share.all);
}

std::string padded(std::string text, size_t width) {
  text.resize(std::max(text.size(), width), ' ');
  return text;
}

std::string line(std::string_view what, Share share, std::string_view done = "called") {
  return "  " + padded(std::string(what), 40) + " " + percent(share) + "  " + to_text(share) + " " + std::string(done) +
         "\n";
}

// Those that were called, with how often; then the names of the others.
std::string listed(const std::vector<Counted>& list) {
  std::string out;
  std::string never;
  for (const Counted& c : list) {
    if (c.calls == 0) {
      never += (never.empty() ? "" : ", ") + one_line(c.name);
    } else {
      out += "    " + padded(one_line(c.name), 38) + " " + std::to_string(c.calls) + "\n";
    }
  }
  return out + (never.empty() ? "" : "    never called: " + never + "\n");
}

using Groups = std::vector<std::pair<std::string, Share>>;

// The largest first.
Groups groups_of(const std::vector<Counted>& functions) {
  std::map<std::string, Share> shares;
  for (const Counted& f : functions) {
    Share& share = shares[group_of(f.name)];
    ++share.all;
    if (f.calls > 0) ++share.called;
  }
  Groups groups(shares.begin(), shares.end());
  std::stable_sort(groups.begin(), groups.end(),
                   [](const auto& a, const auto& b) { return a.second.all > b.second.all; });
  return groups;
}

std::string grouped(const std::vector<Counted>& functions) {
  const Groups groups = groups_of(functions);
  std::string out;
  Share others;
  for (size_t i = 0; i < groups.size(); ++i) {
    if (i < kGroupsShown) {
      out += line("  " + one_line(groups[i].first), groups[i].second);
    } else {
      others.all += groups[i].second.all;
      others.called += groups[i].second.called;
    }
  }
  return others.all == 0 ? out : out + line("  others", others);
}

Share share_of(const CountedFile& file) {
  const auto run =
      std::count_if(file.lines.begin(), file.lines.end(), [](const CountedLine& l) { return l.times > 0; });
  return {static_cast<size_t>(run), file.lines.size()};
}

std::string lines_of(const std::vector<CountedFile>& files) {
  Share all;
  std::string each;
  for (const CountedFile& file : files) {
    const Share share = share_of(file);
    all.called += share.called;
    all.all += share.all;
    each += line("  " + one_line(file.path), share, "run");
  }
  return line("lines", all, "run") + each;
}

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : valid_utf8(text)) {
    if (c == '&') {
      out += "&amp;";
    } else if (c == '<') {
      out += "&lt;";
    } else {
      out += c;
    }
  }
  return out;
}

constexpr std::string_view kPageBegin = R"(<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>Coverage</title><style>
body { font: 14px sans-serif; margin: 2em; } td { padding: 0 1em 0 0; font-family: monospace; white-space: pre; }
td:first-child { text-align: right; } .never { color: #a00; } summary { cursor: pointer; }
</style></head><body>
)";

std::string table(std::string_view title, const std::vector<Counted>& list, bool open) {
  const Share share = share_of(list);
  std::string out = std::string("<details") + (open ? " open" : "") + "><summary>" + escaped(title) + ": " +
                    to_text(share) + " called, " + percent(share) + "</summary><table>\n";
  for (const Counted& c : list) {
    out += std::string("<tr") + (c.calls == 0 ? " class=\"never\"" : "") + "><td>" + std::to_string(c.calls) +
           "</td><td>" + escaped(c.name) + "</td></tr>\n";
  }
  return out + "</table></details>\n";
}

// A file may be in several modules.
std::vector<CountedFile> all_files(const std::vector<ModuleCoverage>& modules) {
  std::map<std::string, std::map<uint32_t, CountedLine>> files;
  for (const ModuleCoverage& module : modules) {
    for (const CountedFile& file : module.files) {
      for (const CountedLine& line : file.lines) {
        CountedLine& known = files[file.path][line.line];
        known.line = line.line;
        known.times += line.times;
        if (known.function.empty()) known.function = line.function;
      }
    }
  }
  std::vector<CountedFile> list;
  for (const auto& [path, lines] : files) {
    list.push_back({path, {}});
    for (const auto& [number, line] : lines) list.back().lines.push_back(line);
  }
  return list;
}

// A file as it is now, with how often its lines ran.
std::string source(const CountedFile& file) {
  const Share share = share_of(file);
  std::string out = "<details><summary>" + escaped(file.path) + ": " + to_text(share) + " lines run, " +
                    percent(share) + "</summary><table>\n";
  std::ifstream text(file.path);
  auto counted = file.lines.begin();
  std::string content;
  for (uint32_t number = 1; std::getline(text, content); ++number) {
    const bool has_code = counted != file.lines.end() && counted->line == number;
    out += std::string("<tr") + (has_code && counted->times == 0 ? " class=\"never\"" : "") + "><td>" +
           (has_code ? std::to_string(counted->times) : "") + "</td><td>" + std::to_string(number) + "</td><td>" +
           escaped(content) + "</td></tr>\n";
    if (has_code) ++counted;
  }
  return out + "</table></details>\n";
}

Result<> write(const std::filesystem::path& path, const std::string& content) {
  std::ofstream file(path, std::ios::binary);
  file << content;
  if (file.flush()) return {};
  return Error{ErrorCode::kIo, "cannot be written", path.string()};
}

}  // namespace

std::string group_of(std::string_view function) {
  if (function.starts_with('<')) function.remove_prefix(1);  // Rust: <Type as Trait> and a method
  while (function.starts_with('&')) function.remove_prefix(1);
  const size_t name_end = function.find_first_of("(<[");
  const std::string_view path = function.substr(0, name_end);
  if (const size_t colons = path.find("::"); colons != path.npos) {
    const size_t space = path.rfind(' ', colons);  // behind a type that it returns
    return std::string(path.substr(space == path.npos ? 0 : space + 1, colons - (space == path.npos ? 0 : space + 1)));
  }
  const size_t slash = path.rfind('/');
  const size_t dot = path.find('.', slash == path.npos ? 0 : slash);
  if (dot != path.npos && dot > 0) return std::string(path.substr(0, dot));
  return "C";
}

std::string text(const std::vector<ModuleCoverage>& modules) {
  std::string out;
  for (const ModuleCoverage& module : modules) {
    out += "coverage of " + one_line(module.name) + "\n";
    out += line("callbacks", share_of(module.callbacks)) + listed(module.callbacks);
    out += line("host functions", share_of(module.imports)) + listed(module.imports);
    out += line("functions", share_of(module.functions));
    if (!module.files.empty()) out += lines_of(module.files);
    out += module.has_names ? grouped(module.functions) : "    they have no names: the module is stripped\n";
  }
  return out;
}

std::string json(const std::vector<ModuleCoverage>& modules) {
  inspect::JsonWriter<rapidjson::PrettyWriter<rapidjson::StringBuffer>> out;
  const auto counted = [&](const Counted& c) { out.open().text("name", c.name).number("calls", c.calls).close(); };
  out.open().open_list("modules");
  for (const ModuleCoverage& module : modules) {
    out.open().text("name", module.name);
    out.list("callbacks", module.callbacks, counted);
    out.list("imports", module.imports, counted);
    out.list("functions", module.functions, counted);
    out.list("files", module.files, [&](const CountedFile& file) {
      out.open().text("path", file.path).list("lines", file.lines, [&](const CountedLine& line) {
        out.open().number("line", line.line).number("times", line.times).close();
      });
      out.close();
    });
    out.close();
  }
  out.close_list().close();
  return out.take() + "\n";
}

std::string lcov(const std::vector<ModuleCoverage>& modules) {
  std::string out;
  for (const CountedFile& file : all_files(modules)) {
    out += "TN:\nSF:" + std::filesystem::absolute(file.path).lexically_normal().string() + "\n";
    std::string functions;
    Share of_functions;
    for (const CountedLine& line : file.lines) {
      if (line.function.empty()) continue;
      const std::string name = one_line(line.function);
      functions +=
          "FN:" + std::to_string(line.line) + "," + name + "\nFNDA:" + std::to_string(line.times) + "," + name + "\n";
      ++of_functions.all;
      if (line.times > 0) ++of_functions.called;
    }
    out +=
        functions + "FNF:" + std::to_string(of_functions.all) + "\nFNH:" + std::to_string(of_functions.called) + "\n";
    for (const CountedLine& line : file.lines) {
      out += "DA:" + std::to_string(line.line) + "," + std::to_string(line.times) + "\n";
    }
    const Share share = share_of(file);
    out += "LF:" + std::to_string(share.all) + "\nLH:" + std::to_string(share.called) + "\nend_of_record\n";
  }
  return out;
}

std::string html(const std::vector<ModuleCoverage>& modules) {
  std::string out(kPageBegin);
  for (const ModuleCoverage& module : modules) {
    out += "<h1>" + escaped(module.name) + "</h1>\n";
    out += table("Callbacks", module.callbacks, true) + table("Host functions", module.imports, true);
    const Share share = share_of(module.functions);
    out += "<h2>Functions: " + to_text(share) + " called, " + percent(share) + "</h2>\n";
    std::map<std::string, std::vector<Counted>> by_group;
    for (const Counted& f : module.functions) by_group[group_of(f.name)].push_back(f);
    for (const auto& [name, unused] : groups_of(module.functions)) out += table(name, by_group[name], false);
  }
  for (const CountedFile& file : all_files(modules)) out += source(file);
  return out + "</body></html>\n";
}

Result<> write_reports(const std::vector<ModuleCoverage>& modules, const std::string& folder) {
  std::error_code failed;
  std::filesystem::create_directories(folder, failed);
  if (failed) return Error{ErrorCode::kIo, "this folder cannot be made: " + failed.message(), folder};
  INLAY_RETURN_IF_ERROR(write(std::filesystem::path(folder) / "coverage.json", json(modules)));
  INLAY_RETURN_IF_ERROR(write(std::filesystem::path(folder) / "lcov.info", lcov(modules)));
  return write(std::filesystem::path(folder) / "index.html", html(modules));
}

}  // namespace inlay::coverage
