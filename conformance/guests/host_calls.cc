// SPDX-License-Identifier: Apache-2.0
#include "conformance/guests/host_calls.h"

#include <cstdlib>
#include <utility>

#include "abi/pairs.h"

namespace puppet {
namespace {

using inlay::abi::BufferType;
using inlay::abi::LogLevel;
using inlay::abi::MapType;
using inlay::abi::MetricType;
using inlay::abi::Pair;

constexpr const char* kStatusNames[] = {"Ok",           "NotFound",       "BadArgument",         "SerializationFailure",
                                        "ParseFailure", "BadExpression",  "InvalidMemoryAccess", "Empty",
                                        "CasMismatch",  "ResultMismatch", "InternalFailure",     "BrokenConnection",
                                        "Unimplemented"};
constexpr const char* kMaps[] = {"req", "reqt", "resp", "respt", "grpci", "grpct", "call", "callt"};
constexpr const char* kBuffers[] = {"req", "resp", "down", "up", "call", "grpc", "vm", "plugin", "foreign"};
constexpr const char* kMetricTypes[] = {"counter", "gauge", "histogram"};
constexpr const char* kLevels[] = {"trace", "debug", "info", "warn", "error", "critical"};

// A name of the list, or a number.
template <size_t N>
unsigned find(const char* const (&names)[N], std::string_view text) {
  for (unsigned i = 0; i < N; ++i) {
    if (text == names[i]) return i;
  }
  return parse_number(text);
}

// What a host function has allocated here.
class Returned {
 public:
  ~Returned() { std::free(data); }
  std::string text() const { return data == nullptr && size == 0 ? "null" : quote({data, size}); }
  char* data = nullptr;
  size_t size = 0;
};

// The words of one action, taken one after another.
class Words {
 public:
  explicit Words(const Action& action) : action_(action) {}
  std::string_view name() const { return action_[0].text; }
  bool more() const { return next_ < action_.size(); }
  std::string_view text() { return more() ? std::string_view(action_[next_++].text) : std::string_view(); }
  unsigned number() { return parse_number(text()); }
  MapType map() { return static_cast<MapType>(find(kMaps, text())); }
  BufferType buffer() { return static_cast<BufferType>(find(kBuffers, text())); }
  bool next_is_quoted() const { return more() && action_[next_].quoted; }
  bool next_is(std::string_view prefix) const {
    return more() && std::string_view(action_[next_].text).substr(0, prefix.size()) == prefix;
  }
  // The rest: name=value words.
  std::string pairs() {
    std::vector<Pair> list;
    for (; more(); ++next_) {
      const std::string_view word = action_[next_].text;
      const size_t equals = word.find('=', 1);
      if (equals != std::string_view::npos) list.push_back({word.substr(0, equals), word.substr(equals + 1)});
    }
    return serialise(list);
  }
  static std::string serialise(const std::vector<Pair>& list) {
    std::string bytes(inlay::abi::pairs_size(list), '\0');
    inlay::abi::write_pairs(list, bytes.data());
    return bytes;
  }

