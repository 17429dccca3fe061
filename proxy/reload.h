// SPDX-License-Identifier: Apache-2.0
#pragma once

// Reload makes the successor of the configuration that serves, on a thread of its own: reads the file, compiles
// modules, runs canaries, resolves names. The server's thread, and with it signals and the admin page, goes on
// meanwhile.
//
//     Reload reload(surroundings, options.reload, [&](Result<Reload::Next> next) { ... });
//     reload.begin();

#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "base/result.h"
#include "net/event_loop.h"
#include "proxy/generation.h"
#include "proxy/server.h"

namespace inlay::proxy {

// The server's thread only, whose loop runs.
class Reload {
 public:
  // A generation that is prepared but for Generation::finish_preparing().
  using Next = std::unique_ptr<Generation>;
  // Gets it, or why there is none, on the server's thread; begin() may be called from it.
  using Done = std::function<void(Result<Next>)>;

  // `around` outlives this.
  Reload(const Generation::Surroundings& around, ServerOptions::Reload load, Done done);
  // Ends what is under way.
  ~Reload();
  Reload(const Reload&) = delete;
  Reload& operator=(const Reload&) = delete;

  // Begins one; while one is under way, another follows it.
  void begin();
  bool is_under_way() const { return thread_.joinable(); }

 private:
  Result<Unit> make(const std::stop_token& stop, Next& next);
  void finish();

  const Generation::Surroundings& around_;
  const ServerOptions::Reload load_;
  const Done done_;
  bool again_ = false;
  Next next_;                             // written by the thread before it ends
  std::unique_ptr<Result<Unit>> result_;  // the same
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  std::jthread thread_;
};

}  // namespace inlay::proxy
