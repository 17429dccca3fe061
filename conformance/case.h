// SPDX-License-Identifier: Apache-2.0
#pragma once

// A conformance case: one text file with configuration, guests, steps, and what must be seen. docs/reference/
// conformance.md says what cases there are, conformance/README.md how to write one. The file's folder is its subject.
//
//     about: A header that a filter sets reaches the upstream.
//
//     plugin a
//       on request_headers: set req x-a 1
//
//     client GET / host=x
//
//     #### expect
//     == client GET / host=x
//     a: on_request_headers 2 headers=6 end
//     ...
//     #### expect in envoy 1.40.0
//     == client GET / host=x
//     ...

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "conformance/words.h"

namespace inlay::conformance {

enum class Transport : uint8_t { kInProcess, kSockets };
std::string_view to_string(Transport transport);  // "in process", "sockets"

// A response that an upstream gives.
struct Answer {
  std::string status = "200";
  Fields headers;
  std::string body;
  Fields trailers;
};

struct Upstream {
  enum class Behaviour : uint8_t {
    kAnswers,  // every request, with `answer`, as soon as it is complete
    kWaits,    // for the case's steps
    kRefuses,  // connections
    kResets,   // closes the connection instead of an answer
    kAccepts,  // connections, as bytes without a protocol: for the case's steps
  };
  std::string name;
  Behaviour behaviour = Behaviour::kAnswers;
  Answer answer;
};

struct PluginCase {
  std::string name;
  std::string guest = "puppet";  // puppet, puppet_0_1_0, puppet_0_2_0, wat, or a module of the build
  bool network = false;          // a network filter, and not an HTTP filter
  Fields options;                // of the plugin's configuration, as in the YAML
  std::string vm_configuration;
  std::vector<Word> imports;  // of a guest in WAT: "log:3"
  std::string text;           // the indented lines: the script, the module, the configuration
};

struct Step {
  std::string title;  // the line as it stands
  std::vector<Word> words;
  size_t line = 0;
};

// What Envoy shows instead of what the case expects, in some of its versions.
struct InEnvoy {
  std::vector<std::string> versions;
  std::string transcript;
};

struct Case {
  std::string path;
  std::string subject;
  std::string name;
  std::string about;
  std::optional<Transport> only;
  std::string only_because;
  size_t workers = 1;
  // Of a call into a guest. Long enough for any machine, but where a case is about it.
  std::chrono::milliseconds call_budget{60'000};
  bool envoy_strict = false;
  bool fail_hazards = false;
  bool legacy_properties = false;
  bool trailers = false;  // enable_trailers, towards clients and upstreams
  bool tcp = false;       // a tcp_proxy is the last filter of the listener, and not a connection manager
  std::vector<PluginCase> plugins;
  std::vector<Upstream> upstreams;
  // YAML, merged into the bootstrap as it stands.
  std::string listener;
  std::string hcm;
  std::string tcp_proxy;
  std::string routes;
  std::string bootstrap;           // all of it: the case is about --mode validate
  std::vector<std::string> show;   // "start", "life", "header:NAME"
  std::vector<std::string> stats;  // names, shown at the end
  std::string access_log;          // a format, or empty; its lines are shown
  std::vector<Step> steps;
  std::string input;              // the file up to the expectation
  std::string expected;           // the transcript
  std::vector<InEnvoy> in_envoy;  // by version, the oldest first

  std::string title() const { return subject + "/" + name; }
  // In that version of Envoy; null where it is `expected`, or that but for rules (differences.h).
  const std::string* expected_in_envoy(std::string_view version) const;
  bool shows(std::string_view what) const;
  const Upstream* upstream(std::string_view name) const;
  // A network filter stands before the connection manager, and sees bytes of heads: none of them may vary.
  bool network_before_http() const;
};

// Errors: kInvalidArgument with the line's number.
Result<Case> parse_case(std::string path, std::string_view text);
Result<Case> read_case(const std::string& path);
// Every case under `directory`, by path. An unreadable one is an error.
Result<std::vector<Case>> read_cases(const std::string& directory);
// Rewrites a case's file with its expectations as they are now. Errors: kIo.
Result<Unit> write_expectations(const Case& c);

// "200 name=value "body" trailer:name=value" from the given word on.
Result<Answer> parse_answer(const std::vector<Word>& words, size_t from);

}  // namespace inlay::conformance
