// SPDX-License-Identifier: Apache-2.0
// In the place of features.cc in header_augmenting_lean.wasm.
#include "filters/header_augmenting/features.h"

namespace inlay::header_augmenting {

const uint8_t kFeatures = 0;

}  // namespace inlay::header_augmenting
