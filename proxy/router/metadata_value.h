// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "config/model.h"

namespace inlay::proxy::router {

// A value in metadata, as Envoy's %DYNAMIC_METADATA()% shows it.
struct MetadataValue {
  bool is_text = false;
  std::string text;  // a string's own text, or else JSON
};

// Where a path "filter:key:key" leads to; nullopt: nowhere, or to null.
std::optional<MetadataValue> metadata_value(const config::Metadata& metadata, std::string_view path);

}  // namespace inlay::proxy::router
