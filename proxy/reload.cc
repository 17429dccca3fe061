// SPDX-License-Identifier: Apache-2.0
#include "proxy/reload.h"

#include <pthread.h>

#include <exception>
#include <sstream>
#include <utility>

namespace inlay::proxy {
namespace {

// What the reader of a configuration says is of several lines; each becomes one of the log.
void log_lines(logging::Logger& log, const std::string& said) {
  std::istringstream lines(said);
  for (std::string line; std::getline(lines, line);)
    if (!line.empty()) log.warn("main", line);
}

}  // namespace

Reload::Reload(const Generation::Surroundings& around, ServerOptions::Reload load, Done done)
    : around_(around), load_(std::move(load)), done_(std::move(done)) {}

Reload::~Reload() {
  *alive_ = false;
  thread_.request_stop();
  if (thread_.joinable()) thread_.join();
}

void Reload::begin() {
  if (is_under_way()) {
    again_ = true;
    return;
  }
  thread_ = std::jthread([this, alive = alive_](const std::stop_token& stop) {
    pthread_setname_np(pthread_self(), "reload");
    result_ = std::make_unique<Result<Unit>>(make(stop, next_));
    around_.loop.post([this, alive] {
      if (*alive) finish();
    });
  });
}

Result<Unit> Reload::make(const std::stop_token& stop, Next& next) {
  std::string said;
  auto bootstrap = load_(said);
  log_lines(around_.process.log, said);
  if (!bootstrap) return std::move(bootstrap).error();
  around_.process.set_node(bootstrap->node);
  next = std::make_unique<Generation>(std::make_shared<const config::Bootstrap>(*std::move(bootstrap)), around_);
  return next->prepare_apart(stop);
}

void Reload::finish() {
  thread_.join();
  thread_ = {};
  Next next = std::move(next_);
  if (result_->has_value())
    done_(std::move(next));
  else
    done_(result_->error());
  next.reset();
  if (std::exchange(again_, false)) begin();
}

}  // namespace inlay::proxy
