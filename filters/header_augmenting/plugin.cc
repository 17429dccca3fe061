// SPDX-License-Identifier: Apache-2.0
// The filter's registration: any root id.
#include "filters/header_augmenting/root.h"
#include "sdk/register.h"

namespace inlay::header_augmenting {

INLAY_REGISTER("*", ExchangingRoot, AugmentingStream);

}  // namespace inlay::header_augmenting
