// SPDX-License-Identifier: Apache-2.0
#pragma once

// Host functions and callbacks in groups, as people think of them.

#include <string_view>

namespace inlay::inspect {

// The group of a host function, by its module and name: "log", "headers", "wasi". "other" for one that has none.
std::string_view function_family(std::string_view module, std::string_view name);

// The group of a callback: "life", "http", "tcp". Empty: a name that no proxy-wasm callback has.
std::string_view callback_family(std::string_view name);

}  // namespace inlay::inspect
