// SPDX-License-Identifier: Apache-2.0
#pragma once

// Names of images: [registry/]repository:tag.

#include <string_view>

namespace inlay::package {

// Whether a registry takes `text` as a tag (opencontainers/distribution-spec, "Pulling manifests").
bool is_tag(std::string_view text);

// A repository's name, a registry's host before it or not: lower case, parts between slashes. A host may have a port.
bool is_repository(std::string_view text);

// Whether a repository's name begins with a registry, as Docker and skopeo tell it: "localhost", or a dot or a colon in
// the first part of several.
bool names_registry(std::string_view repository);

}  // namespace inlay::package
