// SPDX-License-Identifier: Apache-2.0
#include "deploy/render/write.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <optional>
#include <system_error>

#include "base/files.h"
#include "base/read_file.h"

namespace inlay::deploy {

namespace fs = std::filesystem;

namespace {

constexpr size_t kLargestFile = size_t{128} << 20;

std::string path_of(const std::string& folder, const std::string& name) {
  return (fs::path(folder) / name).string();
}

std::optional<std::string> content_of(const std::string& path) {
  auto text = read_file(path, kLargestFile);
  return text ? std::optional<std::string>(*std::move(text)) : std::nullopt;
}

bool is_rendered(std::string_view content) {
  return content.starts_with(kMadeBy);
}

// The text files of an earlier rendering that stand in the folder.
std::vector<std::string> rendered_files(const std::string& folder) {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    if (!entry->is_regular_file(error) || entry->path().extension() != ".yaml") continue;
    const auto content = content_of(entry->path());
    if (content && is_rendered(*content)) names.push_back(entry->path().filename());
  }
  std::sort(names.begin(), names.end());
  return names;
}

bool contains(const Rendering& rendering, const std::string& name) {
  return std::any_of(rendering.files.begin(), rendering.files.end(),
                     [&](const File& file) { return file.name == name; });
}

// Files in the way: they stand there, are not what would be written, and were not rendered. A module is ours when a
// rendered file stands beside it.
std::vector<std::string> foreign_files(const Rendering& rendering, const std::string& folder) {
  std::vector<std::string> foreign;
  const bool rendered_before = !rendered_files(folder).empty();
  for (const File& file : rendering.files) {
    const std::string path = path_of(folder, file.name);
    std::error_code error;
    if (!fs::exists(fs::symlink_status(path, error))) continue;
    const auto content = content_of(path);
    const bool own = content && (*content == file.content || (file.binary ? rendered_before : is_rendered(*content)));
    if (!own) foreign.push_back(path);
  }
  return foreign;
}

Error io_error(const std::string& what, const std::string& path) {
  return {ErrorCode::kIo, what + ": " + std::strerror(errno), path};
}

// Renames all, or none of them is left behind.
class Staging {
 public:
  ~Staging() {
    for (const auto& [from, to] : files_) ::unlink(from.c_str());
  }
  Result<Unit> add(const std::string& path, std::string_view content) {
    INLAY_TRY(std::string name, write_beside(path, content, kReadableByAll));
    files_.emplace_back(std::move(name), path);
    return Unit{};
  }
  Result<Unit> commit() {
    for (; !files_.empty(); files_.erase(files_.begin()))
      if (::rename(files_.front().first.c_str(), files_.front().second.c_str()) != 0)
        return io_error("cannot write", files_.front().second);
    return Unit{};
  }

 private:
  std::vector<std::pair<std::string, std::string>> files_;
};

size_t first_difference(std::string_view a, std::string_view b) {
  const size_t common = std::min(a.size(), b.size());
  const auto [at, other] = std::mismatch(a.begin(), a.begin() + static_cast<ptrdiff_t>(common), b.begin());
  return static_cast<size_t>(std::count(a.begin(), at, '\n')) + 1;
}

}  // namespace

void add_made_by(Rendering& rendering, std::string_view target, std::string_view values_file) {
  std::string name(values_file);
  std::replace_if(
      name.begin(), name.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == '`'; }, '?');
  const std::string line =
      std::string(kMadeBy) + std::string(target) + " -f " + name + "`; change the values and render again.\n";
  for (File& file : rendering.files)
    if (!file.binary) file.content.insert(0, line);
}

Result<std::vector<std::string>> write_rendering(const Rendering& rendering, const std::string& folder,
                                                 const WriteOptions& options) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (!error && !fs::is_directory(folder, error) && !error) error = std::make_error_code(std::errc::not_a_directory);
  if (error) return Error{ErrorCode::kIo, "cannot write there: " + error.message(), folder};
  if (const auto foreign = foreign_files(rendering, folder); !foreign.empty() && !options.force) {
    std::string names;
    for (const std::string& path : foreign) names += (names.empty() ? "" : ", ") + path;
    return Error{ErrorCode::kFailedPrecondition,
                 "not made by `inlay deploy render`, so it is not overwritten: " + names +
                     "; choose another folder, or say --force",
                 ""};
  }
  std::vector<std::string> paths;
  Staging staging;
  for (const File& file : rendering.files) {
    paths.push_back(path_of(folder, file.name));
    INLAY_RETURN_IF_ERROR(staging.add(paths.back(), file.content));
  }
  INLAY_RETURN_IF_ERROR(staging.commit());
  for (const std::string& name : rendered_files(folder))
    if (!contains(rendering, name)) ::unlink(path_of(folder, name).c_str());
  return paths;
}

std::vector<std::string> compare_rendering(const Rendering& rendering, const std::string& folder) {
  std::vector<std::string> differences;
  for (const File& file : rendering.files) {
    const std::string path = path_of(folder, file.name);
    const auto content = content_of(path);
    if (!content) {
      differences.push_back(path + " is missing");
    } else if (*content != file.content) {
      differences.push_back(
          path + " differs" +
          (file.binary ? "" : " from line " + std::to_string(first_difference(file.content, *content)) + " on"));
    }
  }
  for (const std::string& name : rendered_files(folder))
    if (!contains(rendering, name)) differences.push_back(path_of(folder, name) + " is no longer made");
  return differences;
}

}  // namespace inlay::deploy
