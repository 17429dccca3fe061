// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "base/result.h"
#include "package/image.h"

namespace inlay::package {

// Writes a layout to `path`: a folder, or one tar file if `path` ends with .tar. It is whole under its name from the
// first moment on. What was there before is replaced if it is a layout with one image (or an empty folder); anything
// else is refused. Errors: kFailedPrecondition for that, kIo.
Result<> write_image(const Image& image, const std::string& path);

}  // namespace inlay::package
