// SPDX-License-Identifier: Apache-2.0
#include "conformance/guests/puppet.h"

#include <cstdlib>
#include <map>

#include "conformance/guests/host_calls.h"
#include "sdk/detail/export.h"

namespace puppet {
namespace {

struct Context {
  unsigned root = 0;
  std::string path;
  std::map<std::string, unsigned> calls;  // how often each callback came
};

std::map<unsigned, Context>& contexts() {
  static std::map<unsigned, Context> all;
  return all;
}
// By root context: two plugins may share a VM.
std::map<unsigned, std::vector<Handler>>& scripts() {
  static std::map<unsigned, std::vector<Handler>> all;
  return all;
}

bool holds(std::string_view condition, const Call& call, const Context& context, unsigned count) {
  if (condition.empty()) return true;
  if (condition == "end") return call.end;
  if (condition == "more") return !call.end;
  if (condition[0] == '#') return parse_number(condition.substr(1)) == count;
  if (condition.substr(0, 5) == "path=") {
    const std::string_view prefix = condition.substr(5);
    return std::string_view(context.path).substr(0, prefix.size()) == prefix;
  }
  return false;
}

const Handler* find_handler(const Call& call, Context& context) {
  const unsigned count = ++context.calls[call.name];
  for (const Handler& handler : scripts()[context.root]) {
    if (handler.callback == call.name && holds(handler.condition, call, context, count)) return &handler;
  }
  return nullptr;
}

unsigned result_of(std::string_view text) {
  if (text == "pause") return 1;
  if (text == "continue") return 0;
  return parse_number(text);
}

[[noreturn]] void loop_for_ever() {
  for (volatile unsigned turns = 0;; turns = turns + 1) {
  }
}

void read_path(Context& context) {
  char* data = nullptr;
  size_t size = 0;
  const char kPath[] = ":path";
  if (proxy_get_header_map_value(inlay::abi::MapType::kHttpRequestHeaders, kPath, sizeof kPath - 1, &data, &size) ==
      Status::kOk) {
    context.path.assign(data == nullptr ? "" : data, size);
  }
  std::free(data);
}

}  // namespace

unsigned on_call(const Call& call) {
  Context& context = contexts()[call.context];
  if (context.root == 0) context.root = call.context;
  memory().root = context.root;
  if (std::string_view(call.name) == "request_headers") read_path(context);
  const Handler* const handler = find_handler(call, context);
  const bool shown = !call.quiet || handler != nullptr;
  std::string head = "on_" + std::string(call.name) + " " + to_text(call.context) + call.arguments;
  if (shown) say(head + (call.end ? " end" : ""));
  unsigned result = call.otherwise;
  if (handler == nullptr) return result;
  for (const Action& action : handler->actions) {
    const std::string& name = action[0].text;
    if (name == "return") {
      result = result_of(action.size() > 1 ? action[1].text : "");
      say("  return " + (action.size() > 1 ? action[1].text : std::string()));
    } else if (name == "trap") {
      say("  trap");
      __builtin_trap();
    } else if (name == "loop") {
      say("  loop");
      loop_for_ever();
    } else if (!run_action(action)) {
      say("  no such action: " + name);
    }
  }
  return result;
}

namespace {

std::string read_buffer(inlay::abi::BufferType buffer, size_t size) {
  if (size == 0) return {};
  char* data = nullptr;
  size_t length = 0;
  const Status status = proxy_get_buffer_bytes(buffer, 0, size, &data, &length);
  std::string text;
  if (status == Status::kOk && data != nullptr) text.assign(data, length);
  std::free(data);
  return text;
}

std::string number(const char* name, size_t value) {
  return " " + std::string(name) + "=" + to_text(static_cast<unsigned long long>(value));
}

std::string peer(unsigned type) {
  static constexpr const char* kTypes[] = {"unknown", "local", "remote"};
  return type < 3 ? " peer=" + std::string(kTypes[type]) : number("peer", type);
}

}  // namespace
}  // namespace puppet

using puppet::number;
using puppet::on_call;
using puppet::peer;

