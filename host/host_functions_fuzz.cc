// SPDX-License-Identifier: Apache-2.0
// A guest that calls any host function with any arguments, in any callback and order, on any memory, inside of its
// allocator too, and that traps now and then; under every failure policy. The input's first part says what happens to
// the proxy (streams, bodies, time), the rest is the guest's script. What a guest made of a header map must be fit to
// be sent, and within the limits. The guest is always the same and is compiled once, ahead of time: thousands of inputs
// a second. With INLAY_FUZZ_INTERP set it is interpreted, 50 times slower.
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>

#include "compiler/compiler.h"
#include "compiler/wat.h"
#include "host/functions.h"
#include "host/guest_limits.h"
#include "http/header_fault.h"
#include "testkit/proxy.h"

namespace {

using namespace inlay;                 // NOLINT: one file, one purpose
using namespace inlay::testkit;        // NOLINT
using namespace std::chrono_literals;  // NOLINT

// Where the guest has things: 0x1000 data to point at, 0x8000 its script, 0x10000 its heap.
constexpr std::string_view kRest = R"(
  (memory (export "memory") 4)
  (data (i32.const 0x1000) "x-name")
  (data (i32.const 0x1040) "c")
  (data (i32.const 0x1080) "\03\00\00\00" "\07\00\00\00\03\00\00\00" "\05\00\00\00\01\00\00\00" "\0a\00\00\00\01\00\00\00"
                           ":method\00GET\00" ":path\00/\00" ":authority\00c\00")
  (data (i32.const 0x10c0) "\01\00\00\00\01\00\00\00\01\00\00\00x\00y\00")
  (data (i32.const 0x1100) "plugin_name")
  (data (i32.const 0x1140) "clear_route_cache")
  (data (i32.const 0x1180) ":status")
  (data (i32.const 0x11c0) "xds\00node\00id\00")
  (global $at (mut i32) (i32.const 0))
  (global $end (mut i32) (i32.const 0))
  (global $heap (mut i32) (i32.const 0x10000))
  (global $depth (mut i32) (i32.const 0))
  (func $byte (result i32)
    (if (i32.ge_u (global.get $at) (global.get $end)) (then (return (i32.const 0))))
    (global.set $at (i32.add (global.get $at) (i32.const 1)))
    (i32.load8_u (i32.add (global.get $at) (i32.const 0x7fff))))
  ;; an argument: a small number, a pointer to data, one into the script, a word from 0x2000 on, or any 32 bits
  (func $arg (result i32) (local $b i32)
    (local.set $b (call $byte))
    (if (i32.lt_u (local.get $b) (i32.const 0x70)) (then (return (local.get $b))))
    (if (i32.lt_u (local.get $b) (i32.const 0xb0))
      (then (return (i32.add (i32.const 0x1000) (i32.mul (i32.sub (local.get $b) (i32.const 0x70)) (i32.const 64))))))
    (if (i32.lt_u (local.get $b) (i32.const 0xd0)) (then (return (i32.add (i32.const 0x8000) (call $byte)))))
    (if (i32.lt_u (local.get $b) (i32.const 0xe8))
      (then (return (i32.load (i32.add (i32.const 0x2000) (i32.mul (local.get $b) (i32.const 4)))))))
    (i32.or (i32.or (call $byte) (i32.shl (call $byte) (i32.const 8)))
            (i32.or (i32.shl (call $byte) (i32.const 16)) (i32.shl (call $byte) (i32.const 24)))))
  (func $steps (local $n i32)
    (local.set $n (i32.and (call $byte) (i32.const 7)))
    (loop $next (if (local.get $n) (then
      (call $step) (local.set $n (i32.sub (local.get $n) (i32.const 1))) (br $next)))))
  (func (export "malloc") (param $size i32) (result i32) (local $b i32) (local $p i32)
    (local.set $b (call $byte))
    (if (i32.and (i32.lt_u (local.get $b) (i32.const 32)) (i32.eqz (global.get $depth))) (then
      (global.set $depth (i32.const 1)) (call $steps) (global.set $depth (i32.const 0))))
    (if (i32.eq (local.get $b) (i32.const 255)) (then (return (call $arg))))
    (local.set $p (global.get $heap))
    (global.set $heap (i32.add (global.get $heap) (local.get $size)))
    (if (i32.gt_u (global.get $heap) (i32.const 0x38000)) (then (global.set $heap (i32.const 0x10000))))
    (local.get $p))
  (func (export "proxy_abi_version_0_2_1"))
  (func (export "_initialize") (call $steps))
  (func (export "proxy_on_vm_start") (param i32 i32) (result i32) (call $load (i32.const 6) (local.get 1))
    (call $steps) (i32.const 1))
  (func (export "proxy_on_configure") (param i32 i32) (result i32) (call $steps) (i32.const 1))
  ;; the script is the VM's configuration
  (func $load (param $type i32) (param $size i32)
    (drop (call $proxy_get_buffer_bytes (local.get $type) (i32.const 0) (i32.const 0x7000) (i32.const 0) (i32.const 4)))
    (if (i32.gt_u (local.get $size) (i32.const 0x7000)) (then (local.set $size (i32.const 0x7000))))
    (memory.copy (i32.const 0x8000) (i32.load (i32.const 0)) (local.get $size))
    (global.set $end (local.get $size)))
)";

