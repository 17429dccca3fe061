// SPDX-License-Identifier: Apache-2.0
// In the place of exchange.cc and its kin in header_augmenting_lean.wasm, which refuses sources that are asked for each
// request (check.cc).
#include "filters/header_augmenting/per_request.h"

namespace inlay::header_augmenting {

std::unique_ptr<PerRequest> make_per_request(Source&, const Config&, sdk::RootContext&, RequestMetrics&) {
  return nullptr;
}

void check_per_request(SourceConfig&, const Place&, Report&) {}

}  // namespace inlay::header_augmenting
