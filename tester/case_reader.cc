// SPDX-License-Identifier: Apache-2.0
#include "tester/case_reader.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "config/field_table.h"
#include "tester/transcript.h"

namespace inlay::tester {
namespace {

Error bad(std::string message) {
  return {ErrorCode::kInvalidArgument, std::move(message), ""};
}

std::string in_ticks(std::string_view text) {
  return "`" + std::string(text) + "`";
}

// A number behind "word=", within bounds.
Result<size_t> number_of(std::string_view word, size_t least, size_t most) {
  const std::string_view text = word.substr(word.find('=') + 1);
  size_t number = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (fault == std::errc() && end == text.data() + text.size() && number >= least && number <= most) return number;
  return bad(in_ticks(word) + ": a number from " + std::to_string(least) + " to " + std::to_string(most) +
             " is expected");
}

Result<Unit> put(std::string& field, std::string value, std::string_view what) {
  if (!field.empty()) return bad("a second " + in_ticks(what) + "; a case has one");
  if (value.empty()) return bad(in_ticks(what) + " says nothing");
  field = std::move(value);
  return Unit{};
}

constexpr std::array<Section, 3> kBeginnings = {Section::kSource, Section::kSetting, Section::kStep};

bool is_reserved(std::string_view name) {
  if (name.starts_with("client") || name == kAccessLog) return true;
  return std::any_of(kBeginnings.begin(), kBeginnings.end(),
                     [&](Section section) { return find_word(section, name) != nullptr; });
}

}  // namespace

void CaseReader::read() {
  while (next_ < lines_.size()) {
    const SourceLine& line = lines_[next_++];
    if (line.text.empty() || line.text[0] == '#') continue;
    if (auto done = take(line); !done) {
      report(done.error(), line.place());
      (void)block();  // what belongs to it
    }
  }
  check();
}

void CaseReader::report(const Error& error, const std::string& place) {
  errors_.push_back({error.code, error.message, place});
}

std::string CaseReader::block() {
  std::string text;
  for (; next_ < lines_.size(); ++next_) {
    const std::string& line = lines_[next_].text;
    if (!line.empty() && !line.starts_with("  ")) break;
    text += line.empty() ? "" : line.substr(2);
    text += '\n';
  }
  while (text.ends_with("\n\n")) text.pop_back();
  return text == "\n" ? "" : text;
}

Result<Unit> CaseReader::put_block(std::string& field, const Words& words) {
  const std::string& what = words[0].text;
  if (words.size() > 1) {
    return bad(in_ticks(words[1].text) + " is more than " + in_ticks(what) +
               " takes, which is indented lines of YAML below it");
  }
  return put(field, block(), what);
}

Result<Unit> CaseReader::take(const SourceLine& line) {
  if (line.text[0] == '\t') return bad("a line that begins with a tab; blocks are indented by two spaces");
  if (line.text[0] == ' ') {
    return bad(line.text.starts_with("  ") ? "an indented line that belongs to nothing: only plugins and YAML have such"
                                           : "a line that begins with one space; blocks are indented by two");
  }
  INLAY_TRY(auto words, split_words(line.text));
  const std::string& what = words[0].text;
  if (!words[0].quoted) {
    if (const WordEntry* const entry = find_word(Section::kSetting, what)) return take_setting(*entry, line, words);
    if (what == "expect") return take_expectation(line, words);
  }
  return take_step(line, std::move(words));
}

Result<Unit> CaseReader::take_setting(const WordEntry& entry, const SourceLine& line, const Words& words) {
  // What stands behind "word:".
  const std::string_view rest = std::string_view(line.text).substr(std::min(entry.word.size(), line.text.size()));
  const std::string text(rest.substr(std::min(rest.find_first_not_of(' '), rest.size())));
  switch (entry.name) {
    case Name::kAbout:
      return put(case_.about, text, entry.word);
    case Name::kOnly:
      return take_only(text);
    case Name::kAccessLogLine:
      return put(case_.access_log, text, entry.word);
    case Name::kBootstrap:
      return take_bootstrap(line, words);
    case Name::kPlugin:
      return take_plugin(line, words);
    case Name::kUpstream:
      return take_upstream(line, words);
    case Name::kListener:
      return put_block(case_.listener, words);
    case Name::kHcm:
      return put_block(case_.hcm, words);
    case Name::kRoutes:
      return put_block(case_.routes, words);
    case Name::kOptions:
      return take_options(words);
    case Name::kShow:
      return take_show(words);
    case Name::kTcp:
      if (words.size() > 1) return bad(in_ticks(words[1].text) + " is more than `tcp` takes");
      if (std::exchange(case_.tcp, true)) return bad("a second `tcp`; a case has one");
      case_.tcp_proxy = block();
      return Unit{};
    default:  // kStats
      if (words.size() < 2) return bad("`stats` names no statistic; the form is: stats NAME...");
      for (size_t i = 1; i < words.size(); ++i) case_.stats.push_back(words[i].text);
      return Unit{};
  }
}

Result<Unit> CaseReader::take_bootstrap(const SourceLine& line, const Words& words) {
  if (words.size() > 3) return bad(in_ticks(words[3].text) + " is more than `bootstrap:` takes: FILE [LISTENER]");
  INLAY_RETURN_IF_ERROR(put(case_.bootstrap, words.size() > 1 ? words[1].text : "", "bootstrap:"));
  if (words.size() > 2) case_.bootstrap_listener = words[2].text;
  case_.bootstrap_place = line.place();
  return Unit{};
}

Result<Unit> CaseReader::take_only(const std::string& text) {
  const size_t comma = text.find(", ");
  const std::string which = text.substr(0, comma);
  for (const Protocol protocol : {Protocol::kHttp1, Protocol::kHttp2}) {
    if (which == to_string(protocol))
      return take_only(case_.only_protocol, protocol, case_.only_protocol_because, text);
  }
  for (const Transport transport : {Transport::kInProcess, Transport::kSockets}) {
    if (which == to_string(transport)) return take_only(case_.only, transport, case_.only_because, text);
  }
  return bad(in_ticks(which) + " is no way of running a case, which are: in process, sockets, HTTP/1, HTTP/2");
}

template <class Way>
Result<Unit> CaseReader::take_only(std::optional<Way>& field, Way way, std::string& because, const std::string& text) {
  const std::string which(to_string(way));
  if (field) return bad("a second `only:` beside " + in_ticks(std::string(to_string(*field))) + "; a case has one");
  if (text.size() < which.size() + 3) return bad("the reason is missing; the form is: only: " + which + ", REASON");
  field = way;
  because = text.substr(which.size() + 2);
  return Unit{};
}

Result<Unit> CaseReader::take_options(const Words& words) {
  if (words.size() < 2) return bad("`options` has none" + suggest(Section::kOption, ""));
  for (size_t i = 1; i < words.size(); ++i) {
    const std::string& word = words[i].text;
    const WordEntry* const entry = find_word(Section::kOption, word);
    if (entry == nullptr) return bad(in_ticks(word) + " is no option" + suggest(Section::kOption, word));
    INLAY_RETURN_IF_ERROR(take_option(entry->name, word));
  }
  return Unit{};
}

Result<Unit> CaseReader::take_option(Name name, const std::string& word) {
  switch (name) {
    case Name::kEnvoyStrict:
      case_.envoy_strict = true;
      return Unit{};
    case Name::kLegacyProperties:
      case_.legacy_properties = true;
      return Unit{};
    case Name::kFailHazards:
      case_.fail_hazards = true;
      return Unit{};
    case Name::kTrailersOption:
      case_.trailers = true;
      return Unit{};
    case Name::kWorkers: {
      INLAY_TRY(case_.workers, number_of(word, 1, 16));
      return Unit{};
    }
    default: {
      INLAY_TRY(const size_t budget, number_of(word, 1, 3'600'000));
      case_.call_budget = std::chrono::milliseconds(budget);
      return Unit{};
    }
  }
}

Result<Unit> CaseReader::take_show(const Words& words) {
  if (words.size() < 2) return bad("`show` has nothing" + suggest(Section::kShow, ""));
  for (size_t i = 1; i < words.size(); ++i) {
    const std::string& word = words[i].text;
    const WordEntry* const entry = find_word(Section::kShow, word);
    if (entry == nullptr) return bad(in_ticks(word) + " is nothing to show" + suggest(Section::kShow, word));
    if (entry->word.size() == word.size() && word.ends_with(':'))
      return bad("the header's name is missing: header:NAME");
    case_.show.push_back(word);
  }
  return Unit{};
}

Result<Unit> CaseReader::take_plugin(const SourceLine& line, const Words& words) {
  if (words.size() < 2) return bad("the plugin's name is missing; the form is: plugin NAME module=FILE [WORD...]");
  PluginCase plugin;
  plugin.name = words[1].text;
  plugin.place = line.place();
  if (plugin.name.find('=') != std::string::npos) {
    return bad("the plugin's name is missing before " + in_ticks(plugin.name) + ": plugin NAME module=FILE");
  }
  for (const PluginCase& other : case_.plugins) {
    if (other.name == plugin.name)
      return bad("a second plugin " + in_ticks(plugin.name) + "; the first is at " + other.place);
  }
  for (size_t i = 2; i < words.size(); ++i) INLAY_RETURN_IF_ERROR(take_plugin_word(plugin, words[i]));
  plugin.text = block();
  case_.plugins.push_back(plugin);
  return check_plugin(plugin);
}

Result<Unit> CaseReader::take_plugin_word(PluginCase& plugin, const Word& word) {
  const WordEntry* const entry = word.quoted ? nullptr : find_word(Section::kPlugin, word.text);
  if (entry == nullptr) {
    return bad(in_ticks(word.text) + " is nothing of a plugin" + suggest(Section::kPlugin, word.text));
  }
  if (entry->name == Name::kNetwork) {
    plugin.network = true;
    return Unit{};
  }
  std::string name;
  std::string value;
  if (!split_field(word.text, name, value)) {
    return bad(in_ticks(word.text) + " has no value; the form is: " + std::string(entry->form));
  }
  switch (entry->name) {
    case Name::kModule:
      return put(plugin.module, value, "module=");
    case Name::kGuest:
      return put(plugin.guest, value, "guest=");
    case Name::kVmConfiguration:
      plugin.vm_configuration = value;
      return Unit{};
    case Name::kImports:
      return take_imports(plugin, std::move(value));
    default:  // kAbi, kField
      for (const auto& [other, same] : plugin.options) {
        if (other == name) return bad("a second " + in_ticks(name + "="));
      }
      plugin.options.emplace_back(name, value);
      return Unit{};
  }
}

Result<Unit> CaseReader::take_imports(PluginCase& plugin, std::string value) {
  std::replace(value.begin(), value.end(), ',', ' ');
  INLAY_TRY(plugin.imports, split_words(value));
  for (const Word& import : plugin.imports) {
    if (import.text.find(':') != std::string::npos) continue;
    return bad(in_ticks(import.text) + " says no number of parameters; the form is: imports=NAME:PARAMETERS,...");
  }
  return Unit{};
}

Result<Unit> CaseReader::check_plugin(const PluginCase& plugin) const {
  if (!plugin.module.empty() && !plugin.guest.empty()) return bad("`module=` and `guest=` say the same; one is enough");
  if (plugin.guest == "wat" && plugin.text.empty())
    return bad("`guest=wat` has no module: its text stands indented below");
  if (dialect_ == Dialect::kConformance) return Unit{};
  if (plugin.module.empty() && plugin.guest.empty()) {
    return bad("the plugin says nothing of its module: plugin " + plugin.name + " module=FILE");
  }
  if (!plugin.guest.empty() && plugin.guest != "wat") {
    return bad("`guest=` has one value, wat; a file is named with `module=`");
  }
  return Unit{};
}

Result<Unit> CaseReader::take_upstream(const SourceLine& line, const Words& words) {
  if (words.size() < 3) return bad("the form is: upstream NAME BEHAVIOUR" + suggest(Section::kBehaviour, ""));
  Upstream upstream;
  upstream.name = words[1].text;
  if (is_reserved(upstream.name)) {
    return bad("an upstream cannot have the name " + in_ticks(upstream.name) + ", with which other lines begin");
  }
  const WordEntry* const entry = find_word(Section::kBehaviour, words[2].text);
  if (entry == nullptr) {
    return bad(in_ticks(words[2].text) + " is nothing that an upstream does" +
               suggest(Section::kBehaviour, words[2].text));
  }
  using Behaviour = Upstream::Behaviour;
  if (entry->name == Name::kAnswers) {
    auto answer = parse_answer(words, 3);
    if (!answer) return bad(answer.error().message + "; the form is: upstream NAME " + std::string(entry->form));
    upstream.answer = *std::move(answer);
  } else if (words.size() > 3) {
    return bad(in_ticks(words[3].text) + " is more than " + in_ticks(words[2].text) + " takes");
  }
  if (entry->name == Name::kWaits) upstream.behaviour = Behaviour::kWaits;
  if (entry->name == Name::kRefuses) upstream.behaviour = Behaviour::kRefuses;
  if (entry->name == Name::kResets) upstream.behaviour = Behaviour::kResets;
  if (entry->name == Name::kAccepts) upstream.behaviour = Behaviour::kAccepts;
  if (case_.steps.empty() || dialect_ == Dialect::kConformance) {
    case_.become(std::move(upstream));
    return Unit{};
  }
  return take_change(line, std::move(upstream));
}

// Behind a step the upstream does otherwise from there on.
Result<Unit> CaseReader::take_change(const SourceLine& line, Upstream upstream) {
  using Behaviour = Upstream::Behaviour;
  const Upstream* const before = case_.upstream(upstream.name);
  if (before == nullptr) {
    return bad("the upstream " + in_ticks(upstream.name) +
               " is new here; a line above the first step makes one, and one below changes it");
  }
  for (const Behaviour fixed : {Behaviour::kRefuses, Behaviour::kAccepts}) {
    if (before->behaviour != fixed && upstream.behaviour != fixed) continue;
    return bad(
        "an upstream that refuses or accepts does so from the beginning to the end; one that answers, waits or resets "
        "can change");
  }
  Step step;
  step.act = Step::Act::kBecomes;
  step.title = line.text;
  step.place = line.place();
  step.actor = upstream.name;
  step.upstream = std::move(upstream);
  case_.steps.push_back(std::move(step));
  return Unit{};
}

Result<Unit> CaseReader::take_step(const SourceLine& line, Words words) {
  const std::string what = words[0].text;
  if (!is_client(what) && what != "wait") {
    // A name of an upstream that may come further down; or a word that is none.
    const bool is_step = words.size() > 1 && find_word(Section::kUpstreamStep, words[1].text) != nullptr;
    if (!is_step && case_.upstream(what) == nullptr) {
      const std::string near = suggest(kBeginnings, what);
      return bad(in_ticks(what) + " begins no line" +
                 (near.find("did you") == std::string::npos ? "; one begins with a setting (`plugin`), `client`, an "
                                                              "upstream's name, `wait` or `expect`"
                                                            : near));
    }
    actors_.emplace_back(what, line.place());
  }
  INLAY_TRY(Step step, parse_step(line.text, std::move(words)));
  step.place = line.place();
  case_.steps.push_back(std::move(step));
  return Unit{};
}

Result<Unit> CaseReader::take_expectation(const SourceLine& line, const Words& words) {
  INLAY_TRY(Expectation expectation, parse_expectation(line.text, words));
  expectation.place = line.place();
  const bool of_messages = !expectation.actor.empty() && !is_client(expectation.actor);
  if (of_messages) actors_.emplace_back(expectation.actor, line.place());
  auto& group = case_.steps.empty() ? case_.at_start : case_.steps.back().expectations;
  group.push_back(std::move(expectation));
  return Unit{};
}

void CaseReader::check() {
  check_actors();
  if (dialect_ == Dialect::kConformance) {
    if (case_.about.empty()) report(bad("a case begins with 'about: ' and a sentence"), case_.path);
    return;
  }
  if (!errors_.empty()) return;
  if (!case_.bootstrap.empty()) {
    const bool more = !case_.plugins.empty() || !case_.listener.empty() || !case_.hcm.empty() ||
                      !case_.routes.empty() || !case_.access_log.empty() || !case_.tcp_proxy.empty() || case_.trailers;
    if (more) {
      report(bad("`bootstrap:` is the whole configuration: no plugin, access_log, YAML or `options trailers` can stand "
                 "beside it"),
             case_.bootstrap_place);
    }
  }
  if (case_.steps.empty() && case_.at_start.empty() && !case_.shows("start")) {
    report(bad("nothing happens in this case: it has no step (client GET /) and expects nothing of the start"),
           case_.path);
  }
}

void CaseReader::check_actors() {
  std::vector<std::string_view> names;
  for (const Upstream& upstream : case_.upstreams) names.emplace_back(upstream.name);
  for (const auto& [name, place] : actors_) {
    if (case_.upstream(name) != nullptr) continue;
    const std::string near = config::nearest(name, names);
    report(bad("there is no upstream " + in_ticks(name) +
               (near.empty() ? "; `upstream " + name + " answers 200` makes one"
                             : "; did you mean " + in_ticks(near) + "?")),
           place);
  }
}

}  // namespace inlay::tester
