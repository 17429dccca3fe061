// SPDX-License-Identifier: Apache-2.0
#pragma once

// A case: one text file with configuration, filters, steps, and what must be seen. docs/guide/test.md teaches it, and
// docs/reference/test_cases.md has all of its words. The conformance suite's (conformance/README.md) have the same
// form.
//
//     about: A request without a token is refused.
//
//     plugin auth module=build/auth.wasm
//       {"header": "x-token"}
//
//     client GET / host=x
//     expect client status 403
//     expect no upstream request
//
// In the place of single expectations, or behind them, a snapshot has everything that is seen:
//
//     #### expect
//     == client GET / host=x
//     auth: denied
//     client got 403 content-length=0 end
//     == end

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "tester/step.h"
#include "tester/words.h"

namespace inlay::tester {

enum class Transport : uint8_t { kInProcess, kSockets };
std::string_view to_string(Transport transport);  // "in process", "sockets"

// Of a case's clients, and of its upstreams.
enum class Protocol : uint8_t { kHttp1, kHttp2 };
std::string_view to_string(Protocol protocol);  // "HTTP/1", "HTTP/2"

struct PluginCase {
  std::string name;
  std::string module;    // its file, as the case has it; empty where `guest` says what it is
  std::string guest;     // wat, or a name of the conformance suite's
  bool network = false;  // a network filter, and not an HTTP filter
  Fields options;        // of the plugin's configuration, as in the YAML
  std::string vm_configuration;
  std::vector<Word> imports;  // of a guest in WAT: "log:3"
  std::string text;           // the indented lines: the script, the module, the configuration
  std::string place;          // of its line
};

// What Envoy shows instead of what the case expects, in some of its versions.
struct InEnvoy {
  std::vector<std::string> versions;
  std::string transcript;
};

struct Case {
  std::string path;
  std::vector<std::string> sources;  // the file and those that it includes
  std::string subject;               // the file's folder
  std::string name;
  std::string row;  // of a table: its line
  std::string about;
  std::optional<Transport> only;
  std::string only_because;
  std::optional<Protocol> only_protocol;
  std::string only_protocol_because;
  size_t workers = 1;
  // Of a call into a guest. Empty: the runner's own.
  std::optional<std::chrono::milliseconds> call_budget;
  bool envoy_strict = false;
  bool fail_hazards = false;
  bool legacy_properties = false;
  bool trailers = false;  // enable_trailers, towards clients and upstreams
  bool tcp = false;       // a tcp_proxy is the last filter of the listener, and not a connection manager
  std::vector<PluginCase> plugins;
  std::vector<Upstream> upstreams;
  // The file that is the configuration, in the place of plugins and YAML; and its listener, or the first one.
  std::string bootstrap;
  std::string bootstrap_listener;
  std::string bootstrap_place;
  // YAML, merged into the bootstrap as it stands.
  std::string listener;
  std::string hcm;
  std::string tcp_proxy;
  std::string routes;
  std::vector<std::string> show;   // "start", "log", "header:NAME"
  std::vector<std::string> stats;  // names, shown at the end
  std::string access_log;          // a format, or empty; its lines are shown
  std::vector<Expectation> at_start;
  std::vector<Step> steps;
  std::string input;              // the file up to the expectation
  std::string expected;           // the transcript
  std::string expected_by_http2;  // where it is another one; else empty
  std::vector<InEnvoy> in_envoy;  // by version, the oldest first

  std::string title() const { return subject + "/" + name; }
  // In that version of Envoy; null where it is `expected`, or that but for rules (conformance/differences.h).
  const std::string* expected_in_envoy(std::string_view version) const;
  bool shows(std::string_view what) const;
  const Upstream* upstream(std::string_view name) const;
  // Puts it in the place of the one of that name, or adds it.
  void become(Upstream upstream);
  // A network filter stands before the connection manager, and sees bytes of heads: none of them may vary.
  bool network_before_http() const;
  // Whether it has a meaning there: no filter sees bytes of another protocol, and the case says nothing against it.
  bool runs_by(Protocol protocol) const;
  // The transcript.
  const std::string& expected_by(Protocol protocol) const;
  bool has_expectations() const;
};

// Whose cases they are.
enum class Dialect : uint8_t {
  kFilters,      // of filters in files: a plugin names its module
  kConformance,  // the suite's: a plugin may name one of its guests, and `about` is required
};

// The cases of a file: one, or one for each row of its table. Errors: kInvalidArgument with the place of the first
// mistake; the message has all others, each with its place.
Result<std::vector<Case>> parse_file(const std::string& path, std::string_view text, Dialect dialect);
// The same of a file without a table.
Result<Case> parse_case(const std::string& path, std::string_view text, Dialect dialect);
// Every case of the conformance suite under `directory`, by path. An unreadable one is an error.
Result<std::vector<Case>> read_cases(const std::string& directory);
// Rewrites a file with the snapshots of its cases, which are all that it has, as they are now. Errors: kIo.
Result<Unit> write_expectations(const std::vector<Case>& cases);
Result<Unit> write_expectations(const Case& c);

}  // namespace inlay::tester
