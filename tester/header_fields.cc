// SPDX-License-Identifier: Apache-2.0
#include "tester/header_fields.h"

#include "base/ascii.h"

namespace inlay::tester {

Fields fields_of(const http::HeaderMap& map) {
  Fields fields;
  for (const auto& entry : map) fields.emplace_back(entry.name, entry.value);
  return fields;
}

http::HeaderMap header_map(const Fields& fields) {
  http::HeaderMap map;
  for (const auto& [name, value] : fields) map.add(lower(name), value);
  return map;
}

}  // namespace inlay::tester
