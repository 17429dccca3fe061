// SPDX-License-Identifier: Apache-2.0
#include "proxy/http_filters/jwt_authn/query.h"

#include <algorithm>

#include "base/ascii.h"

namespace inlay::proxy::http_filters::jwt_authn {
namespace {

std::string decoded(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool escape =
        text[i] == '%' && i + 2 < text.size() && hex_value(text[i + 1]) >= 0 && hex_value(text[i + 2]) >= 0;
    if (!escape) {
      out += text[i];
      continue;
    }
    out += static_cast<char>(hex_value(text[i + 1]) * 16 + hex_value(text[i + 2]));
    i += 2;
  }
  return out;
}

// Calls visit(parameter, name) for each until one says true.
template <class Visit>
void each_parameter(std::string_view query, Visit&& visit) {
  while (!query.empty()) {
    const std::string_view parameter = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(parameter.size() + 1, query.size()));
    if (visit(parameter, decoded(parameter.substr(0, parameter.find('='))))) return;
  }
}

std::string_view query_of(std::string_view path) {
  const size_t question = path.find('?');
  return question == std::string_view::npos ? std::string_view() : path.substr(question + 1);
}

}  // namespace

std::optional<std::string> query_parameter(std::string_view path, std::string_view name) {
  std::optional<std::string> out;
  each_parameter(query_of(path), [&](std::string_view parameter, const std::string& found) {
    if (found != name) return false;
    const size_t equals = parameter.find('=');
    out = equals == std::string_view::npos ? "" : decoded(parameter.substr(equals + 1));
    return true;
  });
  return out;
}

std::string without_parameter(std::string_view path, std::string_view name) {
  std::string out(path.substr(0, path.find('?')));
  char separator = '?';
  each_parameter(query_of(path), [&](std::string_view parameter, const std::string& found) {
    if (found == name) return false;
    out += separator;
    out += parameter;
    separator = '&';
    return false;
  });
  return out;
}

}  // namespace inlay::proxy::http_filters::jwt_authn
