// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace inlay::deploy {

// A file of deploy/render/ that is compiled in (cmake/EmbedText.cmake): the templates by their name below templates/,
// and the schemas by theirs ("istio_crds.yaml"). "" when there is none.
std::string_view embedded_file(std::string_view name);

}  // namespace inlay::deploy
