// SPDX-License-Identifier: Apache-2.0
#pragma once

// Watch: whether files change, looked at again and again; what is not there may come.

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace inlay::cli {

class Watch {
 public:
  // Remembers how the files, or folders, are now.
  explicit Watch(const std::vector<std::string>& paths);

  // The first one that is otherwise now; empty when none is.
  std::string changed() const;
  // Waits until one has changed, and then until all stand still and are there, for five seconds at most, as a compiler
  // writes for a while. Returns the one that was seen first.
  std::string wait() const;

 private:
  struct State {
    bool there = false;
    int64_t modified_ns = 0;
    int64_t size = 0;
    uint64_t inode = 0;
    bool operator==(const State&) const = default;
  };
  static State state_of(const std::string& path);

  std::map<std::string, State> known_;
};

}  // namespace inlay::cli
