// SPDX-License-Identifier: Apache-2.0
#pragma once

// Source: one header-providing service, as one worker sees it. Its task `run` lives in the root context: it watches the
// shared entry, and fetches when a fetch is due and this worker gets the lease. Requests read headers() and nothing
// else.

#include <cstddef>
#include <cstdint>

#include "filters/header_augmenting/answer.h"
#include "filters/header_augmenting/config.h"
#include "filters/header_augmenting/header_set.h"
#include "filters/header_augmenting/lease.h"
#include "filters/header_augmenting/metrics.h"
#include "filters/header_augmenting/shared_entry.h"
#include "sdk/context.h"

namespace inlay::header_augmenting {

class Source {
 public:
  // `root` is the context that calls and sleeps, and outlives the source. Sources of equal configuration share an
  // entry.
  Source(const SourceConfig& config, size_t max_body, sdk::RootContext& root, RequestMetrics& requests);

  // run: never ends. The caller spawns it.
  sdk::Task<> run();

  // headers: what to set, nullptr while there has never been any. Costs nothing.
  const HeaderSet* headers() const { return has_headers_ ? &headers_ : nullptr; }
  // stale: whether the headers are past their expiry, as of the last tick.
  bool stale() const { return stale_; }

 private:
  struct Fetched {
    Answer answer;
    uint64_t lifetime_ms = 0;
    bool lifetime_given = false;  // by the answer
  };
  struct Failed {
    FetchFailure reason;
    uint32_t status = 0;
  };

  sdk::Task<> fetch(Lease lease);
  Result<Fetched, Failed> read(const sdk::HttpReply& reply) const;
  void on_fetched(Lease& lease, const Fetched& fetched);
  void on_failed(Lease& lease, const Failed& failed);
  void adopt(uint64_t now_ms);
  void report(uint64_t now_ms);
  bool is_due(uint64_t now_ms) const;
  sdk::Duration next_look(uint64_t now_ms) const;
  uint64_t lease_length_ms() const;
  uint64_t retry_delay_ms(uint32_t failures);
  uint64_t random(uint64_t bound);

  const SourceConfig& config_;
  const size_t max_body_;
  sdk::RootContext& root_;
  RequestMetrics& requests_;
  SourceMetrics metrics_;
  SharedEntry entry_;
  HeaderSet headers_;
  bool has_headers_ = false;
  bool stale_ = false;
  bool failing_ = false;
  uint64_t version_ = 0;  // of headers_
  uint64_t reported_s_ = UINT64_MAX;
  uint64_t random_state_ = 0;
};

}  // namespace inlay::header_augmenting
