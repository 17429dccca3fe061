// SPDX-License-Identifier: Apache-2.0
#pragma once

// Parameters in a request's path. Pure functions.

#include <optional>
#include <string>
#include <string_view>

namespace inlay::proxy::http_filters::jwt_authn {

// The first parameter of that name, decoded; a "+" stays one, as in Envoy.
std::optional<std::string> query_parameter(std::string_view path, std::string_view name);
// The path without any parameter of that name; the others stay as they came, which Envoy decodes and sorts.
std::string without_parameter(std::string_view path, std::string_view name);

}  // namespace inlay::proxy::http_filters::jwt_authn
