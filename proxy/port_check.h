// SPDX-License-Identifier: Apache-2.0
#pragma once

// Workers share their ports by SO_REUSEPORT, which would also let a second proxy take half of the first one's
// connections without a word.

#include "base/result.h"
#include "config/model.h"

namespace inlay::proxy {

// Fails when somebody listens on the address already, whether they share it or not. Port 0 is always free, and so is a
// pipe whose socket nobody listens on any more. Errors: kIo with the address and what the system said.
Result<Unit> check_port_is_free(const Address& address);

}  // namespace inlay::proxy
