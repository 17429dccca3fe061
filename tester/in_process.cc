// SPDX-License-Identifier: Apache-2.0
#include "tester/in_process.h"

#include <algorithm>
#include <filesystem>
#include <map>

#include "tester/bootstrap.h"
#include "tester/in_process_calls.h"
#include "tester/in_process_worker.h"
#include "tester/memory_connection.h"
#include "tester/modules.h"
#include "tester/tcp_origin.h"
#include "tester/wire.h"

namespace inlay::tester {
namespace {

constexpr int kQuietTurns = 4;  // turns of the loops without anything new: all has happened

class InProcess final : public World {
 public:
  explicit InProcess(const Run& run)
      : run_(run),
        script_{run.c, run.transcript},
        log_(run.c, script_),
        host_({.metrics = &metrics_,
               .clock = &clock_,
               .log = &log_,
               .limits = {.call_budget = run.call_budget},
               .envoy_strict = run.c.envoy_strict,
               .compat_legacy_properties = run.c.legacy_properties,
               .fail_hazards = run.c.fail_hazards,
               .root_property =
                   [this](const auto& path, std::string& value) {
                     return proxy::wasm_filter::root_attribute({.node = &shared_.bootstrap.node}, path, value);
                   }}),
        shared_{run.c, script_, clock_, metrics_, host_} {}
  ~InProcess() override { end_workers(); }

  Result<Unit> start() override;
  void client_request(const std::string& client, const Step& step) override {
    client_sends(client, writers_[client].head(step), step.method);
  }
  void client_body(const std::string& client, std::string_view text, bool end) override {
    client_sends(client, writers_[client].body(text, end), "");
  }
  void client_trailers(const std::string& client, const Fields& fields) override {
    client_sends(client, writers_[client].trailers(fields), "");
  }
  void client_sends(const std::string& client, std::string_view bytes, std::string_view method) override;
  void client_closes(const std::string& client, bool reset) override;
  void client_reads(const std::string& client, bool reads) override;
  bool upstream_head(const std::string& upstream, const Answer& answer, bool end, bool chunked) override;
  bool upstream_body(const std::string& upstream, std::string_view bytes, bool end) override;
  bool upstream_trailers(const std::string& upstream, const Fields& trailers) override;
  bool upstream_resets(const std::string& upstream) override;
  bool upstream_continues(const std::string& upstream) override;
  void wait(std::chrono::milliseconds time) override;
  std::vector<std::string> stats(const std::vector<std::string>& names) override;
  void settle(const std::function<bool()>& seen) override {
    pump();
    (void)seen();
  }
  void finish() override;

 private:
  struct Client {
    Client(const std::string& name, const Run& run)
        : reader(run.c.tcp ? WireReader::Kind::kBytes : WireReader::Kind::kResponses, name, run.transcript,
                 run.c.show) {}
    MemoryConnection::Client end;
    WireReader reader;
    size_t worker = 0;
    bool connected = false;
  };
  Result<Unit> add_plugin(const config::WasmPlugin& wasm);
  Result<std::shared_ptr<engine::Module>> load(const config::WasmPlugin& wasm) const;
  InProcessWorker& take_turn(size_t thread);
  Client& client(const std::string& name);
  void pump();
  ScriptedOrigin* waiting(const std::string& upstream) const {
    return upstream == ScriptedOrigin::kName && !script_.waiting.empty() ? script_.waiting.front() : nullptr;
  }
  TcpOrigin* connection(const std::string& upstream) const;
  void on_loop(net::EventLoop& loop, std::function<void()> task);
  void end_workers();

