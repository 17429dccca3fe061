// SPDX-License-Identifier: Apache-2.0
#pragma once

// Process: what all configurations share. Made with the first of them, and never destroyed: the module stays loaded.

#include "dynamic_module/log.h"
#include "host/host.h"
#include "host/standalone.h"
#include "stats/metrics.h"

namespace inlay::dynamic_module {

class Process {
 public:
  static Process& get();

  host::Host& host() { return host_; }

 private:
  Process();

  host::SystemClock clock_;
  EnvoyLog log_;
  stats::MetricStore metrics_;
  host::Host host_;
};

}  // namespace inlay::dynamic_module
