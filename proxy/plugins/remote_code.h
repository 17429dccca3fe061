// SPDX-License-Identifier: Apache-2.0
#pragma once

// RemoteCode: fetches modules (code.remote) through a cluster, checks their hash, keeps them in memory and on disk.
//
//     RemoteCode remote({.loop = loop, .upstreams = calls, .cache = cache, .log = log, .metrics = metrics});
//     if (Code code = remote.find(config)) ...                              // was fetched before
//     remote.fetch(config, [](Result<Code> code) { ... });
//
// At most one fetch of a hash is under way at a time; a request for the same hash waits for it. A fetch is
// 1 + num_retries tries. One that has failed is remembered for kForgetFailure, and any request within that time gets
// its error. Statistics are Envoy's, wasm.remote_load_*.

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <string>

#include "base/result.h"
#include "config/model.h"
#include "host/embedder.h"
#include "net/event_loop.h"
#include "proxy/logging/log.h"
#include "proxy/plugins/code_cache.h"
#include "stats/metrics.h"

namespace inlay::proxy::plugins {

// Loop thread only.
class RemoteCode {
 public:
  static constexpr std::chrono::seconds kForgetFailure{10};
  // Is called with the module's bytes, or with the error of the last try.
  using Done = std::function<void(const Result<Code>&)>;

  // All outlive this. `upstreams` gives answers of up to config::kLargestModule.
  struct Options {
    net::EventLoop& loop;
    host::Upstreams& upstreams;
    const CodeCache& cache;
    logging::Logger& log;
    stats::MetricStore& metrics;
  };
  explicit RemoteCode(Options options);
  ~RemoteCode();
  RemoteCode(const RemoteCode&) = delete;
  RemoteCode& operator=(const RemoteCode&) = delete;

  // What is in memory or on disk; null otherwise. Counts a hit.
  Code find(const config::RemoteCode& code);
  // Calls `done` once, from the loop; never after this object's end.
  void fetch(const config::RemoteCode& code, Done done);

 private:
  class Fetch;
  struct Entry {
    Code code;
    std::unique_ptr<Fetch> fetch;  // under way
    Error failure;                 // while `failed_at` is not 0
    int64_t failed_at = 0;         // monotonic ns
  };
  void finished(const std::string& sha256, Result<std::string> body);
  void answer_later(Done done, Result<Code> answer);
  void count_entries() const;

  const Options options_;
  std::map<std::string, Entry> entries_;  // by hash
  std::minstd_rand random_;
  std::shared_ptr<bool> alive_;
  stats::Counter hits_, negative_hits_, misses_, successes_, failures_;
  stats::Gauge entry_count_;
};

}  // namespace inlay::proxy::plugins
