// SPDX-License-Identifier: Apache-2.0
#pragma once

// FileWatch: whether files change, looked at again and again; what is not there may come. By looking, and not by being
// told, so that it works wherever a file can be read: over a network, through links that are changed.
//
//     FileWatch watch({"envoy.yaml", "filter.wasm"});
//     while (watch.changed().empty()) std::this_thread::sleep_for(200ms);

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace inlay {

// A value; any thread.
class FileWatch {
 public:
  // Remembers how the files, or folders, are now.
  explicit FileWatch(const std::vector<std::string>& paths = {});
  // Remembers how one more is now, if it does not know it yet. Of a file that is to be read: before that, so that what
  // is written meanwhile is a change.
  void add(const std::string& path) { known_.try_emplace(path, state_of(path)); }
  // Remembers how all of them are now.
  void look_again();
  bool empty() const { return known_.empty(); }

  // The first one that is otherwise now; empty when none is.
  std::string changed() const;
  // Whether all are there, as they were remembered, but for those that `before` has not seen either.
  bool all_there(const FileWatch& before) const;
  // Waits until one has changed, and then until all stand still and are there, for five seconds at most, as a compiler
  // writes for a while. Returns the one that was seen first.
  std::string wait() const;

 private:
  struct State {
    bool there = false;
    bool folder = false;
    int64_t modified_ns = 0;
    int64_t size = 0;
    uint64_t inode = 0;
    bool operator==(const State&) const = default;
  };
  static State state_of(const std::string& path);

  std::map<std::string, State> known_;
};

}  // namespace inlay
