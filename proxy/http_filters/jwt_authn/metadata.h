// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/model.h"

namespace inlay::proxy::http_filters::jwt_authn {

// Sets members, keys with JSON texts, of a filter's Struct in dynamic metadata; the other members stay.
void add_metadata(config::Metadata& metadata, std::string_view filter,
                  const std::vector<std::pair<std::string, std::string>>& members);

}  // namespace inlay::proxy::http_filters::jwt_authn
