// SPDX-License-Identifier: Apache-2.0
#pragma once

// Writing files so that nobody ever sees half of one: to a new name beside it, which is then renamed. Any thread.
//
//     INLAY_RETURN_IF_ERROR(replace_file("out/module.wasm", bytes));

#include <sys/types.h>

#include <string>
#include <string_view>

#include "base/result.h"

namespace inlay {

inline constexpr mode_t kReadableByAll = 0644;
inline constexpr mode_t kPrivate = 0600;

// The name that a rename may replace to write to `path`: what the symbolic links lead to, so that they stay; `path`
// itself when nothing is there. Errors: kInvalidArgument, the name is empty; kFailedPrecondition, there is something
// that no file may take the place of: a folder, a device, a pipe.
Result<std::string> replaceable(const std::string& path);

// Writes `content` to a new file beside `path`, and returns its name. Errors: kIo; then no file is left.
Result<std::string> write_beside(const std::string& path, std::string_view content, mode_t mode);

// Makes `content` the file at `path`. A device or a pipe that is there (/dev/stdout) is written to, and not replaced.
// Errors: kInvalidArgument, the name is empty; kFailedPrecondition, a folder is there; kIo.
Result<> replace_file(const std::string& path, std::string_view content, mode_t mode = kReadableByAll);

}  // namespace inlay
