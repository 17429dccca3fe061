// SPDX-License-Identifier: Apache-2.0
#include "tester/case.h"

#include <algorithm>
#include <filesystem>

#include "base/read_file.h"
#include "tester/case_reader.h"
#include "tester/expected.h"
#include "tester/source.h"

namespace inlay::tester {
namespace {

constexpr size_t kLargest = 16 << 20;

Case empty_case(const std::string& path, std::string row) {
  Case c;
  const std::filesystem::path file(path);
  c.subject = file.parent_path().filename();
  c.name = file.stem();
  c.path = path;
  c.row = std::move(row);
  c.upstreams.push_back({"origin", Upstream::Behaviour::kAnswers, {"200", {}, "hello", {}}});
  return c;
}

void finish(Case& c) {
  if (!c.tcp) return;
  if (c.upstreams[0].behaviour == Upstream::Behaviour::kAnswers) {
    c.upstreams[0].behaviour = Upstream::Behaviour::kAccepts;
  }
  for (PluginCase& plugin : c.plugins) plugin.network = true;
}

}  // namespace

std::string_view to_string(Transport transport) {
  return transport == Transport::kSockets ? "sockets" : "in process";
}

std::string_view to_string(Protocol protocol) {
  return protocol == Protocol::kHttp2 ? "HTTP/2" : "HTTP/1";
}

bool Case::shows(std::string_view what) const {
  return std::find(show.begin(), show.end(), what) != show.end();
}

bool Case::network_before_http() const {
  return !tcp && std::any_of(plugins.begin(), plugins.end(), [](const PluginCase& p) { return p.network; });
}

bool Case::runs_by(Protocol protocol) const {
  if (only_protocol) return *only_protocol == protocol;
  return protocol == Protocol::kHttp1 || (!tcp && !network_before_http() && only != Transport::kInProcess);
}

const std::string& Case::expected_by(Protocol protocol) const {
  return protocol == Protocol::kHttp2 && !expected_by_http2.empty() ? expected_by_http2 : expected;
}

bool Case::has_expectations() const {
  return !at_start.empty() ||
         std::any_of(steps.begin(), steps.end(), [](const Step& step) { return !step.expectations.empty(); });
}

const std::string* Case::expected_in_envoy(std::string_view version) const {
  for (const InEnvoy& one : in_envoy) {
    if (std::find(one.versions.begin(), one.versions.end(), version) != one.versions.end()) return &one.transcript;
  }
  return nullptr;
}

const Upstream* Case::upstream(std::string_view wanted) const {
  for (const Upstream& u : upstreams) {
    if (u.name == wanted) return &u;
  }
  return nullptr;
}

void Case::become(Upstream upstream) {
  const auto same =
      std::find_if(upstreams.begin(), upstreams.end(), [&](const Upstream& u) { return u.name == upstream.name; });
  if (same != upstreams.end()) {
    *same = std::move(upstream);
  } else {
    upstreams.push_back(std::move(upstream));
  }
}

Result<std::vector<Case>> parse_file(const std::string& path, std::string_view text, Dialect dialect) {
  INLAY_TRY(const std::vector<Row> rows, read_source(path, text));
  std::vector<Case> cases;
  Errors errors;
  for (const Row& row : rows) {
    Case c = empty_case(path, row.title);
    CaseReader(c, row.lines, dialect, errors).read();
    if (!errors.empty()) return joined(errors);  // the other rows have the same
    finish(c);
    c.sources.push_back(path);
    for (const SourceLine& line : row.lines) {
      if (*line.file != c.sources.back()) c.sources.push_back(*line.file);
    }
    c.input = input_of(text);
    if (c.input.size() == text.size()) c.input += text.ends_with("\n") ? "\n" : "\n\n";
    cases.push_back(std::move(c));
  }
  INLAY_RETURN_IF_ERROR(take_expectations(text, cases));
  return cases;
}

Result<Case> parse_case(const std::string& path, std::string_view text, Dialect dialect) {
  INLAY_TRY(auto cases, parse_file(path, text, dialect));
  if (cases.size() == 1) return std::move(cases.front());
  return Error{ErrorCode::kInvalidArgument, "a table of rows stands here for one case", path};
}

Result<std::vector<Case>> read_cases(const std::string& directory) {
  std::vector<std::string> paths;
  std::error_code failed;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory, failed)) {
    if (entry.path().extension() == ".case") paths.push_back(entry.path());
  }
  if (failed) return Error{ErrorCode::kIo, failed.message(), directory};
  std::sort(paths.begin(), paths.end());
  std::vector<Case> cases;
  for (const std::string& path : paths) {
    INLAY_TRY(const std::string text, read_file(path, kLargest));
    INLAY_TRY(auto c, parse_case(path, text, Dialect::kConformance));
    cases.push_back(std::move(c));
  }
  return cases;
}

}  // namespace inlay::tester
