// SPDX-License-Identifier: Apache-2.0
#pragma once

// MainThread: the way to Envoy's main thread, for what may be done there alone, which is to start a call-out.

#include <functional>
#include <mutex>
#include <vector>

#include "dynamic_module/envoy_abi.h"

namespace inlay::dynamic_module {

class MainThread {
 public:
  using Task = std::function<void()>;

  // On the main thread. `config` outlives it.
  explicit MainThread(envoy::FilterConfig* config);
  // As close().
  ~MainThread();
  MainThread(const MainThread&) = delete;
  MainThread& operator=(const MainThread&) = delete;

  // Any thread. Has the task run on the main thread, from its event loop. False: it is closed, and the task is gone.
  bool post(Task task);
  // The hook on_http_filter_config_scheduled: runs what waits.
  void run();
  // No task is taken or run from now on.
  void close();

 private:
  std::mutex mutex_;
  std::vector<Task> waiting_;
  envoy::ConfigScheduler* scheduler_;
};

}  // namespace inlay::dynamic_module
