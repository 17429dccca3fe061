// SPDX-License-Identifier: Apache-2.0
#include "tester/vocabulary.h"

#include <array>
#include <vector>

#include "config/field_table.h"

namespace inlay::tester {
namespace {

using S = Section;

constexpr WordEntry kWords[] = {
    {Name::kInclude, S::kSource, "include", "include FILE",
     "The lines of another file, whose path is relative to this one.", "# include common.inc"},
    {Name::kLet, S::kSource, "let", "let NAME = VALUE",
     "A parameter: `{{NAME}}` stands for its value in all lines below, in blocks too.",
     "let user = ann\nclient GET /{{user}}"},
    {Name::kRows, S::kSource, "rows", "rows NAME...",
     "A table: each indented line below has a value for each name, and the case runs once for each of them, with "
     "`{{NAME}}` standing for the value.",
     "rows path status\n  /public   200\n  /private  403\nclient GET {{path}}\nexpect client status {{status}}"},

    {Name::kAbout, S::kSetting, "about:", "about: SENTENCE.",
     "What the case shows. It stands in the report of a failure.", "about: A request without a token is refused."},
    {Name::kPlugin, S::kSetting, "plugin", "plugin NAME module=FILE [WORD...]",
     "A filter, in the order in which requests pass them. The indented lines below are its configuration, as they "
     "stand, each with its line end.",
     "plugin auth module=build/auth.wasm root_id=auth\n  {\"header\": \"x-token\"}"},
    {Name::kUpstream, S::kSetting, "upstream", "upstream NAME BEHAVIOUR",
     "A cluster, and what it does with every request. `origin`, to which requests go, is always there and answers "
     "`200 \"hello\"`; a line of its own says otherwise. Behind a step the line is a step itself: from there on the "
     "upstream does that.",
     "upstream auth answers 200 x-user=ann \"yes\"\nclient GET /\nupstream auth answers 403"},
    {Name::kBootstrap, S::kSetting, "bootstrap:", "bootstrap: FILE [LISTENER]",
     "The configuration is that of an existing Envoy file, in the place of `plugin` and YAML: its first listener, or "
     "that "
     "of this name, with all that it says of routes and filters. What requests are routed to is `origin` here, "
     "whatever "
     "its cluster; a cluster that no `upstream` speaks of takes no connections. The file is looked for beside the "
     "case, "
     "then below the folder in which the program runs; paths in it are relative to that, as in Envoy.",
     "bootstrap: ../envoy.yaml"},
    {Name::kOptions, S::kSetting, "options", "options OPTION...", "Of the proxy.", "options workers=2 trailers"},
    {Name::kShow, S::kSetting, "show", "show WHAT...", "What else a snapshot shows.", "show start header:date"},
    {Name::kStats, S::kSetting, "stats", "stats NAME...", "Statistics that a snapshot shows at the end.",
     "stats wasmcustom.denied"},
    {Name::kOnly, S::kSetting, "only:", "only: in process, REASON",
     "The case is for one way of running it: `in process`, or `sockets`; and, as a second such line, for one protocol "
     "of "
     "its clients and upstreams: `HTTP/1`, or `HTTP/2`.",
     "only: in process, an hour goes by in it"},
    {Name::kTcp, S::kSetting, "tcp", "tcp",
     "The listener relays bytes: `tcp_proxy` to `origin`, which accepts, is its last filter, and every plugin is a "
     "network filter. Indented lines are YAML for `tcp_proxy`.",
     "tcp"},
    {Name::kListener, S::kSetting, "listener", "listener", "Indented lines of YAML that are merged into the listener.",
     "listener\n  per_connection_buffer_limit_bytes: 1024"},
    {Name::kHcm, S::kSetting, "hcm", "hcm", "Indented lines of YAML that are merged into the HTTP connection manager.",
     "hcm\n  normalize_path: true"},
    {Name::kRoutes, S::kSetting, "routes", "routes",
     "Indented lines of YAML: the routes, in the place of the one that leads everything to `origin`.",
     "routes\n  - match: {prefix: /}\n    route: {cluster: origin, timeout: 1s}"},
    {Name::kAccessLogLine, S::kSetting, "access_log:", "access_log: FORMAT",
     "An access log in Envoy's format; its lines are seen as `log LINE`.",
     "access_log: %RESPONSE_CODE% %RESPONSE_CODE_DETAILS%"},

    {Name::kModule, S::kPlugin, "module=", "module=FILE",
     "The WebAssembly module. A relative path is that of a file beside the case, else of one below the folder in which "
     "the program runs.",
     "plugin auth module=../build/auth.wasm"},
    {Name::kGuest, S::kPlugin, "guest=", "guest=wat",
     "The indented lines are the module, in WebAssembly's text format: whole, or without its frame (an ABI marker, a "
     "memory of two pages, an allocator).",
     "plugin a guest=wat imports=continue_stream:1\n  (func (export \"proxy_on_request_headers\") (param i32 i32 i32) "
     "(result i32) (i32.const 0))"},
    {Name::kImports, S::kPlugin, "imports=", "imports=NAME:PARAMETERS,...",
     "With `guest=wat`: host functions that the module imports, each with its number of `i32` parameters.",
     "plugin a guest=wat imports=log:3,get_property:4\n  (func (export \"proxy_on_tick\") (param i32))"},
    {Name::kAbi, S::kPlugin, "abi=", "abi=0_2_1", "With `guest=wat`: the ABI version of a module without its frame.",
     "plugin a guest=wat abi=0_1_0\n  (func (export \"proxy_on_tick\") (param i32))"},
    {Name::kNetwork, S::kPlugin, "network", "network",
     "A network filter: it sees the connection's bytes before they are HTTP.",
     "plugin a network module=build/auth.wasm"},
    {Name::kVmConfiguration, S::kPlugin, "vm_configuration=", "vm_configuration=TEXT", "What `on_vm_start` gets.",
     "plugin a module=a.wasm vm_configuration=\"a b\""},
    {Name::kField, S::kPlugin, "root_id=", "root_id=TEXT",
     "Which of the module's root contexts. As in Envoy, empty else.", "plugin a module=a.wasm root_id=auth"},
    {Name::kField, S::kPlugin, "name=", "name=TEXT", "The plugin's name in logs and statistics. Else that of the line.",
     "plugin a module=a.wasm name=auth"},
    {Name::kField, S::kPlugin, "vm_id=", "vm_id=TEXT", "Whose shared data and queues it has. Else `vm_NAME`.",
     "plugin a module=a.wasm vm_id=shared"},
    {Name::kField, S::kPlugin, "failure_policy=", "failure_policy=POLICY",
     "`FAIL_CLOSED` (as without it), `FAIL_OPEN` or `FAIL_RELOAD`: what becomes of requests when the VM has failed.",
     "plugin a module=a.wasm failure_policy=FAIL_OPEN"},
    {Name::kField, S::kPlugin, "fail_open=", "fail_open=BOOL", "As in Envoy.", "plugin a module=a.wasm fail_open=true"},
    {Name::kField, S::kPlugin, "reload_config=", "reload_config=YAML", "As in Envoy.",
     "plugin a module=a.wasm failure_policy=FAIL_RELOAD reload_config=\"{backoff: {base_interval: 1s}}\""},
    {Name::kField, S::kPlugin, "capability_restriction_config=", "capability_restriction_config=YAML", "As in Envoy.",
     "plugin a module=a.wasm capability_restriction_config=\"{allowed_capabilities: {proxy_log: {}}}\""},
    {Name::kField, S::kPlugin, "allow_on_headers_stop_iteration=", "allow_on_headers_stop_iteration=BOOL",
     "As in Envoy.", "plugin a module=a.wasm allow_on_headers_stop_iteration=true"},
    {Name::kField, S::kPlugin, "vm.", "vm.FIELD=YAML", "A field of Envoy's VmConfig.",
     "plugin a module=a.wasm vm.environment_variables=\"{key_values: {A: b}}\""},

    {Name::kAnswers, S::kBehaviour, "answers", "answers STATUS [FIELD=VALUE...] [\"BODY\"] [trailer:FIELD=VALUE...]",
     "It answers every request so.", "upstream auth answers 403 content-type=text/plain \"no\""},
    {Name::kWaits, S::kBehaviour, "waits", "waits", "It answers when a step says so.", "upstream auth waits"},
    {Name::kRefuses, S::kBehaviour, "refuses", "refuses", "It takes no connections.", "upstream auth refuses"},
    {Name::kResets, S::kBehaviour, "resets", "resets", "It closes the connection in the place of an answer.",
     "upstream auth resets"},
    {Name::kAccepts, S::kBehaviour, "accepts", "accepts", "It takes connections, as bytes without a protocol.",
     "upstream other accepts"},

    {Name::kWorkers, S::kOption, "workers=", "workers=N",
     "Worker threads, 1 to 16; `client2` is the second one's. Else 1.", "options workers=2"},
    {Name::kCallBudget, S::kOption, "call_budget_ms=", "call_budget_ms=N",
     "The longest that one call into a guest may take, in real time. Else 10 s.", "options call_budget_ms=250"},
    {Name::kTrailersOption, S::kOption, "trailers", "trailers",
     "HTTP/1 has trailers: `enable_trailers`, towards clients and upstreams.", "options trailers"},
    {Name::kEnvoyStrict, S::kOption, "envoy_strict", "envoy_strict", "As `inlay run --envoy-strict`.",
     "options envoy_strict"},
    {Name::kLegacyProperties, S::kOption, "compat_legacy_properties", "compat_legacy_properties",
     "As `inlay run --compat-legacy-properties`.", "options compat_legacy_properties"},
    {Name::kFailHazards, S::kOption, "fail_hazards", "fail_hazards",
     "As `inlay run --hazards=fail`: the request itself fails, too.", "options fail_hazards"},

    {Name::kStart, S::kShow, "start", "start", "A snapshot also shows what happens before the first step.",
     "show start"},
    {Name::kLog, S::kShow, "log", "log", "A snapshot shows the lines of the log whole.", "show log"},
    {Name::kHeaderShown, S::kShow, "header:", "header:NAME",
     "A snapshot also shows this header, which it leaves out because it differs from run to run.", "show header:date"},

    {Name::kRequest, S::kClientStep, "METHOD", "client METHOD PATH [chunked] [FIELD=VALUE...] [\"BODY\"]",
     "Sends a request's head, and with a BODY all of it. `client2` to `client9` are other connections. Without "
     "`host=` the host is `test`; a BODY has its `content-length` unless it is `chunked`.",
     "client POST /orders host=shop x-user=ann \"one\""},
    {Name::kBody, S::kClientStep, "body", "client body \"TEXT\" [end]",
     "More of the request's body: of a `chunked` one a chunk, and with `end` the last.",
     "client POST / chunked\nclient body \"one\"\nclient body \"two\" end"},
    {Name::kTrailers, S::kClientStep, "trailers", "client trailers FIELD=VALUE...",
     "Ends a `chunked` request with trailers (`options trailers`).", "client trailers x-sum=1"},
    {Name::kConnects, S::kClientStep, "connects", "client connects", "Connects, and sends nothing.", "client connects"},
    {Name::kSends, S::kClientStep, "sends", "client sends \"BYTES\"", "Sends anything.",
     "client sends \"GET / HTTP/1.1\\r\\nhost: a\\r\\n\\r\\n\""},
    {Name::kCloses, S::kClientStep, "closes", "client closes", "Half-closes: it sends no more.", "client closes"},
    {Name::kResets, S::kClientStep, "resets", "client resets", "Resets its connection.", "client resets"},
    {Name::kStops, S::kClientStep, "stops", "client stops", "Stops reading.", "client stops"},
    {Name::kReads, S::kClientStep, "reads", "client reads", "Reads on.", "client reads"},

    {Name::kAnswers, S::kUpstreamStep, "answers",
     "NAME answers STATUS [FIELD=VALUE...] [\"BODY\"] [trailer:FIELD=VALUE...]",
     "An upstream that `waits` answers the oldest request that it has not answered.", "auth answers 200 \"yes\""},
    {Name::kHead, S::kUpstreamStep, "head", "NAME head STATUS [FIELD=VALUE...] [end]",
     "The head of an answer; with `end` all of it.", "origin head 200 content-type=text/plain"},
    {Name::kBody, S::kUpstreamStep, "body", "NAME body \"TEXT\" [end]", "More of its body.", "origin body \"one\" end"},
    {Name::kTrailers, S::kUpstreamStep, "trailers", "NAME trailers FIELD=VALUE...", "Ends an answer with trailers.",
     "origin trailers x-sum=1"},
    {Name::kContinues, S::kUpstreamStep, "continues", "NAME continues", "Sends `100 Continue`.", "origin continues"},
    {Name::kResets, S::kUpstreamStep, "resets", "NAME resets", "Closes the connection in the place of an answer.",
     "auth resets"},
    {Name::kSends, S::kUpstreamStep, "sends", "NAME sends \"BYTES\" [end]",
     "An upstream that `accepts` sends bytes; with `end` it half-closes.", "origin sends \"hello\" end"},
    {Name::kCloses, S::kUpstreamStep, "closes", "NAME closes", "An upstream that `accepts` half-closes.",
     "origin closes"},

    {Name::kWait, S::kStep, "wait", "wait TIME",
     "Time goes by: `250ms`, `30s`, `5m` or `1h`. In process it is virtual, and an hour takes as long as what happens "
     "in it. At the end of another step it is a part of that.",
     "wait 1h\nclient GET / wait 100ms"},
    {Name::kExpect, S::kStep, "expect", "expect [no] WHAT ...",
     "One thing that must be seen, or must not. It looks at what the steps before it have shown, back to the next "
     "`expect` above them, or to the start: one of what is there must be so, and with `no` none of it. Without any "
     "`expect` a case has a snapshot: everything that is seen, below `#### expect`.",
     "client GET /a\nexpect client status 403\nclient GET /b\nexpect client status 200"},

    {Name::kNo, S::kExpect, "no", "expect no ...", "Nothing of what was seen may be so.", "expect no call auth"},
    {Name::kClient, S::kExpect, "client", "expect client ASPECT",
     "A response that the client got. `client2` is another one.", "expect client status 403"},
    {Name::kUpstream, S::kExpect, "upstream", "expect upstream ASPECT", "A request that `origin` got.",
     "expect upstream header authorization = Bearer x"},
    {Name::kCall, S::kExpect, "call", "expect call NAME [ASPECT]",
     "A request that the cluster NAME got from a filter: a call-out.",
     "expect call auth\nexpect call auth header x-user = ann"},
    {Name::kLog, S::kExpect, "log", "expect log [LEVEL] VALUE",
     "A line of the filters' log, or of the host's about them; LEVEL is trace, debug, info, warn, error or critical.",
     "expect log ~ /denied/\nexpect log warn = no token"},
    {Name::kAccessLogLine, S::kExpect, "access_log", "expect access_log VALUE",
     "A line of the access log (`access_log:`).", "expect access_log ~ /^403 /"},
    {Name::kMetric, S::kExpect, "metric", "expect metric NAME = NUMBER",
     "A statistic now. Of a guest's own the prefix `wasmcustom.` may be left out; one that is not there is `absent`.",
     "expect metric denied = 2\nexpect metric cache_hits >= 1"},
    {Name::kHazard, S::kExpect, "hazard", "expect hazard [NAME]",
     "The filter did what would end or hang Envoy. A hazard that no line expects fails the case "
     "([docs/guide/hazards.md](../guide/hazards.md)).",
     "expect hazard head_twice"},
    {Name::kTrap, S::kExpect, "trap", "expect trap",
     "A VM has failed. One that neither a line nor a snapshot expects fails the case.", "expect trap"},

    {Name::kStatus, S::kAspect, "status", "status STATUS", "The response's status.", "expect client status 403"},
    {Name::kMethod, S::kAspect, "method", "method VALUE", "The request's method.", "expect call auth method = POST"},
    {Name::kPath, S::kAspect, "path", "path VALUE", "The request's path.", "expect call auth path = /token"},
    {Name::kHeader, S::kAspect, "header", "header NAME [VALUE]",
     "A header, of any value where none is said; `host` is `:authority`.",
     "expect no upstream header cookie\nexpect client header content-type ~ /json/"},
    {Name::kTrailer, S::kAspect, "trailer", "trailer NAME [VALUE]", "A trailer.", "expect client trailer x-sum = 1"},
    {Name::kBody, S::kAspect, "body", "body VALUE",
     "The body, all that has come of it; of bytes without a protocol those bytes.", "expect client body = not allowed"},
    {Name::kResponse, S::kAspect, "response", "response", "Any response.", "expect no client response"},
    {Name::kRequest, S::kAspect, "request", "request", "Any request.", "expect no upstream request"},
    {Name::kClosed, S::kAspect, "closed", "closed", "The connection has ended.", "expect client closed"},
    {Name::kCount, S::kAspect, "count", "count = NUMBER", "How many there are.", "expect call auth count = 1"},

    {Name::kEquals, S::kValue, "=", "= TEXT",
     "It is this: all up to the line's end, or what stands in quotation marks.",
     "expect client body = \"two\\nlines\\n\""},
    {Name::kMatches, S::kValue, "~", "~ /RE/",
     "This regular expression ([RE2](https://github.com/google/re2/wiki/Syntax)) is found in it; `/RE/i` in either "
     "case.",
     "expect log ~ /denied: .* of ann/"},
    {Name::kCompares, S::kValue, "!=", "!= < <= > >= NUMBER", "Of numbers.", "expect metric denied > 1"},
};

constexpr std::array<std::string_view, kSections> kTitles = {
    "Before all else",
    "Settings",
    "Behind `plugin NAME`",
    "Behind `upstream NAME`",
    "Behind `options`",
    "Behind `show`",
    "Steps of clients",
    "Steps of upstreams",
    "Other steps",
    "Behind `expect`",
    "Behind `expect client`, `expect upstream` and `expect call NAME`",
    "Values",
};

// Whether the table's word is that of the text.
bool is(const WordEntry& entry, std::string_view text) {
  if (entry.name == Name::kRequest && entry.section == S::kClientStep) return false;  // METHOD stands for any
  const bool begins =
      entry.word.ends_with(':') || entry.word.ends_with('.') || (entry.word.ends_with('=') && entry.word.size() > 2);
  return begins ? text.starts_with(entry.word) : text == entry.word;
}

}  // namespace

std::span<const WordEntry> vocabulary() {
  return kWords;
}

std::string_view title_of(Section section) {
  return kTitles[static_cast<size_t>(section)];
}

const WordEntry* find_word(Section section, std::string_view word) {
  for (const WordEntry& entry : kWords) {
    if (entry.section == section && is(entry, word)) return &entry;
  }
  return nullptr;
}

std::string suggest(std::span<const Section> sections, std::string_view word) {
  std::vector<std::string_view> words;
  for (const Section section : sections) {
    for (const WordEntry& entry : kWords) {
      if (entry.section == section && entry.word != "METHOD") words.push_back(entry.word);
    }
  }
  const std::string near = config::nearest(word.substr(0, word.find('=')), words);
  if (!near.empty()) return "; did you mean `" + near + "`?";
  std::string all;
  for (const std::string_view one : words) all.append(all.empty() ? "" : ", ").append(one);
  return "; there are: " + all;
}

std::string suggest(Section section, std::string_view word) {
  return suggest(std::span(&section, 1), word);
}

}  // namespace inlay::tester
