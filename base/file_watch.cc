// SPDX-License-Identifier: Apache-2.0
#include "base/file_watch.h"

#include <sys/stat.h>

#include <algorithm>
#include <chrono>
#include <thread>

namespace inlay {
namespace {

constexpr std::chrono::milliseconds kPause{200};  // between two looks
constexpr int kLooks = 25;                        // at files that do not stand still

}  // namespace

FileWatch::State FileWatch::state_of(const std::string& path) {
  struct stat found {};
  if (stat(path.c_str(), &found) != 0) return {};
  return {true, S_ISDIR(found.st_mode), int64_t{found.st_mtim.tv_sec} * 1'000'000'000 + found.st_mtim.tv_nsec,
          int64_t{found.st_size}, uint64_t{found.st_ino}};
}

FileWatch::FileWatch(const std::vector<std::string>& paths) {
  for (const std::string& path : paths) known_[path] = state_of(path);
}

void FileWatch::look_again() {
  for (auto& [path, state] : known_) state = state_of(path);
}

std::string FileWatch::changed() const {
  std::string folder;  // which changes with what is in it
  for (const auto& [path, state] : known_) {
    if (state_of(path) == state) continue;
    if (!state.folder) return path;
    folder = path;
  }
  return folder;
}

bool FileWatch::all_there(const FileWatch& before) const {
  return std::all_of(known_.begin(), known_.end(), [&](const auto& one) {
    const auto was = before.known_.find(one.first);
    return one.second.there || (was != before.known_.end() && !was->second.there);
  });
}

std::string FileWatch::wait() const {
  std::string first;
  for (first = changed(); first.empty(); first = changed()) std::this_thread::sleep_for(kPause);
  FileWatch now(*this);
  for (int look = 0; look < kLooks; ++look) {
    now.look_again();
    std::this_thread::sleep_for(kPause);
    if (now.all_there(*this) && now.changed().empty()) break;
  }
  return first;
}

}  // namespace inlay
