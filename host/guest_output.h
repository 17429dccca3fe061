// SPDX-License-Identifier: Apache-2.0
#pragma once

// GuestOutput: what a guest writes to standard output or standard error, as records of the log. Not thread-safe.
//
// One write that ends a line is one record, as in Envoy, line ends within it included. What is written in pieces is one
// record once its line has ended: Go's runtime writes a panic word by word. Whoever owns this takes what has no end yet
// when the guest's callback is over.
//
//     output.add("fatal error: ");   // ""
//     output.add("all is lost\n");   // "fatal error: all is lost"

#include <cstddef>
#include <string>
#include <string_view>

namespace inlay::host {

class GuestOutput {
 public:
  // A line is no longer than this; the rest is another.
  explicit GuestOutput(size_t longest) : longest_(longest) {}

  // The record that `text` completes, without its last line end; empty if there is none. Valid until the next add() or
  // take().
  std::string_view add(std::string_view text) {
    done_.clear();
    const size_t end = text.rfind('\n');
    if (end != std::string_view::npos) {
      done_.append(begun_).append(text.substr(0, end));
      begun_.assign(text.substr(end + 1));
    } else {
      begun_.append(text);
    }
    if (begun_.size() < longest_) return done_;
    if (!done_.empty()) done_ += '\n';
    done_ += begun_;
    begun_.clear();
    return done_;
  }

  // What has been written of a line that has not ended.
  std::string take() {
    std::string begun;
    begun.swap(begun_);
    return begun;
  }
  bool unended() const { return !begun_.empty(); }

 private:
  size_t longest_;
  std::string begun_;
  std::string done_;
};

}  // namespace inlay::host