// A callback that runs some steps and returns what the script says.
std::string callback(std::string_view name, int params, bool result) {
  std::string text = "(func (export \"proxy_on_" + std::string(name) + "\") (param";
  for (int i = 0; i < params; ++i) text += " i32";
  text += result ? ") (result i32) (call $steps) (call $arg))\n" : ") (call $steps))\n";
  return text;
}

// Imports every host function, and has $step choose one of them, or something of the guest's own.
std::string guest_text() {
  std::string imports;
  std::string blocks;
  std::string table;
  std::string cases;
  size_t count = 0;
  for (const engine::HostFunction& f : host::all_functions()) {
    if (f.module == "wasi_unstable" || !host::is_offered(f.module, f.name, abi::Version::k0_2_1)) continue;
    const std::string name(f.name);
    imports += "(import \"" + std::string(f.module) + "\" \"" + name + "\" (func $" + name;
    std::string call = "(call $" + name;
    for (const engine::ValueType p : f.params) {
      const bool wide = p == engine::ValueType::kI64;
      imports += wide ? " (param i64)" : " (param i32)";
      call += wide ? " (i64.extend_i32_s (call $arg))" : " (call $arg)";
    }
    call += ")";
    // What it said is left in memory, where $arg may find it.
    if (!f.results.empty()) {
      imports += " (result i32)";
      call = "(i32.store (i32.const 0x2400) " + call + ")";
    }
    imports += "))\n";
    cases += ") " + call + " (return)\n";
    blocks += "(block ";
    table += std::to_string(count++) + " ";
  }
  for (const std::string_view own : {"(drop (memory.grow (call $arg)))", "(i32.store (call $arg) (call $arg))",
                                     "(if (i32.eq (call $byte) (i32.const 200)) (then unreachable))"}) {
    cases += ") " + std::string(own) + " (return)\n";
    blocks += "(block ";
    table += std::to_string(count++) + " ";
  }
  // br_table counts blocks from the innermost, which is the first case.
  const std::string step = "(func $step " + blocks + "(block (br_table " + table + std::to_string(count) +
                           " (i32.rem_u (call $byte) (i32.const " + std::to_string(count) + "))))" + " (return)" +
                           cases + ")\n";
  std::string callbacks;
  struct Row {
    std::string_view name;
    int params;
    bool result;
  };
  constexpr Row kCallbacks[] = {
      {"context_create", 2, false},
      {"tick", 1, false},
      {"log", 1, false},
      {"delete", 1, false},
      {"queue_ready", 2, false},
      {"http_call_response", 5, false},
      {"request_headers", 3, true},
      {"request_body", 3, true},
      {"request_trailers", 2, true},
      {"response_headers", 3, true},
      {"response_body", 3, true},
      {"response_trailers", 2, true},
      {"new_connection", 1, true},
      {"downstream_data", 3, true},
      {"upstream_data", 3, true},
      {"downstream_connection_close", 2, false},
      {"upstream_connection_close", 2, false},
      {"done", 1, true},
  };
  for (const Row& row : kCallbacks) callbacks += callback(row.name, row.params, row.result);
  return "(module\n" + imports + std::string(kRest) + step + callbacks + ")";
}

std::shared_ptr<engine::Module> guest_module() {
  const std::string text = guest_text();
  const auto bytes = compiler::wat_to_wasm(text);
  if (!bytes) {
    fprintf(stderr, "%s\n", bytes.error().to_string().c_str());
    std::abort();
  }
  compiler::LoadOptions options;
  options.kind = std::getenv("INLAY_FUZZ_INTERP") == nullptr ? engine::EngineKind::kAot : engine::EngineKind::kInterp;
  auto module = compiler::load_module(*bytes, options);
  if (!module) {
    fprintf(stderr, "%s\n", module.error().to_string().c_str());
    std::abort();
  }
  return *module;
}

void check(const http::HeaderMap& map) {
  if (map.byte_size() > host::limits::kMapBytes + 4096) std::abort();
  (void)http::header_fault(map);  // a guest may put anything into a map: who sends it asks
}

