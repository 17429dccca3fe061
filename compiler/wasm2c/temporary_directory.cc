// SPDX-License-Identifier: Apache-2.0
#include "compiler/wasm2c/temporary_directory.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

namespace inlay::compiler {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kPrefix = "tmp-";

// The directory with its lock held; -1 if somebody else holds it.
int lock(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) == 0) return fd;
  close(fd);
  return -1;
}

void remove_forsaken(const std::string& parent) {
  std::error_code failed;
  for (const auto& entry : fs::directory_iterator(parent, failed)) {
    const std::string name = entry.path().filename();
    struct stat status = {};
    // One that is younger may not have got its lock yet.
    constexpr time_t kYoung = 60;
    if (!name.starts_with(kPrefix) || lstat(entry.path().c_str(), &status) != 0 || !S_ISDIR(status.st_mode) ||
        status.st_uid != geteuid() || time(nullptr) - status.st_mtime < kYoung) {
      continue;
    }
    const int fd = lock(entry.path());
    if (fd < 0) continue;
    fs::remove_all(entry.path(), failed);
    close(fd);
  }
}

}  // namespace

TemporaryDirectory::TemporaryDirectory(const std::string& parent) {
  remove_forsaken(parent);
  std::string path = parent + "/" + std::string(kPrefix) + "XXXXXX";
  if (mkdtemp(path.data()) == nullptr) return;
  path_ = path;
  lock_ = lock(path_);
}

TemporaryDirectory::~TemporaryDirectory() {
  std::error_code ignored;
  if (!path_.empty()) fs::remove_all(path_, ignored);
  if (lock_ >= 0) close(lock_);
}

}  // namespace inlay::compiler
