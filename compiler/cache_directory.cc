// SPDX-License-Identifier: Apache-2.0
#include "compiler/cache_directory.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>

namespace inlay::compiler {
namespace {

namespace fs = std::filesystem;

Error io_error(const std::string& what, const std::string& path) {
  return Error{ErrorCode::kIo, what + ": " + std::strerror(errno), path};
}

std::string default_directory() {
  const char* xdg = std::getenv("XDG_CACHE_HOME");
  if (xdg != nullptr && *xdg == '/') return std::string(xdg) + "/inlay";
  const char* home = std::getenv("HOME");
  if (home != nullptr && *home == '/') return std::string(home) + "/.cache/inlay";
  return {};
}

}  // namespace

Result<std::string> find_cache_directory(const std::string& wanted) {
  const std::string path = wanted.empty() ? default_directory() : wanted;
  if (path.empty()) {
    return Error{
        ErrorCode::kIo, "no place for the cache of compiled modules: neither HOME nor XDG_CACHE_HOME is set", {}};
  }
  struct stat status = {};
  if (stat(path.c_str(), &status) != 0) {
    if (errno == ENOENT) return Error{ErrorCode::kNotFound, "there is no cache directory", path};
    return io_error("cannot use the cache directory", path);
  }
  if (!S_ISDIR(status.st_mode))
    return Error{ErrorCode::kFailedPrecondition, "the cache directory is not a directory", path};
  if (status.st_uid != geteuid()) {
    return Error{ErrorCode::kFailedPrecondition, "the cache directory belongs to another user", path};
  }
  if ((status.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
    return Error{ErrorCode::kFailedPrecondition,
                 "others may write to the cache directory, and what is in it is run as code; chmod 700 it", path};
  }
  return path;
}

Result<std::string> make_cache_directory(const std::string& wanted) {
  auto found = find_cache_directory(wanted);
  if (found || found.error().code != ErrorCode::kNotFound) return found;
  const std::string path = found.error().where;
  std::error_code ignored;
  const fs::path parent = fs::path(path).parent_path();
  if (!parent.empty()) fs::create_directories(parent, ignored);
  if (mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) return io_error("cannot make the cache directory", path);
  return find_cache_directory(wanted);
}

}  // namespace inlay::compiler
