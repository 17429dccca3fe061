// SPDX-License-Identifier: Apache-2.0
#pragma once

// LateListeners: the listeners that wait for the code of their plugins ("warming"). Each opens on all workers when the
// last plugin that it waits for is there or could not be had; the workers serve the others meanwhile.

#include <functional>
#include <memory>
#include <set>
#include <vector>

#include "base/result.h"
#include "config/model.h"
#include "host/host.h"
#include "net/event_loop.h"
#include "proxy/worker.h"

namespace inlay::proxy {

// The server's thread only.
class LateListeners {
 public:
  using Workers = std::vector<std::unique_ptr<Worker>>;
  // A listener is open on all workers, or could not be opened.
  using Opened = std::function<void(size_t listener, const Result<Unit>& outcome)>;

  // All outlive this. `addresses` gets the ports that were bound.
  LateListeners(net::EventLoop& loop, SharedState& shared, Workers& workers, std::vector<Address>& addresses,
                Opened opened);
  ~LateListeners();
  LateListeners(const LateListeners&) = delete;
  LateListeners& operator=(const LateListeners&) = delete;

  // Before the workers start.
  void await(size_t listener, const host::Plugin& placeholder) { waiting_[listener].insert(&placeholder); }

  bool waits(size_t listener) const { return !opening_[listener] && !waiting_[listener].empty(); }
  // Some listener is not open yet, and will be.
  bool pending() const { return unopened_ > 0 && !stopped_; }
  // Once the workers run.
  void start();
  // What is not open by now stays closed.
  void stop() { stopped_ = true; }

  void on_plugin(const host::Plugin& placeholder, const std::shared_ptr<host::Plugin>& plugin);
  void on_settled(const host::Plugin& placeholder);

 private:
  void open(size_t listener, size_t worker);

  net::EventLoop& loop_;
  SharedState& shared_;
  Workers& workers_;
  std::vector<Address>& addresses_;
  Opened opened_;
  std::vector<std::set<const host::Plugin*>> waiting_;  // by listener
  std::vector<bool> opening_;                           // by listener: its workers read the shared state
  size_t unopened_ = 0;
  bool stopped_ = false;
  std::shared_ptr<bool> alive_;
};

}  // namespace inlay::proxy
