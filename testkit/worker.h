// SPDX-License-Identifier: Apache-2.0
#pragma once

// TestWorker: one worker of a TestProxy, with its event loop in virtual time. post() may come from any thread; all else
// is for the test's own thread.

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "host/embedder.h"
#include "host/host.h"
#include "testkit/clock.h"
#include "testkit/upstreams.h"

namespace inlay::testkit {

class TestWorker final : public host::WorkerServices {
 public:
  TestWorker(host::Host& host, VirtualClock& clock);
  ~TestWorker() override;

  // The host's worker; what a plugin is attached to.
  host::Worker& worker() { return *worker_; }
  // Ends the host's worker early (plugins shut down, VMs destroyed).
  void stop() { worker_.reset(); }
  // Attributes that root contexts can read, by their path joined with '.'.
  std::map<std::string, std::string>& properties() { return properties_; }
  // Asked for those that properties() does not have.
  using PropertySource = std::function<abi::Status(const std::vector<std::string_view>& path, std::string& value)>;
  void set_property_source(PropertySource source) { property_source_ = std::move(source); }

  // Runs posted tasks until none is left.
  void run_posted();
  // When the next timer is due, in ns of VirtualClock::elapsed(); negative if none is armed.
  int64_t next_due() const;
  // Runs the timers that are due now.
  void run_due();

  ScriptedUpstreams& upstreams() override { return upstreams_; }
  std::unique_ptr<host::Timer> create_timer(std::function<void()> on_fire) override;
  void post(std::function<void()> task) override;
  abi::Status get_property(const std::vector<std::string_view>& path, std::string& value) override;

 private:
  class VirtualTimer;

  VirtualClock& clock_;
  ScriptedUpstreams upstreams_;
  std::map<std::string, std::string> properties_;
  PropertySource property_source_;
  std::multimap<int64_t, std::function<void()>> due_;  // one-shot tasks
  std::vector<VirtualTimer*> timers_;
  mutable std::mutex mutex_;
  std::deque<std::function<void()>> posted_;
  std::unique_ptr<host::Worker> worker_;
};

// "a.b.c"
std::string join(const std::vector<std::string_view>& path);

}  // namespace inlay::testkit