extern "C" {

INLAY_EXPORT_(proxy_on_memory_allocate)
void* allocate(size_t size) {
  return std::malloc(size == 0 ? 1 : size);
}
INLAY_EXPORT_(proxy_on_context_create)
void on_context_create(unsigned id, unsigned parent) {
  auto& context = puppet::contexts()[id];
  context.root = parent == 0 ? id : parent;
  if (parent != 0) puppet::memory().stream = id;
  on_call({"context_create", id, number("parent", parent), false, 0, true});
}
INLAY_EXPORT_(proxy_on_vm_start)
unsigned on_vm_start(unsigned id, size_t size) {
  const std::string script = puppet::read_buffer(inlay::abi::BufferType::kVmConfiguration, size);
  puppet::scripts()[id] = puppet::parse_script(script);
  return on_call({"vm_start", id, number("size", size), false, 1, true});
}
INLAY_EXPORT_(proxy_on_configure)
unsigned on_configure(unsigned id, size_t size) {
  const std::string script = puppet::read_buffer(inlay::abi::BufferType::kPluginConfiguration, size);
  puppet::scripts()[id] = puppet::parse_script(script);
  return on_call({"configure", id, number("size", size), false, 1, true});
}
INLAY_EXPORT_(proxy_on_tick)
void on_tick(unsigned id) {
  on_call({"tick", id, ""});
}
INLAY_EXPORT_(proxy_on_queue_ready)
void on_queue_ready(unsigned id, unsigned queue) {
  on_call({"queue_ready", id, number("queue", queue)});
}
INLAY_EXPORT_(proxy_on_http_call_response)
void on_http_call_response(unsigned id, unsigned, size_t headers, size_t body, size_t trailers) {
  on_call({"http_call_response", id, number("headers", headers) + number("body", body) + number("trailers", trailers)});
}
INLAY_EXPORT_(proxy_on_grpc_receive_initial_metadata)
void on_grpc_receive_initial_metadata(unsigned id, unsigned token, size_t count) {
  on_call({"grpc_initial_metadata", id, number("token", token) + number("metadata", count)});
}
INLAY_EXPORT_(proxy_on_grpc_receive)
void on_grpc_receive(unsigned id, unsigned token, size_t size) {
  on_call({"grpc_receive", id, number("token", token) + number("size", size)});
}
INLAY_EXPORT_(proxy_on_grpc_receive_trailing_metadata)
void on_grpc_receive_trailing_metadata(unsigned id, unsigned token, size_t count) {
  on_call({"grpc_trailing_metadata", id, number("token", token) + number("metadata", count)});
}
INLAY_EXPORT_(proxy_on_grpc_close)
void on_grpc_close(unsigned id, unsigned token, unsigned status) {
  on_call({"grpc_close", id, number("token", token) + number("status", status)});
}
INLAY_EXPORT_(proxy_on_new_connection)
unsigned on_new_connection(unsigned id) {
  return on_call({"new_connection", id, ""});
}
INLAY_EXPORT_(proxy_on_downstream_data)
unsigned on_downstream_data(unsigned id, size_t size, unsigned end) {
  return on_call({"downstream_data", id, number("size", size), end != 0});
}
INLAY_EXPORT_(proxy_on_upstream_data)
unsigned on_upstream_data(unsigned id, size_t size, unsigned end) {
  return on_call({"upstream_data", id, number("size", size), end != 0});
}
INLAY_EXPORT_(proxy_on_downstream_connection_close)
void on_downstream_connection_close(unsigned id, unsigned type) {
  on_call({"downstream_close", id, peer(type)});
}
INLAY_EXPORT_(proxy_on_upstream_connection_close)
void on_upstream_connection_close(unsigned id, unsigned type) {
  on_call({"upstream_close", id, peer(type)});
}
INLAY_EXPORT_(proxy_on_request_body)
unsigned on_request_body(unsigned id, size_t size, unsigned end) {
  return on_call({"request_body", id, number("size", size), end != 0});
}
INLAY_EXPORT_(proxy_on_request_trailers)
unsigned on_request_trailers(unsigned id, size_t count) {
  return on_call({"request_trailers", id, number("trailers", count)});
}
INLAY_EXPORT_(proxy_on_response_body)
unsigned on_response_body(unsigned id, size_t size, unsigned end) {
  return on_call({"response_body", id, number("size", size), end != 0});
}
INLAY_EXPORT_(proxy_on_response_trailers)
unsigned on_response_trailers(unsigned id, size_t count) {
  return on_call({"response_trailers", id, number("trailers", count)});
}
INLAY_EXPORT_(proxy_on_done)
unsigned on_done(unsigned id) {
  return on_call({"done", id, "", false, 1, true});
}
INLAY_EXPORT_(proxy_on_log)
void on_log(unsigned id) {
  on_call({"log", id, "", false, 0, true});
}
INLAY_EXPORT_(proxy_on_delete)
void on_delete(unsigned id) {
  on_call({"delete", id, "", false, 0, true});
  puppet::contexts().erase(id);
}
}
