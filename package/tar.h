// SPDX-License-Identifier: Apache-2.0
#pragma once

// tar archives (POSIX ustar), to write and to read.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace inlay::package {

struct TarFile {
  std::string name;
  std::string_view content;
};

// An archive of files that root owns, that all may read, and that date from 1970. A name has at most 100 bytes, a file
// less than 8 GiB.
std::string write_tar(std::span<const TarFile> files);

// The regular files of an archive, `content` being a part of `archive`. Understands the long names and sizes of GNU tar
// and pax; passes over folders, links and devices. kInvalidArgument, with the offset.
Result<std::vector<TarFile>> read_tar(std::string_view archive);

}  // namespace inlay::package
