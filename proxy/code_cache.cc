// SPDX-License-Identifier: Apache-2.0
#include "proxy/code_cache.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <span>

#include "engine/aot/artifact.h"
#include "proxy/config/model.h"
#include "proxy/config/read_file.h"

namespace inlay::proxy {
namespace {

std::string path_of(const std::string& directory, const std::string& sha256) {
  return directory + "/" + sha256 + ".wasm";
}

Error io_error(const std::string& what, const std::string& path) {
  return Error{ErrorCode::kIo, what + ": " + std::strerror(errno), path};
}

bool write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    bytes.remove_prefix(static_cast<size_t>(n));
  }
  return true;
}

}  // namespace

std::string sha256_of(std::string_view bytes) {
  return engine::aot::sha256(bytes);
}

Code CodeCache::find(const std::string& sha256) const {
  const auto directory = engine::aot::find_cache_directory(directory_);
  if (!directory) return nullptr;
  const auto bytes = config::read_file(path_of(*directory, sha256), config::kLargestModule);
  if (!bytes || sha256_of(*bytes) != sha256) return nullptr;
  return std::make_shared<const std::vector<uint8_t>>(bytes->begin(), bytes->end());
}

Result<> CodeCache::store(const std::string& sha256, std::string_view bytes) const {
  INLAY_TRY(const std::string directory, engine::aot::make_cache_directory(directory_));
  const std::string path = path_of(directory, sha256);
  std::string temporary = path + ".XXXXXX";
  const int fd = mkstemp(temporary.data());  // 0600
  if (fd < 0) return io_error("cannot keep the fetched module", temporary);
  const bool written = write_all(fd, bytes);
  const Error failed = io_error("cannot keep the fetched module", path);
  if (close(fd) != 0 || !written || rename(temporary.c_str(), path.c_str()) != 0) {
    unlink(temporary.c_str());
    return failed;
  }
  return {};
}

}  // namespace inlay::proxy