  Run run_;
  OriginScript script_;
  testkit::VirtualClock clock_;
  stats::MetricStore metrics_;
  TranscriptLog log_;
  host::Host host_;
  InProcessWorker::Shared shared_;
  std::vector<std::unique_ptr<InProcessWorker>> threads_;  // the main one, then the workers
  std::map<std::string, std::unique_ptr<Client>> clients_;
  std::map<std::string, RequestWriter> writers_;  // of each client
  InProcessCalls calls_{run_, script_, threads_};
};

// --- start and end ---

Result<Unit> InProcess::start() {
  std::map<std::string, uint16_t> ports;
  for (const Upstream& u : run_.c.upstreams) ports[u.name] = 1;
  INLAY_TRY(shared_.bootstrap, load_bootstrap(run_, ports));
  const config::Listener& listener = shared_.listener();
  if (!listener.tcp_proxy) {
    INLAY_TRY(shared_.routes, proxy::router::RouteTable::compile(listener.http.route_config, [](std::string_view) {
                return std::optional<size_t>(0);
              }));
  }
  if (!listener.access_logs().empty()) {
    INLAY_TRY(shared_.access_log, proxy::access_log::AccessLog::compile(listener.access_logs()[0]));
  }
  shared_.clusters.emplace(shared_.bootstrap.clusters, metrics_, [](std::string_view) {});
  threads_.push_back(std::make_unique<InProcessWorker>(shared_));
  for (const config::NetworkFilter& filter : listener.network_filters) {
    INLAY_RETURN_IF_ERROR(add_plugin(filter.wasm));
  }
  for (const config::HttpFilter& filter : listener.http.http_filters) {
    const auto* wasm = std::get_if<config::WasmPlugin>(&filter.config);
    if (wasm == nullptr) continue;
    INLAY_RETURN_IF_ERROR(add_plugin(*wasm));
  }
  for (size_t i = 1; i <= run_.c.workers; ++i) {
    threads_.push_back(std::make_unique<InProcessWorker>(shared_));
    take_turn(i).serve(shared_);
  }
  pump();
  return Unit{};
}

Result<Unit> InProcess::add_plugin(const config::WasmPlugin& wasm) {
  if (!wasm.code.bytes) {
    return Error{ErrorCode::kUnsupported,
                 "the code of plugin '" + wasm.plugin.name + "' is fetched from elsewhere; a case has it as a file",
                 run_.c.bootstrap_place};
  }
  auto loaded = load(wasm);
  if (!loaded) return Error{loaded.error().code, wasm.code.filename + ": " + loaded.error().message, ""};
  auto module = *std::move(loaded);
  INLAY_TRY(auto plugin, host_.create_plugin(wasm.plugin, std::move(module)));
  threads_[0]->guests->worker().attach(plugin);
  shared_.plugins.push_back(std::move(plugin));
  return Unit{};
}

Result<std::shared_ptr<engine::Module>> InProcess::load(const config::WasmPlugin& wasm) const {
  if (run_.recording == nullptr) return load_module(*wasm.code.bytes, run_.engine);
  const bool is_of_case = wasm.code.filename.starts_with(run_.directory);
  const std::string name = is_of_case ? "plugin " + wasm.plugin.name + " of " + run_.c.path
                                      : std::filesystem::path(wasm.code.filename).lexically_normal().string();
  return run_.recording->load(name, *wasm.code.bytes);
}

void InProcess::finish() {
  for (auto& [name, c] : clients_) client_closes(name, true);
  pump();
  end_workers();
  for (size_t i = 0; i < threads_.size(); ++i) calls_.see_cancelled(i);
}

// What is logged from now on is that thread's.
InProcessWorker& InProcess::take_turn(size_t thread) {
  script_.thread = static_cast<int>(thread);
  return *threads_[thread];
}

void InProcess::end_workers() {
  for (size_t i = 0; i < threads_.size(); ++i) {
    InProcessWorker& thread = take_turn(i);
    thread.manager.reset();
    thread.guests->stop();
  }
}

// --- what happens ---

// Writes and deferred tasks belong to an event of the loop, so everything is one.
void InProcess::on_loop(net::EventLoop& loop, std::function<void()> task) {
  ++script_.activity;
  loop.post(std::move(task));
}

void InProcess::pump() {
  int quiet = 0;
  while (quiet < kQuietTurns) {
    const size_t before = script_.activity;
    for (size_t i = 0; i < threads_.size(); ++i) {
      InProcessWorker& worker = take_turn(i);
      worker.loop.post([&worker] { worker.guests->run_due(); });
      worker.loop.run_once(std::chrono::milliseconds(0));
      calls_.see(i);
    }
    quiet = script_.activity == before ? quiet + 1 : 0;
  }
}

void InProcess::wait(std::chrono::milliseconds time) {
  const int64_t until = clock_.elapsed() + std::chrono::nanoseconds(time).count();
  for (;;) {
    pump();
    int64_t next = -1;
    for (const auto& worker : threads_) {
      const int64_t due = worker->guests->next_due();
      if (due >= 0 && (next < 0 || due < next)) next = due;
    }
    if (next < 0 || next > until) break;
    clock_.move(std::chrono::nanoseconds(std::max<int64_t>(next - clock_.elapsed(), 0)));
  }
  clock_.move(std::chrono::nanoseconds(until - clock_.elapsed()));
}

std::vector<std::string> InProcess::stats(const std::vector<std::string>& names) {
  std::vector<std::string> lines;
  for (const std::string& name : names) {
    std::string value = "absent";
    metrics_.for_each([&](const stats::MetricView& view) {
      if (view.name == name) value = std::to_string(view.value);
    });
    lines.push_back(name + " = " + value);
  }
  return lines;
}

// --- clients ---

InProcess::Client& InProcess::client(const std::string& name) {
  auto& known = clients_[name];
  if (known == nullptr) {
    known = std::make_unique<Client>(name, run_);
    const int number = name.size() > 6 ? std::atoi(name.c_str() + 6) : 1;
    known->worker = 1 + static_cast<size_t>(std::max(number, 1) - 1) % run_.c.workers;
    Client& made = *known;
    made.end.on_bytes = [this, &made](std::string_view bytes) {
      ++script_.activity;
      made.reader.feed(bytes);
    };
    made.end.on_close = [this, &made](bool reset) {
      ++script_.activity;
      made.reader.on_close(reset);
    };
  }
  return *known;
}

void InProcess::client_sends(const std::string& name, std::string_view bytes, std::string_view method) {
  Client& c = client(name);
  InProcessWorker& worker = *threads_[c.worker];
  if (!method.empty()) c.reader.expect(std::string(method));
  worker.loop.post([&c, &worker, bytes = std::string(bytes)] {
    if (!std::exchange(c.connected, true)) {
      worker.manager->accept(std::make_unique<MemoryConnection>(worker.loop, c.end));
    }
    if (c.end.connection != nullptr) c.end.connection->receive(bytes);
  });
}

void InProcess::client_closes(const std::string& name, bool reset) {
  Client& c = client(name);
  InProcessWorker& worker = *threads_[c.worker];
  if (reset) c.end.on_close = [](bool) {};  // it is gone, and hears nothing any more
  worker.loop.post([&c, reset] {
    if (c.end.connection == nullptr) return;
    if (reset) {
      c.end.connection->receive_reset();
    } else {
      c.end.connection->receive_end();
    }
  });
}

void InProcess::client_reads(const std::string& name, bool reads) {
  Client& c = client(name);
  threads_[c.worker]->loop.post([&c, reads] {
    c.end.reads = reads;
    if (!reads) return;
    if (c.end.connection != nullptr) return c.end.connection->client_reads_again();
    if (!c.end.kept.empty()) c.end.on_bytes(std::exchange(c.end.kept, {}));
    if (std::exchange(c.end.close_kept, false)) c.end.on_close(false);
  });
}

// --- upstreams ---

bool InProcess::upstream_head(const std::string& upstream, const Answer& answer, bool end, bool chunked) {
  if (ScriptedOrigin* origin = waiting(upstream)) {
    on_loop(origin->loop(), [origin, answer, end, chunked] { origin->send_head(answer, end, chunked); });
    pump();
    return true;
  }
  return calls_.head(upstream, answer, end, chunked);
}

TcpOrigin* InProcess::connection(const std::string& upstream) const {
  for (TcpOrigin* origin : script_.connections) {
    if (origin->name() == upstream) return origin;
  }
  return nullptr;
}

bool InProcess::upstream_body(const std::string& upstream, std::string_view bytes, bool end) {
  if (TcpOrigin* origin = connection(upstream)) {
    on_loop(origin->loop(), [origin, bytes = std::string(bytes), end] { origin->send(bytes, end); });
    return true;
  }
  if (ScriptedOrigin* origin = waiting(upstream)) {
    on_loop(origin->loop(), [origin, bytes = std::string(bytes), end] { origin->send_body(bytes, end); });
    pump();
    return true;
  }
  return calls_.body(upstream, bytes, end);
}

bool InProcess::upstream_trailers(const std::string& upstream, const Fields& trailers) {
  if (ScriptedOrigin* origin = waiting(upstream)) {
    on_loop(origin->loop(), [origin, trailers] { origin->send_trailers(trailers); });
    pump();
    return true;
  }
  return calls_.trailers(upstream, trailers);
}

bool InProcess::upstream_resets(const std::string& upstream) {
  if (TcpOrigin* origin = connection(upstream)) {
    on_loop(origin->loop(), [origin] { origin->reset(); });
    return true;
  }
  if (ScriptedOrigin* origin = waiting(upstream)) {
    on_loop(origin->loop(), [origin] { origin->reset(); });
    return true;
  }
  return calls_.reset(upstream);
}

bool InProcess::upstream_continues(const std::string& upstream) {
  ScriptedOrigin* origin = waiting(upstream);
  if (origin == nullptr) return false;
  on_loop(origin->loop(), [origin] { origin->send_continue(); });
  return true;
}

}  // namespace

std::unique_ptr<World> make_in_process(const Run& run) {
  return std::make_unique<InProcess>(run);
}

}  // namespace inlay::tester