 private:
  const Action& action_;
  size_t next_ = 1;
};

std::string show(const Action& action) {
  std::string text;
  for (const Word& word : action) {
    if (!text.empty()) text += ' ';
    text += word.quoted ? quote(word.text) : word.text;
  }
  return text;
}

std::string show_pairs(const Returned& value) {
  const auto reader = inlay::abi::PairsReader::open({value.data, value.size});
  if (!reader) return "malformed";
  auto walk = *reader;
  std::string text = "{";
  for (Pair p; walk.next(p);) {
    if (text.size() > 1) text += ", ";
    text.append(p.key).append(": ").append(p.value);
  }
  return text + "}";
}

std::string with(Status status, const std::string& value) {
  return status == Status::kOk ? to_text(status) + " " + value : to_text(status);
}

// --- headers and bodies ---

std::string get(Words& w) {
  Returned value;
  const MapType map = w.map();
  const std::string_view key = w.text();
  const Status status = proxy_get_header_map_value(map, key.data(), key.size(), &value.data, &value.size);
  return with(status, value.text());
}
std::string pairs(Words& w) {
  Returned value;
  const Status status = proxy_get_header_map_pairs(w.map(), &value.data, &value.size);
  return with(status, status == Status::kOk ? show_pairs(value) : "");
}
std::string set_pairs(Words& w) {
  const MapType map = w.map();
  const std::string bytes = w.pairs();
  return to_text(proxy_set_header_map_pairs(map, bytes.data(), bytes.size()));
}
std::string map_size(Words& w) {
  size_t size = 0;
  const Status status = proxy_get_header_map_size(w.map(), &size);
  return with(status, to_text(size));
}
std::string edit(Words& w) {
  const std::string_view name = w.name();
  const MapType map = w.map();
  const std::string_view key = w.text();
  if (name == "remove") return to_text(proxy_remove_header_map_value(map, key.data(), key.size()));
  const std::string_view value = w.text();
  const auto call = name == "add" ? proxy_add_header_map_value : proxy_replace_header_map_value;
  return to_text(call(map, key.data(), key.size(), value.data(), value.size()));
}
std::string body(Words& w) {
  Returned value;
  const BufferType buffer = w.buffer();
  const unsigned start = w.number();
  const unsigned size = w.more() ? w.number() : ~0u;
  return with(proxy_get_buffer_bytes(buffer, start, size, &value.data, &value.size), value.text());
}
std::string set_body(Words& w) {
  const BufferType buffer = w.buffer();
  const unsigned start = w.number();
  const unsigned size = w.number();
  const std::string_view value = w.text();
  return to_text(proxy_set_buffer_bytes(buffer, start, size, value.data(), value.size()));
}
std::string buffer_status(Words& w) {
  size_t size = 0;
  uint32_t flags = 0;
  const Status status = proxy_get_buffer_status(w.buffer(), &size, &flags);
  return with(status, to_text(size) + " " + to_text(flags));
}

// --- the stream ---

constexpr const char* kStreams[] = {"req", "resp", "down", "up"};

std::string resume(Words& w) {
  return to_text(continue_stream(w.more() ? find(kStreams, w.text()) : 0));
}
std::string close(Words& w) {
  return to_text(close_stream(find(kStreams, w.text())));
}
// reply STATUS ["BODY"] [details=D] [grpc=N] [NAME=VALUE...]
std::string reply(Words& w) {
  const unsigned status = w.number();
  const std::string_view body = w.next_is_quoted() ? w.text() : std::string_view();
  std::string_view details;
  unsigned grpc = ~0u;
  std::vector<Pair> headers;
  while (w.more()) {
    const std::string_view word = w.text();
    const size_t equals = word.find('=', 1);
    if (equals == std::string_view::npos) continue;
    const Pair pair{word.substr(0, equals), word.substr(equals + 1)};
    if (pair.key == "details") {
      details = pair.value;
    } else if (pair.key == "grpc") {
      grpc = parse_number(pair.value);
    } else {
      headers.push_back(pair);
    }
  }
  const std::string bytes = headers.empty() ? std::string() : Words::serialise(headers);
  return to_text(proxy_send_local_response(status, details.data(), details.size(), body.data(), body.size(),
                                           bytes.data(), bytes.size(), grpc));
}
// call CLUSTER PATH ["BODY"] [timeout=MS] [method=M] [trailer:NAME=VALUE...] [NAME=VALUE...]; "-" is a path left out.
std::string call(Words& w) {
  const std::string_view cluster = w.text();
  const std::string_view path = w.text();
  const std::string_view body = w.next_is_quoted() ? w.text() : std::string_view();
  unsigned timeout = 60'000;  // of a busy machine, too
  std::vector<Pair> headers{{":method", "GET"}, {":authority", "callout"}};
  if (path != "-") headers.push_back({":path", path});
  std::vector<Pair> trailers;
  while (w.more()) {
    const std::string_view word = w.text();
    const size_t equals = word.find('=', 1);
    if (equals == std::string_view::npos) continue;
    const Pair pair{word.substr(0, equals), word.substr(equals + 1)};
    if (pair.key == "timeout") {
      timeout = parse_number(pair.value);
    } else if (pair.key == "method") {
      headers[0].value = pair.value;
    } else if (pair.key.substr(0, 8) == "trailer:") {
      trailers.push_back({pair.key.substr(8), pair.value});
    } else {
      headers.push_back(pair);
    }
  }
  const std::string head = Words::serialise(headers);
  const std::string tail = trailers.empty() ? std::string() : Words::serialise(trailers);
  uint32_t id = 0;
  const Status status = proxy_http_call(cluster.data(), cluster.size(), head.data(), head.size(), body.data(),
                                        body.size(), tail.data(), tail.size(), timeout, &id);
  return to_text(status);
}
std::string call_status(Words&) {
  uint32_t code = 0;
  Returned message;
  const Status status = proxy_get_status(&code, &message.data, &message.size);
  return with(status, to_text(code) + " " + message.text());
}
// grpc_call and grpc_stream: TARGET SERVICE METHOD ["MESSAGE"] [timeout=MS] [NAME=VALUE...]; the target is a cluster's
// name, or a GrpcService's bytes.
struct GrpcHead {
  explicit GrpcHead(Words& w) : target(w.text()), service(w.text()), method(w.text()) {}
  std::string_view target, service, method;
};
std::string grpc_call(Words& w) {
  const GrpcHead head(w);
  const std::string_view message = w.next_is_quoted() ? w.text() : std::string_view();
  unsigned timeout = 60'000;  // of a busy machine, too
  if (w.next_is("timeout=")) timeout = parse_number(w.text().substr(8));
  const std::string metadata = w.pairs();
  uint32_t token = 0;
  const Status status = proxy_grpc_call(head.target.data(), head.target.size(), head.service.data(),
                                        head.service.size(), head.method.data(), head.method.size(), metadata.data(),
                                        metadata.size(), message.data(), message.size(), timeout, &token);
  return with(status, to_text(token));
}
std::string grpc_stream(Words& w) {
  const GrpcHead head(w);
  const std::string metadata = w.pairs();
  uint32_t token = 0;
  const Status status =
      proxy_grpc_stream(head.target.data(), head.target.size(), head.service.data(), head.service.size(),
                        head.method.data(), head.method.size(), metadata.data(), metadata.size(), &token);
  return with(status, to_text(token));
}
// grpc_send TOKEN "MESSAGE" [end]
std::string grpc_send(Words& w) {
  const unsigned token = w.number();
  const std::string_view message = w.text();
  return to_text(proxy_grpc_send(token, message.data(), message.size(), w.text() == "end" ? 1 : 0));
}
std::string grpc_end(Words& w) {
  const auto call = w.name() == "grpc_close" ? proxy_grpc_close : proxy_grpc_cancel;
  return to_text(call(w.number()));
}
std::string effective(Words& w) {
  const std::string_view which = w.text();
  const unsigned id = which == "root" ? memory().root : which == "stream" ? memory().stream : parse_number(which);
  return to_text(proxy_set_effective_context(id));
}

// --- properties and what is shared ---

// The parts of a path stand with dots between them.
std::string path_of(std::string_view dotted) {
  std::string path(dotted);
  for (char& c : path) c = c == '.' ? '\0' : c;
  return path;
}
std::string prop(Words& w) {
  const std::string path = path_of(w.text());
  Returned value;
  return with(proxy_get_property(path.data(), path.size(), &value.data, &value.size), value.text());
}
std::string set_prop(Words& w) {
  const std::string path = path_of(w.text());
  const std::string_view value = w.text();
  return to_text(proxy_set_property(path.data(), path.size(), value.data(), value.size()));
}
std::string data_get(Words& w) {
  const std::string_view key = w.text();
  Returned value;
  const Status status = proxy_get_shared_data(key.data(), key.size(), &value.data, &value.size, &memory().cas);
  return with(status, value.text() + " cas=" + to_text(memory().cas));
}
// data_set KEY VALUE [CAS]; the CAS "last" is that of the last data_get.
std::string data_set(Words& w) {
  const std::string_view key = w.text();
  const std::string_view value = w.text();
  const std::string_view cas = w.text();
  return to_text(proxy_set_shared_data(key.data(), key.size(), value.data(), value.size(),
                                       cas == "last" ? memory().cas : parse_number(cas)));
}
std::string queue_register(Words& w) {
  const std::string_view name = w.text();
  uint32_t id = 0;
  const Status status = proxy_register_shared_queue(name.data(), name.size(), &id);
  return with(status, to_text(id));
}
std::string queue_resolve(Words& w) {
  const std::string_view vm = w.text();
  const std::string_view name = w.text();
  uint32_t id = 0;
  const Status status = proxy_resolve_shared_queue(vm.data(), vm.size(), name.data(), name.size(), &id);
  return with(status, to_text(id));
}
std::string enqueue(Words& w) {
  const unsigned queue = w.number();
  const std::string_view value = w.text();
  return to_text(proxy_enqueue_shared_queue(queue, value.data(), value.size()));
}
std::string dequeue(Words& w) {
  Returned value;
  return with(proxy_dequeue_shared_queue(w.number(), &value.data, &value.size), value.text());
}

// --- the rest ---

std::string metric(Words& w) {
  const auto type = static_cast<MetricType>(find(kMetricTypes, w.text()));
  const std::string_view name = w.text();
  uint32_t id = 0;
  return with(proxy_define_metric(type, name.data(), name.size(), &id), to_text(id));
}
std::string increment(Words& w) {
  const unsigned id = w.number();
  const std::string_view by = w.text();
  const bool negative = !by.empty() && by[0] == '-';
  const auto amount = static_cast<inlay::abi::S64>(parse_number(negative ? by.substr(1) : by));
  return to_text(proxy_increment_metric(id, negative ? -amount : amount));
}
std::string record(Words& w) {
  const unsigned id = w.number();
  return to_text(proxy_record_metric(id, w.number()));
}
std::string metric_get(Words& w) {
  inlay::abi::U64 value = 0;
  const Status status = proxy_get_metric(w.number(), &value);
  return with(status, to_text(value));
}
std::string tick(Words& w) {
  return to_text(proxy_set_tick_period_milliseconds(w.number()));
}
std::string log(Words& w) {
  const auto level = static_cast<LogLevel>(find(kLevels, w.text()));
  const std::string_view text = w.text();
  return to_text(proxy_log(level, text.data(), text.size()));
}
std::string log_level(Words&) {
  LogLevel level{};
  const Status status = get_log_level(&level);
  return with(status, kLevels[static_cast<unsigned>(level)]);
}
std::string foreign(Words& w) {
  const std::string_view name = w.text();
  const std::string_view argument = w.text();
  Returned value;
  const Status status =
      proxy_call_foreign_function(name.data(), name.size(), argument.data(), argument.size(), &value.data, &value.size);
  return with(status, value.text());
}
std::string configuration(Words&) {
  Returned value;
  const Status status = get_configuration(&value.data, &value.size);
  return with(status, value.text());
}
std::string done(Words&) {
  return to_text(proxy_done());
}

struct Entry {
  const char* name;
  std::string (*run)(Words&);
};
constexpr Entry kActions[] = {
    {"get", get},
    {"pairs", pairs},
    {"set_pairs", set_pairs},
    {"map_size", map_size},
    {"add", edit},
    {"set", edit},
    {"remove", edit},
    {"body", body},
    {"set_body", set_body},
    {"resume", resume},
    {"close", close},
    {"reply", reply},
    {"call", call},
    {"call_status", call_status},
    {"grpc_call", grpc_call},
    {"grpc_stream", grpc_stream},
    {"grpc_send", grpc_send},
    {"grpc_close", grpc_end},
    {"grpc_cancel", grpc_end},
    {"effective", effective},
    {"prop", prop},
    {"set_prop", set_prop},
    {"data_get", data_get},
    {"data_set", data_set},
    {"enqueue", enqueue},
    {"dequeue", dequeue},
    {"queue_register", queue_register},
    {"queue_resolve", queue_resolve},
    {"metric", metric},
    {"increment", increment},
    {"record", record},
    {"metric_get", metric_get},
    {"tick", tick},
    {"log", log},
    {"log_level", log_level},
    {"foreign", foreign},
    {"done", done},
    {"configuration", configuration},
    {"buffer_status", buffer_status},
};

}  // namespace

void say(std::string_view text) {
  (void)proxy_log(LogLevel::kInfo, text.data(), text.size());
}

std::string to_text(Status status) {
  const auto number = static_cast<unsigned>(status);
  constexpr unsigned kKnown = sizeof kStatusNames / sizeof *kStatusNames;
  return number < kKnown ? kStatusNames[number] : "status " + to_text(static_cast<unsigned long long>(number));
}

Memory& memory() {
  static Memory all;
  return all;
}

bool run_action(const Action& action) {
  for (const Entry& entry : kActions) {
    if (action[0].text != entry.name) continue;
    Words words(action);
    const std::string result = entry.run(words);
    say("  " + show(action) + " = " + result);
    return true;
  }
  return false;
}

}  // namespace puppet