// Drives one stream a step further.
void drive(TestStream& stream, uint8_t how) {
  if (stream.bypassed()) return;
  const std::string chunk(how, 'b');
  switch (how % 8) {
    case 0:
      stream.request_headers((how & 8) != 0);
      break;
    case 1:
      stream.request_body(chunk, (how & 8) != 0);
      break;
    case 2:
      stream.request_trailers({{"t", "1"}});
      break;
    case 3:
      stream.response_headers({{":status", "200"}, {"content-type", "text/plain"}}, (how & 8) != 0);
      break;
    case 4:
      stream.response_body(chunk, (how & 8) != 0);
      break;
    case 5:
      stream.response_trailers({{"t", "1"}});
      break;
    default:
      break;
  }
  for (const http::HeaderMap* map :
       {&stream.request, &stream.response, &stream.request_trailer_map, &stream.response_trailer_map})
    check(*map);
  if (stream.request_buffer.size() > host::limits::kBodyBytes + 65536) std::abort();
}

// Drives one TCP connection a step further; false if that ended it.
bool drive(TestConnection& connection, uint8_t how) {
  if (connection.bypassed()) return true;
  const std::string chunk(how, 'b');
  const bool end = (how & 8) != 0;
  switch (how % 8) {
    case 0:
      connection.open();
      break;
    case 1:
    case 2:
      connection.receive(host::Peer::kDownstream, chunk, end);
      break;
    case 3:
      connection.receive(host::Peer::kUpstream, chunk, end);
      break;
    case 4:
      connection.close_upstream(end ? abi::PeerType::kLocal : abi::PeerType::kRemote);
      break;
    default:
      connection.finish(end ? abi::PeerType::kLocal : abi::PeerType::kRemote);
      return false;
  }
  for (const Buffer& waiting : connection.waiting) {
    if (waiting.size() > host::limits::kBodyBytes + 65536) std::abort();
  }
  return true;
}

void play(std::string_view script, std::string_view events, uint8_t flags) {
  static const auto module = guest_module();
  ProxyOptions options;
  options.workers = (flags & 8) != 0 ? 2 : 1;
  options.envoy_strict = (flags & 4) != 0;
  options.limits.max_memory_bytes = 1 << 20;
  options.limits.call_budget = 0ms;  // the guest's script always ends
  TestProxy proxy(options);
  for (size_t i = 0; i < options.workers; ++i) {
    auto& upstreams = proxy.worker(i).upstreams();
    upstreams.answer("c", "/", {.body = "answer", .trailers = {{"t", "1"}}, .after = 5ms});
    upstreams.answer("c", "/", {.shape = Answer::Shape::kReset});
    upstreams.answer("c", "/", {.shape = Answer::Shape::kUnavailable});
    upstreams.answer("c", "/", {.shape = Answer::Shape::kTimeout});
  }
  host::PluginConfig config;
  config.name = "fuzz";
  config.vm_configuration = script;
  config.configuration = "configuration";
  config.failure_policy = static_cast<host::FailurePolicy>(flags % 3);
  config.reload_backoff = 10ms;
  if (!proxy.load(module, config)) return;
  std::array<std::unique_ptr<TestStream>, 4> streams;
  std::unique_ptr<TestConnection> connection;
  const bool with_connection = (flags & 16) != 0;  // in place of the last stream
  for (const char c : events.substr(0, 64)) {
    const auto event = static_cast<uint8_t>(c);
    auto& stream = streams[event >> 6];
    if ((event & 0x38) == 0x38) {
      proxy.advance(std::chrono::milliseconds(event & 7));
    } else if ((event & 0x3f) == 0x37) {
      proxy.advance(50ms);
    } else if (with_connection && event >> 6 == 3) {
      if (!connection || (event & 0x3f) == 0x36) {
        connection.reset();
        connection = proxy.connection(*proxy.attached(options.workers - 1));
      } else {
        if (!drive(*connection, event & 0x3f)) connection.reset();
      }
    } else if (!stream || (event & 0x3f) == 0x36) {
      stream.reset();
      stream = proxy.stream(*proxy.attached((event >> 7) % options.workers),
                            {{":method", "GET"}, {":path", "/"}, {":authority", "a"}});
    } else if ((event & 0x3f) == 0x35) {
      stream.reset();
    } else {
      drive(*stream, event & 0x3f);
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  if (size < 2) return 0;
  const std::string_view input(reinterpret_cast<const char*>(bytes) + 2, size - 2);
  const size_t events = std::min<size_t>(bytes[1] & 63, input.size());
  play(input.substr(events), input.substr(0, events), bytes[0]);
  return 0;
}
