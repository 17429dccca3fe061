// SPDX-License-Identifier: Apache-2.0
#pragma once

// Images of registries, as image layouts on this machine: skopeo brings them, which knows the credentials, mirrors and
// certificates that docker and podman know on the machine that it runs on.

#include <string>

#include "base/result.h"

namespace inlay::cli {

// Copies what `reference`, "oci://registry/name:tag" or "oci://registry/name@sha256:...", names into the folder
// `layout`, which it makes: all platforms of an index, every digest kept. Of a registry on loopback without TLS, as
// Istio's agent does. Errors: kUnavailable without skopeo, kNotFound with what skopeo said.
Result<Unit> pull_image(const std::string& reference, const std::string& layout);

}  // namespace inlay::cli
