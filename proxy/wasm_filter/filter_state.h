// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "abi/types.h"
#include "host/embedder.h"
#include "proxy/downstream/filter.h"

namespace inlay::proxy::wasm_filter {

// Stores filter state "wasm.<path>" of a stream or a connection, as host::AttributeSource::set_property says.
abi::Status set_filter_state(downstream::StreamInfo& info, std::string_view path, std::string_view value,
                             const host::PropertyTraits& traits);

}  // namespace inlay::proxy::wasm_filter
