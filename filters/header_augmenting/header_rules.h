// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a source may set: names are tokens (RFC 9110 section 5.6.2), values have no control character but tab, and
// headers that frame the message or name its target are refused.

#include <string_view>

namespace inlay::header_augmenting {

// is_token: whether `name` is a header name at all. A name that is not must not even be logged.
bool is_token(std::string_view name);

// is_forbidden: whether `name`, in lower case, is one that no source may set.
bool is_forbidden(std::string_view name);

// is_bare_scheme: whether `value` of a header `name` that ends in "authorization" is the name of a scheme, "Bearer ",
// without the credentials that belong behind it: what a template makes of nothing.
bool is_bare_scheme(std::string_view name, std::string_view value);

// is_safe_value: whether `value` can be put on the wire.
bool is_safe_value(std::string_view value);

}  // namespace inlay::header_augmenting
