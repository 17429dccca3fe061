// SPDX-License-Identifier: Apache-2.0
#pragma once

// Header maps of the proxy as the fields of cases, and back.

#include "http/header_map.h"
#include "tester/words.h"

namespace inlay::tester {

Fields fields_of(const http::HeaderMap& map);
// Names are in lower case there.
http::HeaderMap header_map(const Fields& fields);

}  // namespace inlay::tester
