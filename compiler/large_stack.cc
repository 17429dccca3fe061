// SPDX-License-Identifier: Apache-2.0
#include "compiler/large_stack.h"

#include <pthread.h>
#include <signal.h>

#include <cstddef>

namespace inlay::compiler {
namespace {

constexpr size_t kStack = 64u << 20;

extern "C" void* run_work(void* work) {
  (*static_cast<const std::function<void()>*>(work))();
  return nullptr;
}

}  // namespace

void with_large_stack(const std::function<void()>& work) {
  pthread_attr_t attributes;
  if (pthread_attr_init(&attributes) != 0) return work();
  pthread_attr_setstacksize(&attributes, kStack);
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  pthread_t thread{};
  const int failed =
      pthread_create(&thread, &attributes, &run_work, const_cast<void*>(static_cast<const void*>(&work)));
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  pthread_attr_destroy(&attributes);
  if (failed != 0) return work();
  pthread_join(thread, nullptr);
}

}  // namespace inlay::compiler
