// SPDX-License-Identifier: Apache-2.0
#include "dynamic_module/main_thread.h"

#include <utility>

namespace inlay::dynamic_module {

MainThread::MainThread(envoy::FilterConfig* config) : scheduler_(envoy::http_filter_config_scheduler_new(config)) {}

MainThread::~MainThread() {
  close();
}

// The lock is held while Envoy is told, so that nobody deletes the scheduler meanwhile. Envoy only notes the event.
bool MainThread::post(Task task) {
  const std::lock_guard lock(mutex_);
  if (scheduler_ == nullptr) return false;
  waiting_.push_back(std::move(task));
  if (waiting_.size() == 1) envoy::http_filter_config_scheduler_commit(scheduler_, 0);
  return true;
}

void MainThread::run() {
  std::vector<Task> tasks;
  {
    const std::lock_guard lock(mutex_);
    tasks.swap(waiting_);
  }
  for (const Task& task : tasks) task();
}

void MainThread::close() {
  std::vector<Task> left;
  const std::lock_guard lock(mutex_);
  left.swap(waiting_);
  if (scheduler_ != nullptr) envoy::http_filter_config_scheduler_delete(std::exchange(scheduler_, nullptr));
}

}  // namespace inlay::dynamic_module
