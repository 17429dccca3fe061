// SPDX-License-Identifier: Apache-2.0
#pragma once

// FileTail reads a file's lines as the file grows; LogTail takes those of the proxy's log apart.

#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

namespace inlay::tester {

class FileTail {
 public:
  explicit FileTail(const std::string& path) : file_(path) {}
  // The lines that are new.
  std::vector<std::string> read() {
    std::vector<std::string> lines;
    file_.clear();
    char block[4096];
    while (file_.read(block, sizeof block), file_.gcount() > 0)
      rest_.append(block, static_cast<size_t>(file_.gcount()));
    for (size_t end = rest_.find('\n'); end != std::string::npos; end = rest_.find('\n')) {
      lines.push_back(rest_.substr(0, end));
      rest_.erase(0, end + 1);
    }
    return lines;
  }

 private:
  std::ifstream file_;
  std::string rest_;
};

struct LogLine {
  std::string level;
  std::string component;
  std::string message;
  int thread = 0;  // lines of two threads have no order
};

class LogTail {
 public:
  // `main_thread`: its number there, which is 0 here; the others keep theirs, which grow in the order of their making.
  LogTail(const std::string& path, int main_thread) : file_(path), main_thread_(main_thread) {}
  std::vector<LogLine> read() {
    std::vector<LogLine> lines;
    for (const std::string& line : file_.read()) lines.push_back(split(line));
    return lines;
  }

 private:
  // "[time][thread][level][component] message"
  LogLine split(const std::string& line) const {
    std::string parts[4];
    size_t at = 0;
    for (std::string& part : parts) {
      const size_t end = line.find(']', at);
      if (at >= line.size() || line[at] != '[' || end == std::string::npos) return {"", "", line};
      part = line.substr(at + 1, end - at - 1);
      at = end + 1;
    }
    const int thread = std::atoi(parts[1].c_str());
    return {parts[2] == "warning" ? "warn" : parts[2], parts[3], at < line.size() ? line.substr(at + 1) : "",
            thread == main_thread_ ? 0 : thread};
  }

  FileTail file_;
  const int main_thread_;
};

}  // namespace inlay::tester
