// SPDX-License-Identifier: Apache-2.0
#include "engine/aot/artifact.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <utility>

#include "engine/aot/runtime.h"
#include "engine/sha256.h"

namespace inlay::engine::aot {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kMagic = "\nINLAY-ARTIFACT\n";
constexpr size_t kDigits = 64;
constexpr size_t kSizeDigits = 8;
constexpr size_t kTrailer = kMagic.size() + 3 * kDigits + kSizeDigits;
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

// ArtifactFile is an open file that only its owner may write, read piece by piece.
class ArtifactFile {
 public:
  static Result<ArtifactFile> open(const std::string& path) {
    ArtifactFile file;
    file.fd_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (file.fd_ < 0) {
      if (errno == ENOENT) return Error{ErrorCode::kNotFound, "there is no such file", path};
      return io_error("cannot open", path);
    }
    struct stat status = {};
    if (fstat(file.fd_, &status) != 0 || !S_ISREG(status.st_mode) || !is_private(status)) {
      return Error{ErrorCode::kFailedPrecondition,
                   "not a file that only its owner may write, and that belongs to this user or to root", path};
    }
    file.size_ = static_cast<size_t>(status.st_size);
    return file;
  }
  ArtifactFile(const ArtifactFile&) = delete;
  ArtifactFile(ArtifactFile&& other) noexcept : fd_(std::exchange(other.fd_, -1)), size_(other.size_) {}
  ArtifactFile& operator=(const ArtifactFile&) = delete;
  ~ArtifactFile() {
    if (fd_ >= 0) close(fd_);
  }

  size_t size() const { return size_; }

  // Empty where the file has less, because it is being changed.
  std::string read(size_t begin, size_t size) const {
    std::string bytes(size, '\0');
    for (size_t got = 0; got < size;) {
      const ssize_t n = pread(fd_, bytes.data() + got, size - got, static_cast<off_t>(begin + got));
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) return {};
      got += static_cast<size_t>(n);
    }
    return bytes;
  }

  // Calls `use` with the file's first `size` bytes, in pieces; false where the file has less.
  template <class Use>
  bool for_each_piece(size_t size, const Use& use) const {
    constexpr size_t kPiece = 256 * 1024;
    for (size_t at = 0; at < size;) {
      const std::string piece = read(at, std::min(kPiece, size - at));
      if (piece.empty()) return false;
      use(piece);
      at += piece.size();
    }
    return true;
  }

 private:
  ArtifactFile() = default;
  int fd_ = -1;
  size_t size_ = 0;
};

}  // namespace

ModuleId module_id(std::span<const uint8_t> module) {
  return module_id_of(sha256(module));
}

ModuleId module_id_of(std::string_view sha256) {
  struct utsname machine = {};
  uname(&machine);
  return {std::string(sha256), engine::sha256(std::string(sha256) + "\n" + std::string(kInlayVersion) + "\n" +
                                              std::to_string(kShimAbi) + "\n" + machine.machine)};
}

Result<> seal_artifact(const std::string& object, const ModuleId& id, std::string_view description,
                       const std::string& path) {
  INLAY_TRY(const ArtifactFile file, ArtifactFile::open(object));
  const std::string temporary = object + ".sealed";
  std::ofstream out(temporary, std::ios::binary);
  Sha256 hasher;
  const auto put = [&](std::string_view bytes) {
    hasher.add(bytes);
    out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  };
  const bool whole = file.for_each_piece(file.size(), put);
  put(description);
  char size[kSizeDigits + 1];
  std::snprintf(size, sizeof size, "%0*zx", static_cast<int>(kSizeDigits), description.size());
  out << kMagic << id.sha256 << id.key << hasher.hexadecimal() << size;
  out.close();
  std::error_code ignored;
  if (!whole || !out.good()) {
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

Result<Sealed> check_artifact(const std::string& path, std::string_view sha256) {
  INLAY_TRY(const ArtifactFile file, ArtifactFile::open(path));
  struct stat parent = {};
  std::string directory = fs::path(path).parent_path();
  if (directory.empty()) directory = ".";
  if (stat(directory.c_str(), &parent) != 0 || !is_safe_parent(parent)) {
    return Error{ErrorCode::kFailedPrecondition,
                 "others may write to its directory, so that it may be replaced by code of theirs", path};
  }
  const Error no_artifact{ErrorCode::kInvalidArgument, "not an artifact, or cut short", path};
  if (file.size() < kTrailer) return no_artifact;
  const size_t end = file.size() - kTrailer;
  const std::string trailer = file.read(end, kTrailer);
  if (!trailer.starts_with(kMagic)) return no_artifact;
  const std::string_view fields = std::string_view(trailer).substr(kMagic.size());
  const std::string_view module = fields.substr(0, kDigits);
  if (!sha256.empty() && module != sha256) {
    return Error{ErrorCode::kInvalidArgument, "made from another module", path};
  }
  const std::string_view key = fields.substr(kDigits, kDigits);
  if (key != module_id_of(module).key) {
    return Error{ErrorCode::kInvalidArgument, "made for another version of Inlay, or another kind of machine", path};
  }
  Sha256 hasher;
  const bool whole = file.for_each_piece(end, [&](std::string_view piece) { hasher.add(piece); });
  if (!whole || fields.substr(2 * kDigits, kDigits) != hasher.hexadecimal()) {
    return Error{ErrorCode::kInvalidArgument, "damaged: its checksum is wrong", path};
  }
  size_t size = 0;
  const std::string_view digits = fields.substr(3 * kDigits);
  if (std::from_chars(digits.data(), digits.data() + digits.size(), size, 16).ptr != digits.data() + digits.size() ||
      size > end) {
    return no_artifact;
  }
  return Sealed{std::string(key), file.read(end - size, size)};
}

}  // namespace inlay::engine::aot
