// SPDX-License-Identifier: Apache-2.0
#include "base/address.h"

namespace inlay {

std::string Address::to_string() const {
  if (is_pipe) return host;
  const bool v6 = host.find(':') != std::string::npos && !host.starts_with('[');
  return (v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

}  // namespace inlay
