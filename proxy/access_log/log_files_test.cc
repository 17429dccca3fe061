// SPDX-License-Identifier: Apache-2.0
#include "proxy/access_log/log_files.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <future>
#include <sstream>

#include "base/temporary_directory.h"
#include "proxy/access_log/worker_logs.h"

namespace inlay::proxy::access_log {
namespace {

using namespace std::chrono_literals;

std::string content(const std::filesystem::path& path) {
  std::stringstream out;
  out << std::ifstream(path).rdbuf();
  return out.str();
}

class LogFilesTest : public testing::Test {
 protected:
  LogFilesTest() { make(); }
  void make(size_t most_waiting = 1 << 20) {
    files_ = std::make_unique<LogFiles>(LogFiles::Options{
        metrics_, [this](std::string_view what) { warnings_ += std::string(what) + "\n"; }, most_waiting});
  }
  std::string path(const std::string& name) { return folder_ / name; }
  Result<LogFile*> open(const std::string& name) {
    config::AccessLog log;
    log.path = name.starts_with('/') ? name : path(name);
    return files_->open(log);
  }
  int64_t counter(std::string_view name) {
    return stats::Counter(metrics_.define(abi::MetricType::kCounter, name)).value();
  }

  stats::MetricStore metrics_;
  const TemporaryDirectory scratch_{"inlay-logs-"};
  const std::filesystem::path folder_{scratch_.path()};
  std::string warnings_;  // written by the writing thread; read once it has ended
  std::unique_ptr<LogFiles> files_;
};

TEST_F(LogFilesTest, AppendsInOrderAndLosesNothingAtTheEnd) {
  std::ofstream(path("a")) << "before\n";
  LogFile* file = open("a").value();
  std::string expected = "before\n";
  for (int i = 0; i < 1000; ++i) {
    const std::string line = std::to_string(i) + "\n";
    file->write(line);
    expected += line;
  }
  files_.reset();
  EXPECT_EQ(content(path("a")), expected);
  EXPECT_EQ(counter("filesystem.write_buffered"), 1000);
  EXPECT_EQ(counter("filesystem.write_completed"), 1000);
}

TEST_F(LogFilesTest, OnePathIsOneFile) {
  EXPECT_EQ(open("a").value(), open("a").value());
  EXPECT_NE(open("a").value(), open("b").value());
  config::AccessLog out;
  out.sink = config::AccessLog::Sink::kStdout;
  EXPECT_EQ(files_->open(out).value(), open("/dev/stdout").value());
}

// The end of the process is not in the hands of whoever should read its log.
TEST_F(LogFilesTest, APipeThatNobodyReadsHoldsUpNeitherTheStartNorTheEnd) {
  ASSERT_EQ(mkfifo(path("pipe").c_str(), 0600), 0);
  LogFile* file = open("pipe").value();
  file->write(std::string(1'000'000, 'x') + "\n");
  const auto begin = std::chrono::steady_clock::now();
  files_.reset();
  EXPECT_LT(std::chrono::steady_clock::now() - begin, LogFiles::kLongestEnd + 60s);
  EXPECT_EQ(counter("filesystem.write_failed"), 1);
  EXPECT_NE(warnings_.find("entries are lost"), std::string::npos) << warnings_;
}

TEST_F(LogFilesTest, APipeGetsWholeLines) {
  ASSERT_EQ(mkfifo(path("pipe").c_str(), 0600), 0);
  LogFile* file = open("pipe").value();
  const int reader = ::open(path("pipe").c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  std::string expected;
  for (int i = 0; i < 3000; ++i) expected += std::string(static_cast<size_t>(i % 200), 'a') + "\n";
  expected += std::string(10'000, 'b') + "\n";
  file->write(expected);
  std::string got;
  char chunk[8192];
  while (got.size() < expected.size()) {
    const ssize_t n = ::read(reader, chunk, sizeof chunk);
    if (n > 0) got.append(chunk, static_cast<size_t>(n));
  }
  ::close(reader);
  EXPECT_EQ(got, expected);
}

TEST_F(LogFilesTest, ReopensByThePath) {
  LogFile* file = open("a").value();
  file->write("old\n");
  std::filesystem::rename(path("a"), path("a.1"));
  files_->reopen();
  file->write("new\n");
  files_.reset();
  EXPECT_EQ(content(path("a.1")), "old\n");
  EXPECT_EQ(content(path("a")), "new\n");
}

TEST_F(LogFilesTest, KeepsTheOldFileWhenItCannotReopen) {
  std::filesystem::create_directory(folder_ / "d");
  LogFile* file = open("d/a").value();
  std::filesystem::rename(folder_ / "d", folder_ / "e");
  files_->reopen();
  file->write("x\n");
  files_.reset();
  EXPECT_EQ(content(path("e/a")), "x\n");
  EXPECT_NE(warnings_.find("cannot reopen"), std::string::npos);
  EXPECT_EQ(counter("filesystem.reopen_failed"), 1);
}

TEST_F(LogFilesTest, AFileThatCannotBeOpenedIsAnErrorWithItsPath) {
  const auto file = open("no/such/folder");
  ASSERT_FALSE(file);
  EXPECT_EQ(file.error().where, path("no/such/folder"));
  EXPECT_NE(file.error().message.find("No such file"), std::string::npos);
}

TEST_F(LogFilesTest, AFullDiskIsCountedAndSaidOnce) {
  LogFile* file = open("/dev/full").value();
  file->write("1\n");
  file->write("2\n");
  files_.reset();
  EXPECT_EQ(counter("filesystem.write_failed"), 2);
  EXPECT_EQ(warnings_, "cannot write '/dev/full', entries are lost: No space left on device\n");
}

// A pipe that nobody reads stands for a disk that hangs: what is over the limit is dropped, and no write() waits.
TEST_F(LogFilesTest, ASlowDiskHoldsNobodyUp) {
  make(256 * 1024);
  ASSERT_EQ(mkfifo(path("pipe").c_str(), 0600), 0);
  const int reader = ::open(path("pipe").c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  ASSERT_GE(reader, 0);
  LogFile* file = open("pipe").value();
  for (int i = 0; i < 100; ++i) file->write(std::string(32 * 1024, 'x'));
  EXPECT_GE(counter("filesystem.write_dropped"), 80);
  auto ended = std::async(std::launch::async, [this] { files_.reset(); });
  size_t bytes = 0;
  char chunk[65536];
  while (ended.wait_for(0s) != std::future_status::ready) {
    const ssize_t n = read(reader, chunk, sizeof chunk);
    if (n > 0) bytes += static_cast<size_t>(n);
  }
  for (ssize_t n; (n = read(reader, chunk, sizeof chunk)) > 0;) bytes += static_cast<size_t>(n);
  close(reader);
  EXPECT_EQ(bytes, (100 - static_cast<size_t>(counter("filesystem.write_dropped"))) * 32 * 1024);
}

class WorkerLogsTest : public LogFilesTest {
 protected:
  WorkerLogsTest() {
    config::AccessLog config;
    config.text = config::parse_format("%REQ(X)%\n").value();
    log_ = AccessLog::compile(config).value();
  }
  void write(downstream::StreamLogger& logger, std::string_view text) {
    headers_.set("x", text);
    logger.log({info_, headers_, none_, none_, none_, 0});
  }
  struct Sink final : LogFile {
    void write(std::string lines) override { chunks.push_back(std::move(lines)); }
    std::vector<std::string> chunks;
  };
  net::EventLoop loop_;
  http::HeaderMap headers_, none_;
  downstream::StreamInfo info_;
  AccessLog log_;
  Sink sink_, other_;
};

TEST_F(WorkerLogsTest, TheIntervalFlushes) {
  WorkerLogs logs(loop_, metrics_, 20ms);
  downstream::StreamLogger* one = logs.attach(log_, sink_);
  downstream::StreamLogger* two = logs.attach(log_, sink_);
  downstream::StreamLogger* other = logs.attach(log_, other_);
  write(*one, "a");
  write(*two, "b");
  write(*other, "c");
  EXPECT_TRUE(sink_.chunks.empty());
  const auto deadline = std::chrono::steady_clock::now() + 60s;
  while (other_.chunks.empty() && std::chrono::steady_clock::now() < deadline) loop_.run_once(50ms);
  EXPECT_EQ(sink_.chunks, std::vector<std::string>{"a\nb\n"});
  EXPECT_EQ(other_.chunks, std::vector<std::string>{"c\n"});
  EXPECT_EQ(counter("filesystem.flushed_by_timer"), 2);
}

TEST_F(WorkerLogsTest, AFullBufferAndTheEndFlush) {
  {
    WorkerLogs logs(loop_, metrics_, 1h);
    downstream::StreamLogger* logger = logs.attach(log_, sink_);
    const std::string half(WorkerLogs::kBufferSize / 2, 'x');
    write(*logger, half);
    EXPECT_TRUE(sink_.chunks.empty());
    write(*logger, half);
    ASSERT_EQ(sink_.chunks.size(), 1u);
    EXPECT_EQ(sink_.chunks[0].size(), 2 * half.size() + 2);
    write(*logger, "last");
  }
  ASSERT_EQ(sink_.chunks.size(), 2u);
  EXPECT_EQ(sink_.chunks[1], "last\n");
}

}  // namespace
}  // namespace inlay::proxy::access_log
