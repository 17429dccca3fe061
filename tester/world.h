// SPDX-License-Identifier: Apache-2.0
#pragma once

// World: the proxy that a case runs in, with its clients, its upstreams and its time. There are three: everything in
// one process in virtual time (in_process.h), and on sockets the real server or an Envoy (sockets.h). What is seen goes
// into a transcript. One thread.

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "engine/engine.h"
#include "tester/case.h"
#include "tester/recordings.h"
#include "tester/transcript.h"

namespace inlay::tester {

class World {
 public:
  virtual ~World() = default;
  // Loads the guests and starts the proxy.
  virtual Result<Unit> start() = 0;

  // A client connects first if it has not yet. What it sends of a request: its head, with the body if the step has one;
  // more of the body; its trailers.
  virtual void client_request(const std::string& client, const Step& step) = 0;
  virtual void client_body(const std::string& client, std::string_view text, bool end) = 0;
  virtual void client_trailers(const std::string& client, const Fields& fields) = 0;
  // Bytes as they are; none at all only connect it. `method` is that of the request that begins with them, for the
  // reader of the response; empty if none begins.
  virtual void client_sends(const std::string& client, std::string_view bytes, std::string_view method) = 0;
  virtual void client_closes(const std::string& client, bool reset) = 0;
  virtual void client_reads(const std::string& client, bool reads) = 0;

  // What an upstream answers to the oldest request that it has not answered; false when there is none. One that accepts
  // (Upstream::Behaviour) sends bytes to its oldest connection: upstream_body and upstream_resets.
  virtual bool upstream_head(const std::string& upstream, const Answer& answer, bool end, bool chunked) = 0;
  virtual bool upstream_body(const std::string& upstream, std::string_view bytes, bool end) = 0;
  virtual bool upstream_trailers(const std::string& upstream, const Fields& trailers) = 0;
  virtual bool upstream_resets(const std::string& upstream) = 0;
  virtual bool upstream_continues(const std::string& upstream) = 0;  // 100 Continue

  virtual void wait(std::chrono::milliseconds time) = 0;
  // "name = value" of each metric.
  virtual std::vector<std::string> stats(const std::vector<std::string>& names) = 0;
  // Runs until nothing more happens; in a world that cannot know that, until seen() is true.
  virtual void settle(const std::function<bool()>& seen) = 0;
  // Returns when the condition holds, or when a world in real time has waited long enough for it.
  virtual void wait_until(const std::function<bool()>& condition) { (void)condition(); }
  // Closes all clients and ends the proxy.
  virtual void finish() = 0;
};

// Finds the file of a plugin's module, or makes it in `directory`. Errors: kNotFound, or what is wrong with its text.
using FindModule = std::function<Result<std::string>(const PluginCase& plugin, const std::string& directory)>;

// What all worlds need to know of a run.
struct Run {
  const Case& c;
  engine::EngineKind engine;
  Transcript& transcript;
  FindModule find_module;
  std::chrono::milliseconds call_budget;    // of a call into a guest
  std::string directory;                    // for files of this run
  std::string expected;                     // what must be seen of it all, if that is known
  Recordings::OfCase* recording = nullptr;  // in process: counts what guests do, if it is wanted
  Protocol protocol = Protocol::kHttp1;     // of clients and upstreams; kHttp2 on sockets only
  // In Envoy: the library that runs its filters in the place of its Wasm filter (tester/dynamic_module.h).
  std::string dynamic_module{};
};

// A line of the log as a transcript has it. Shown are guests' lines, "a: text", and the host's own warnings and errors
// about guests, "host [error]: text".
LogEntry read_log_line(const Case& c, std::string_view level, std::string_view component, std::string_view message);

}  // namespace inlay::tester
