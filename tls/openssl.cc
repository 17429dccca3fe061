// SPDX-License-Identifier: Apache-2.0
#include "tls/openssl.h"

#include <openssl/err.h>

namespace inlay::tls {

std::string take_openssl_error() {
  const unsigned long error = ERR_get_error();
  ERR_clear_error();
  const char* reason = error == 0 ? nullptr : ERR_reason_error_string(error);
  return reason == nullptr ? "" : reason;
}

Error refused(const std::string& field) {
  return Error{ErrorCode::kInvalidArgument, field + ": " + take_openssl_error(), ""};
}

}  // namespace inlay::tls
