// SPDX-License-Identifier: Apache-2.0
#include "dynamic_module/process.h"

namespace inlay::dynamic_module {

Process& Process::get() {
  static Process* const process = new Process;
  return *process;
}

Process::Process() : host_({.metrics = &metrics_, .clock = &clock_, .log = &log_}) {}

}  // namespace inlay::dynamic_module
