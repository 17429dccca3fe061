// SPDX-License-Identifier: Apache-2.0
// OpenSSL's plain SHA-256: EVP would load and set up every algorithm that there is, some 2 MiB of it resident.
#define OPENSSL_SUPPRESS_DEPRECATED

#include "engine/aot/artifact.h"

#include <fcntl.h>
#include <openssl/sha.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <vector>

#include "engine/aot/runtime.h"
#include "engine/parse.h"

namespace inlay::engine::aot {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kMagic = "\nINLAY-ARTIFACT\n";
constexpr size_t kDigits = 64;
constexpr size_t kTrailer = kMagic.size() + 2 * kDigits;
constexpr std::string_view kQuickSuffix = ".quick.aot";
constexpr std::string_view kInlayVersion = INLAY_VERSION;

Error io_error(const std::string& what, const std::string& path) {
  return Error{ErrorCode::kIo, what + ": " + std::strerror(errno), path};
}

// True if only we, or root, may change it.
bool is_private(const struct stat& status) {
  return (status.st_uid == geteuid() || status.st_uid == 0) && (status.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

// A directory in which nobody else may put another file in a file's place.
bool is_safe_parent(const struct stat& status) {
  if (is_private(status)) return true;
  return (status.st_uid == geteuid() || status.st_uid == 0) && (status.st_mode & S_ISVTX) != 0;
}

Result<std::vector<uint8_t>> read_all(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    if (errno == ENOENT) return Error{ErrorCode::kNotFound, "there is no such file", path};
    return io_error("cannot open", path);
  }
  struct stat status = {};
  std::vector<uint8_t> bytes;
  if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode) || !is_private(status)) {
    close(fd);
    return Error{ErrorCode::kFailedPrecondition,
                 "not a file that only its owner may write, and that belongs to this user or to root", path};
  }
  bytes.resize(static_cast<size_t>(status.st_size));
  size_t got = 0;
  while (got < bytes.size()) {
    const ssize_t n = read(fd, bytes.data() + got, bytes.size() - got);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    got += static_cast<size_t>(n);
  }
  close(fd);
  bytes.resize(got);
  return bytes;
}

std::string default_directory() {
  const char* xdg = std::getenv("XDG_CACHE_HOME");
  if (xdg != nullptr && *xdg == '/') return std::string(xdg) + "/inlay";
  const char* home = std::getenv("HOME");
  if (home != nullptr && *home == '/') return std::string(home) + "/.cache/inlay";
  return {};
}

}  // namespace

std::string sha256(std::span<const uint8_t> bytes) {
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SHA256_CTX context;
  SHA256_Init(&context);
  SHA256_Update(&context, bytes.data(), bytes.size());
  SHA256_Final(digest, &context);
  std::string text;
  for (const unsigned char byte : digest) {
    text += "0123456789abcdef"[byte >> 4];
    text += "0123456789abcdef"[byte & 15];
  }
  return text;
}

std::string sha256(std::string_view text) {
  return sha256(std::span(reinterpret_cast<const uint8_t*>(text.data()), text.size()));
}

std::string module_key(std::span<const uint8_t> module) {
  struct utsname machine = {};
  uname(&machine);
  return sha256(sha256(module) + "\n" + std::string(kInlayVersion) + "\n" + std::to_string(kShimAbi) + "\n" +
                std::string(wabt_version()) + "\n" + machine.machine);
}

Result<std::string> open_cache_directory(const std::string& wanted) {
  const std::string path = wanted.empty() ? default_directory() : wanted;
  if (path.empty()) {
    return Error{
        ErrorCode::kIo, "no place for the cache of compiled modules: neither HOME nor XDG_CACHE_HOME is set", {}};
  }
  std::error_code failed;
  const fs::path parent = fs::path(path).parent_path();
  if (!parent.empty()) fs::create_directories(parent, failed);
  if (mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) return io_error("cannot make the cache directory", path);
  struct stat status = {};
  if (stat(path.c_str(), &status) != 0) return io_error("cannot use the cache directory", path);
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

Result<> seal_artifact(const std::string& object, const std::string& key, const std::string& path) {
  INLAY_TRY(const auto bytes, read_all(object));
  const std::string temporary = object + ".sealed";
  std::ofstream out(temporary, std::ios::binary);
  out.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  out << kMagic << key << sha256(bytes);
  out.close();
  std::error_code ignored;
  if (!out.good()) {
    fs::remove(temporary, ignored);
    return Error{ErrorCode::kIo, "cannot write the compiled module: is the disk full?", temporary};
  }
  chmod(temporary.c_str(), 0755);
  if (rename(temporary.c_str(), path.c_str()) != 0) {
    const Error error = io_error("cannot put the compiled module in its place", path);
    fs::remove(temporary, ignored);
    return error;
  }
  return {};
}

Result<> check_artifact(const std::string& path, const std::string& key) {
  INLAY_TRY(const auto bytes, read_all(path));
  struct stat parent = {};
  std::string directory = fs::path(path).parent_path();
  if (directory.empty()) directory = ".";
  if (stat(directory.c_str(), &parent) != 0 || !is_safe_parent(parent)) {
    return Error{ErrorCode::kFailedPrecondition,
                 "others may write to its directory, so that it may be replaced by code of theirs", path};
  }
  if (bytes.size() < kTrailer) return Error{ErrorCode::kInvalidArgument, "not an artifact, or cut short", path};
  const size_t object = bytes.size() - kTrailer;
  const std::string_view trailer(reinterpret_cast<const char*>(bytes.data()) + object, kTrailer);
  if (!trailer.starts_with(kMagic)) return Error{ErrorCode::kInvalidArgument, "not an artifact, or cut short", path};
  if (trailer.substr(kMagic.size(), kDigits) != key) {
    return Error{ErrorCode::kInvalidArgument, "made from another module, or for another version of Inlay", path};
  }
  if (trailer.substr(kMagic.size() + kDigits) != sha256(std::span(bytes).first(object))) {
    return Error{ErrorCode::kInvalidArgument, "damaged: its checksum is wrong", path};
  }
  return {};
}

std::string artifact_path(const std::string& directory, const std::string& key, const std::string& compiler,
                          const std::string& optimization) {
  return directory + "/" + key + "-" + sha256(compiler + "\n" + optimization).substr(0, 16) + ".aot";
}

std::string quick_artifact_path(const std::string& directory, const std::string& key, const std::string& compiler) {
  return directory + "/" + key + "-" + sha256(compiler).substr(0, 16) + std::string(kQuickSuffix);
}

bool is_quick_artifact(std::string_view path) {
  return path.ends_with(kQuickSuffix);
}

std::string find_any_artifact(const std::string& directory, const std::string& key) {
  std::error_code failed;
  std::string quick;
  for (const auto& entry : fs::directory_iterator(directory, failed)) {
    const std::string name = entry.path().filename();
    if (!name.starts_with(key) || !name.ends_with(".aot")) continue;
    if (!is_quick_artifact(name)) return entry.path();
    quick = entry.path();
  }
  return quick;
}

}  // namespace inlay::engine::aot
