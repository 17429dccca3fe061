// SPDX-License-Identifier: Apache-2.0
#include "package/write_image.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <vector>

#include "base/temporary_directory.h"
#include "package/media_types.h"
#include "package/read_image.h"
#include "package/tar.h"

namespace inlay::package {
namespace {

namespace fs = std::filesystem;

Error io_error(const std::string& what, const std::string& path, int number) {
  return {ErrorCode::kIo, "cannot " + what + " " + path + ": " + std::strerror(number), {}};
}

Result<> put(std::string_view content, const fs::path& path) {
  std::ofstream file(path, std::ios::binary);
  file.write(content.data(), static_cast<std::streamsize>(content.size()));
  file.close();
  if (!file) return io_error("write", path.string(), errno);
  return {};
}

// Puts the folder or file `made` in the place of `target`; what was there goes to the place of `made`.
Result<> exchange(const fs::path& made, const fs::path& target) {
  if (::rename(made.c_str(), target.c_str()) == 0) return {};
  const bool folder_there = errno == ENOTEMPTY || errno == EEXIST;
  if (folder_there && ::renameat2(AT_FDCWD, made.c_str(), AT_FDCWD, target.c_str(), RENAME_EXCHANGE) == 0) return {};
  if (folder_there && (errno == EINVAL || errno == ENOSYS)) {  // a file system that cannot exchange
    const std::string old = made.string() + ".old";
    if (::rename(target.c_str(), old.c_str()) == 0) {
      if (::rename(made.c_str(), target.c_str()) == 0) return {};
      const int failed = errno;
      ::rename(old.c_str(), target.c_str());
      errno = failed;
    }
  }
  return io_error("write", target.string(), errno);
}

Result<fs::path> absolute_target(const std::string& path) {
  if (path.empty()) return Error{ErrorCode::kInvalidArgument, "the name of the layout to write is empty", {}};
  std::error_code failed;
  fs::path target = fs::absolute(path, failed).lexically_normal();
  if (failed) return io_error("find", path, failed.value());
  return target.has_filename() ? target : target.parent_path();  // "folder/"
}

Result<> check_target(const fs::path& target) {
  std::error_code failed;
  if (!fs::exists(target, failed)) {
    fs::create_directories(target.parent_path(), failed);
    if (failed) return io_error("make", target.parent_path().string(), failed.value());
    return {};
  }
  if (fs::is_directory(target, failed) && fs::is_empty(target, failed)) return {};
  const auto images = count_images(target.string());
  if (images && *images <= 1) return {};
  const std::string why =
      images ? "it is a layout with " + std::to_string(*images) + " images" : "it is no image layout";
  return Error{
      ErrorCode::kFailedPrecondition,
      target.string() + " is there already and " + why + "; it stays as it is: give another name, or remove it",
      {}};
}

Result<> put_layout(const Image& image, const fs::path& folder) {
  std::error_code failed;
  fs::create_directories(folder / "blobs" / "sha256", failed);
  if (failed) return io_error("make", folder.string(), failed.value());
  for (const auto& [name, content] : layout_files(image)) {
    if (auto done = put(content, folder / name); !done) return done;
  }
  return {};
}

Result<> put_tar(const Image& image, const fs::path& path) {
  std::vector<TarFile> files;
  for (const auto& [name, content] : layout_files(image)) files.push_back({name, content});
  return put(write_tar(files), path);
}

}  // namespace

Result<> write_image(const Image& image, const std::string& path) {
  INLAY_TRY(const fs::path target, absolute_target(path));
  if (auto free = check_target(target); !free) return free;
  // In the folder of what is to be written, so that a rename puts it in its place. What is still there in the end goes.
  const TemporaryDirectory beside("." + target.filename().string() + ".", target.parent_path().string());
  if (beside.path().empty()) return io_error("write into", target.parent_path().string(), errno);
  const fs::path made = beside.file(target.filename().string());
  const bool tar = target.extension() == ".tar";
  if (auto written = tar ? put_tar(image, made) : put_layout(image, made); !written) return written;
  return exchange(made, target);
}

}  // namespace inlay::package
