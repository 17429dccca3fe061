// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "base/result.h"

namespace inlay {

// The whole content of a file or of a pipe such as /dev/stdin. An error when it cannot be read, is a folder, or is
// larger than `limit` bytes.
Result<std::string> read_file(const std::string& path, size_t limit);

// The same of a regular file alone, so that it never waits: a named pipe would hold its reader until somebody writes.
Result<std::string> read_regular_file(const std::string& path, size_t limit);

}  // namespace inlay
