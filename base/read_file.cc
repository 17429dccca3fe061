// SPDX-License-Identifier: Apache-2.0
#include "base/read_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace inlay {

namespace {

Error cannot_read(const std::string& path, const std::string& why) {
  return Error{ErrorCode::kIo, "cannot read " + path + ": " + why, path};
}

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

Result<std::string> read(const std::string& path, size_t limit, int flags, bool regular_only) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | flags));
  if (file.get() < 0) return cannot_read(path, std::strerror(errno));
  struct stat status = {};
  if (::fstat(file.get(), &status) == 0) {
    if (S_ISDIR(status.st_mode)) return cannot_read(path, "it is a folder");
    if (regular_only && !S_ISREG(status.st_mode)) return cannot_read(path, "it is no regular file");
  }
  std::string content;
  char chunk[64 * 1024];
  for (;;) {
    const ssize_t n = ::read(file.get(), chunk, sizeof chunk);
    if (n == 0) return content;
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return cannot_read(path, std::strerror(errno));
    content.append(chunk, static_cast<size_t>(n));
    if (content.size() > limit) return cannot_read(path, "it is larger than " + std::to_string(limit) + " bytes");
  }
}

}  // namespace

Result<std::string> read_file(const std::string& path, size_t limit) {
  return read(path, limit, 0, false);
}

Result<std::string> read_regular_file(const std::string& path, size_t limit) {
  return read(path, limit, O_NONBLOCK, true);
}

}  // namespace inlay
