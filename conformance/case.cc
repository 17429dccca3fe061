// SPDX-License-Identifier: Apache-2.0
#include "conformance/case.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace inlay::conformance {
namespace {

constexpr std::string_view kSeparator = "#### expect\n";
constexpr std::string_view kEnvoySeparator = "#### expect in envoy ";

Error bad(std::string message) {
  return {ErrorCode::kInvalidArgument, std::move(message), ""};
}

// Reader goes through a case's lines.
class Reader {
 public:
  Reader(Case& c, std::string_view text) : case_(c), rest_(text) {}
  Result<Unit> read() {
    while (!rest_.empty()) {
      const std::string line = next_line();
      if (line.empty() || line[0] == '#') continue;
      auto done = take(line);
      if (!done) {
        Error error = done.error();
        error.where = case_.path + ":" + std::to_string(line_);
        return error;
      }
    }
    return Unit{};
  }

 private:
  std::string next_line() {
    const size_t end = rest_.find('\n');
    std::string line(rest_.substr(0, end));
    rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end + 1);
    ++line_;
    return line;
  }
  // The indented lines that follow, without their indentation.
  std::string block() {
    std::string text;
    while (rest_.starts_with("  ") || rest_.starts_with("\n")) {
      const std::string line = next_line();
      text += line.empty() ? "" : line.substr(2);
      text += '\n';
    }
    while (text.ends_with("\n\n")) text.pop_back();
    return text == "\n" ? "" : text;
  }

  Result<Unit> take(const std::string& line) {
    if (line.starts_with("about: ")) return put(case_.about, line.substr(7));
    if (line.starts_with("only: ")) return take_only(line.substr(6));
    if (line.starts_with("access_log: ")) return put(case_.access_log, line.substr(12));
    INLAY_TRY(auto words, split_words(line));
    if (words.empty()) return bad("an indented line that belongs to nothing");
    const std::string& what = words[0].text;
    if (what == "plugin") return take_plugin(words);
    if (what == "upstream") return take_upstream(words);
    if (what == "listener") return put(case_.listener, block());
    if (what == "hcm") return put(case_.hcm, block());
    if (what == "tcp") {
      case_.tcp = true;
      return put(case_.tcp_proxy, block());
    }
    if (what == "routes") return put(case_.routes, block());
    if (what == "bootstrap") return put(case_.bootstrap, block());
    if (what == "options") return take_options(words);
    if (what == "show" || what == "stats") {
      for (size_t i = 1; i < words.size(); ++i) (what == "show" ? case_.show : case_.stats).push_back(words[i].text);
      return Unit{};
    }
    case_.steps.push_back({line, std::move(words), line_});
    return Unit{};
  }

  static Result<Unit> put(std::string& field, std::string value) {
    if (!field.empty()) return bad("the same again");
    field = std::move(value);
    return Unit{};
  }

  Result<Unit> take_only(const std::string& text) {
    const size_t comma = text.find(", ");
    if (comma == std::string::npos) return bad("'only: in process, REASON' or 'only: sockets, REASON'");
    const std::string which = text.substr(0, comma);
    if (which != "in process" && which != "sockets") return bad("the transports are 'in process' and 'sockets'");
    case_.only = which == "sockets" ? Transport::kSockets : Transport::kInProcess;
    case_.only_because = text.substr(comma + 2);
    return Unit{};
  }

  Result<Unit> take_options(const std::vector<Word>& words) {
    for (size_t i = 1; i < words.size(); ++i) {
      const std::string& word = words[i].text;
      if (word == "envoy_strict") {
        case_.envoy_strict = true;
      } else if (word == "compat_legacy_properties") {
        case_.legacy_properties = true;
      } else if (word == "fail_hazards") {
        case_.fail_hazards = true;
      } else if (word == "trailers") {
        case_.trailers = true;
      } else if (word.starts_with("workers=")) {
        case_.workers = static_cast<size_t>(std::max(1, std::atoi(word.c_str() + 8)));
      } else if (word.starts_with("call_budget_ms=")) {
        case_.call_budget = std::chrono::milliseconds(std::max(1, std::atoi(word.c_str() + 15)));
      } else {
        return bad(
            "the options are envoy_strict, compat_legacy_properties, fail_hazards, trailers, workers=N, "
            "call_budget_ms=N");
      }
    }
    return Unit{};
  }

  Result<Unit> take_plugin(const std::vector<Word>& words) {
    if (words.size() < 2) return bad("plugin NAME [network] [guest=G] [OPTION=VALUE...]");
    PluginCase plugin;
    plugin.name = words[1].text;
    for (size_t i = 2; i < words.size(); ++i) {
      std::string name;
      std::string value;
      if (words[i].text == "network") {
        plugin.network = true;
        continue;
      }
      if (!split_field(words[i].text, name, value)) return bad("OPTION=VALUE expected: " + words[i].text);
      if (name == "guest") {
        plugin.guest = value;
      } else if (name == "imports") {
        std::replace(value.begin(), value.end(), ',', ' ');
        INLAY_TRY(plugin.imports, split_words(value));
      } else if (name == "vm_configuration") {
        plugin.vm_configuration = value;
      } else {
        plugin.options.emplace_back(name, value);
      }
    }
    plugin.text = block();
    case_.plugins.push_back(std::move(plugin));
    return Unit{};
  }

