// SPDX-License-Identifier: Apache-2.0
#include "filters/header_augmenting/features.h"

namespace inlay::header_augmenting {

const uint8_t kFeatures = kText | kReferences | kAssertions | kHold | kSvid | kExchange | kHints;

}  // namespace inlay::header_augmenting
