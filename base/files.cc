// SPDX-License-Identifier: Apache-2.0
#include "base/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>

namespace inlay {
namespace {

Error io_error(const std::string& what, const std::string& path) {
  return Error{ErrorCode::kIo, what + ": " + std::strerror(errno), path};
}

bool write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    bytes.remove_prefix(static_cast<size_t>(n));
  }
  return true;
}

// Closes `fd` whether or not all was well; false with the first errno when something was not.
bool finish(int fd, bool good) {
  const int first = errno;
  const bool closed = ::close(fd) == 0;
  if (!good) errno = first;
  return good && closed;
}

Result<> write_to_special(const std::string& path, std::string_view content) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
  if (fd < 0 || !finish(fd, write_all(fd, content))) return io_error("cannot write", path);
  return {};
}

}  // namespace

Result<std::string> replaceable(const std::string& path) {
  if (path.empty()) return Error{ErrorCode::kInvalidArgument, "the name of the file to write is empty", ""};
  struct stat there = {};
  if (::stat(path.c_str(), &there) != 0) return path;
  if (S_ISDIR(there.st_mode)) return Error{ErrorCode::kFailedPrecondition, "is a folder; expected a file's name", path};
  if (!S_ISREG(there.st_mode)) {
    return Error{ErrorCode::kFailedPrecondition, "is a device or a pipe; expected a file's name", path};
  }
  const std::unique_ptr<char, decltype(&std::free)> real(::realpath(path.c_str(), nullptr), &std::free);
  return real ? std::string(real.get()) : path;
}

Result<std::string> write_beside(const std::string& path, std::string_view content, mode_t mode) {
  std::string name = path + ".XXXXXX";
  const int fd = ::mkostemp(name.data(), O_CLOEXEC);
  if (fd < 0) return io_error("cannot make a file there", path);
  if (finish(fd, write_all(fd, content) && ::fchmod(fd, mode) == 0)) return name;
  const Error error = io_error("cannot write", path);
  ::unlink(name.c_str());
  return error;
}

Result<> replace_file(const std::string& path, std::string_view content, mode_t mode) {
  struct stat there = {};
  const bool special = ::stat(path.c_str(), &there) == 0 && !S_ISREG(there.st_mode) && !S_ISDIR(there.st_mode);
  if (special) return write_to_special(path, content);
  INLAY_TRY(const std::string target, replaceable(path));
  INLAY_TRY(const std::string made, write_beside(target, content, mode));
  if (::rename(made.c_str(), target.c_str()) == 0) return {};
  const Error error = io_error("cannot write", path);
  ::unlink(made.c_str());
  return error;
}

}  // namespace inlay