  Result<Unit> take_upstream(const std::vector<Word>& words) {
    if (words.size() < 3) return bad("upstream NAME answers STATUS ... | waits | refuses | resets | accepts");
    Upstream upstream;
    upstream.name = words[1].text;
    const std::string& how = words[2].text;
    if (how == "answers") {
      INLAY_TRY(upstream.answer, parse_answer(words, 3));
    } else if (how == "waits") {
      upstream.behaviour = Upstream::Behaviour::kWaits;
    } else if (how == "refuses") {
      upstream.behaviour = Upstream::Behaviour::kRefuses;
    } else if (how == "resets") {
      upstream.behaviour = Upstream::Behaviour::kResets;
    } else if (how == "accepts") {
      upstream.behaviour = Upstream::Behaviour::kAccepts;
    } else {
      return bad("an upstream answers, waits, refuses, resets or accepts");
    }
    const auto same = std::find_if(case_.upstreams.begin(), case_.upstreams.end(),
                                   [&](const Upstream& u) { return u.name == upstream.name; });
    if (same != case_.upstreams.end()) {
      *same = std::move(upstream);
    } else {
      case_.upstreams.push_back(std::move(upstream));
    }
    return Unit{};
  }

  Case& case_;
  std::string_view rest_;
  size_t line_ = 0;
};

// The case's own, and those in versions of Envoy.
void take_expectations(Case& c, std::string_view text) {
  const auto next = [&text] {
    const size_t begin = text.starts_with(kEnvoySeparator) ? 0 : text.find("\n" + std::string(kEnvoySeparator));
    const size_t size = begin == std::string_view::npos ? text.size() : begin + (begin == 0 ? 0 : 1);
    const std::string_view part = text.substr(0, size);
    text.remove_prefix(size);
    return part;
  };
  c.expected = next();
  while (!text.empty()) {
    const size_t end = text.find('\n');
    InEnvoy one;
    std::stringstream versions(std::string(text.substr(kEnvoySeparator.size(), end - kEnvoySeparator.size())));
    for (std::string version; versions >> version;) one.versions.push_back(version);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    one.transcript = next();
    c.in_envoy.push_back(std::move(one));
  }
}

}  // namespace

std::string_view to_string(Transport transport) {
  return transport == Transport::kSockets ? "sockets" : "in process";
}

bool Case::shows(std::string_view what) const {
  return std::find(show.begin(), show.end(), what) != show.end();
}

bool Case::network_before_http() const {
  return !tcp && std::any_of(plugins.begin(), plugins.end(), [](const PluginCase& p) { return p.network; });
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

Result<Answer> parse_answer(const std::vector<Word>& words, size_t from) {
  Answer answer;
  if (from >= words.size()) return bad("a status is expected");
  answer.status = words[from].text;
  for (size_t i = from + 1; i < words.size(); ++i) {
    std::string name;
    std::string value;
    if (words[i].quoted) {
      answer.body = words[i].text;
    } else if (!split_field(words[i].text, name, value)) {
      return bad("neither NAME=VALUE nor \"a body\": " + words[i].text);
    } else if (name.starts_with("trailer:")) {
      answer.trailers.emplace_back(name.substr(8), value);
    } else {
      answer.headers.emplace_back(name, value);
    }
  }
  return answer;
}

Result<Case> parse_case(std::string path, std::string_view text) {
  Case c;
  const std::filesystem::path file(path);
  c.subject = file.parent_path().filename();
  c.name = file.stem();
  c.path = std::move(path);
  c.upstreams.push_back({"origin", Upstream::Behaviour::kAnswers, {"200", {}, "hello", {}}});
  const size_t at = text.find(kSeparator);
  if (at == std::string_view::npos) {
    c.input = std::string(text) + (text.ends_with("\n") ? "\n" : "\n\n");
  } else {
    c.input = text.substr(0, at);
    take_expectations(c, text.substr(at + kSeparator.size()));
  }
  INLAY_RETURN_IF_ERROR(Reader(c, c.input).read());
  if (c.tcp) {
    if (c.upstreams[0].behaviour == Upstream::Behaviour::kAnswers) {
      c.upstreams[0].behaviour = Upstream::Behaviour::kAccepts;
    }
    for (PluginCase& plugin : c.plugins) plugin.network = true;
  }
  if (c.about.empty()) return Error{ErrorCode::kInvalidArgument, "a case begins with 'about: ' and a sentence", c.path};
  return c;
}

Result<Case> read_case(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  if (!file) return Error{ErrorCode::kIo, "cannot be read", path};
  return parse_case(path, text.str());
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
    INLAY_TRY(auto c, read_case(path));
    cases.push_back(std::move(c));
  }
  return cases;
}

Result<Unit> write_expectations(const Case& c) {
  std::ofstream file(c.path);
  file << c.input << kSeparator << c.expected;
  for (const InEnvoy& one : c.in_envoy) {
    std::string heading(kEnvoySeparator);
    for (const std::string& version : one.versions) heading += version + " ";
    heading.back() = '\n';
    file << heading << one.transcript;
  }
  if (!file.flush()) return Error{ErrorCode::kIo, "cannot be written", c.path};
  return Unit{};
}

}  // namespace inlay::conformance
