// SPDX-License-Identifier: Apache-2.0
#pragma once

// Text that every YAML reader takes for what it is: 1.1 and 1.2, Kubernetes', Envoy's, kustomize's, Compose's.

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "document/source.h"

namespace inlay::deploy {

// A string as a YAML scalar on one line: plain where no reader takes it for anything but a string (`orders`,
// `127.0.0.1`), else in single quotes (`'on'`, `'0755'`), and in double quotes with escapes where there are control
// characters.
std::string yaml_scalar(std::string_view text);
// ["a", "b"]
std::string yaml_list(const std::vector<std::string>& items);

// `source` as JSON over several lines; a list of scalars stands on one. Only printable characters, so that it can stand
// in a YAML literal block. Strings pass through `edit`. Expects what check_configuration has checked.
using EditText = std::function<std::string(std::string_view)>;
std::string pretty_json(const document::Source& source, const EditText& edit);
// `source` as YAML in block style. Strings pass through `edit`.
std::string block_yaml(const document::Source& source, const EditText& edit);

// Whether `text` is a number in JSON's grammar.
bool is_json_number(std::string_view text);

}  // namespace inlay::deploy
