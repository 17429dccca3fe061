// SPDX-License-Identifier: Apache-2.0
#include "inspect/printable.h"

namespace inlay::inspect {

std::string grouped(unsigned long long number) {
  std::string text = std::to_string(number);
  for (size_t i = text.size(); i > 3; i -= 3) text.insert(i - 3, ",");
  return text;
}

}  // namespace inlay::inspect
