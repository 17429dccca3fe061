// SPDX-License-Identifier: Apache-2.0
// In the place of plugin.cc in header_augmenting_lean.wasm, which has no shared queue: the callback of one is not
// exported.
#include "filters/header_augmenting/root.h"
#include "sdk/register.h"

namespace inlay::header_augmenting {

INLAY_REGISTER("*", AugmentingRoot, AugmentingStream);

}  // namespace inlay::header_augmenting
