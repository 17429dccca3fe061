// SPDX-License-Identifier: Apache-2.0
#pragma once

// AugmentingRoot and AugmentingStream: the filter itself. The root context owns the configuration and the sources; a
// stream context has no state of its own.

#include <memory>
#include <vector>

#include "filters/header_augmenting/config.h"
#include "filters/header_augmenting/metrics.h"
#include "filters/header_augmenting/source.h"
#include "sdk/context.h"

namespace inlay::header_augmenting {

class AugmentingRoot : public sdk::RootContext {
 public:
  ~AugmentingRoot() override { metrics_.flush(); }

  bool on_configure(size_t configuration_size) override;

  // augment: sets every source's headers on the request in hand, replacing what the client sent under their names; or
  // does what `when_missing` says if a source has none yet. One host call for each header; no allocation, no parsing.
  sdk::HeadersStatus augment();

 private:
  sdk::HeadersStatus on_missing();

  Config config_;
  std::vector<std::unique_ptr<Source>> sources_;
  RequestMetrics metrics_;
};

class AugmentingStream : public sdk::HttpContext {
 public:
  explicit AugmentingStream(AugmentingRoot& root) : root_(root) {}
  sdk::HeadersStatus on_request_headers(size_t, bool) override { return root_.augment(); }

 private:
  AugmentingRoot& root_;
};

}  // namespace inlay::header_augmenting
