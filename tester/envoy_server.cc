// SPDX-License-Identifier: Apache-2.0
#include <poll.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <regex>
#include <sstream>
#include <utility>

#include "tester/admin.h"
#include "tester/bootstrap.h"
#include "tester/envoy_process.h"
#include "tester/server.h"

namespace inlay::tester {
namespace {

using Clock = std::chrono::steady_clock;

// They bound hangs.
constexpr std::chrono::seconds kStartTime{120};
constexpr std::chrono::seconds kEndTime{60};
constexpr std::chrono::seconds kEndTimeOfOneThatHangs{2};

constexpr const char* kModuleLogger = "dynamic_modules";

constexpr const char* kHangs = "envoy: does not end";

class EnvoyServer final : public Server {
 public:
  EnvoyServer(const Run& run, std::string binary) : run_(run), binary_(std::move(binary)) {}

  Result<Unit> start(const std::map<std::string, uint16_t>& ports) override;
  uint16_t port() const override { return port_; }
  uint16_t admin_port() const override { return admin_port_; }
  std::vector<LogLine> log() override;
  bool has_read(size_t bytes) override;
  bool has_noticed(size_t left, bool half_closed) override;
  bool in_real_time() const override { return true; }
  void shutdown() override {
    asked_ = true;
    asked_at_ = Clock::now();
    if (envoy_) envoy_->terminate();
  }
  bool ended() override;

 private:
  Result<std::string> write_config(const std::map<std::string, uint16_t>& ports);
  bool hangs() const { return run_.expected.find(kHangs) != std::string::npos; }
  size_t sum(const std::string& expression);
  // Whether every worker takes connections.
  bool started();
  Error refused();
  // What is to be said of the process itself, once.
  void say_how_it_ended();
  void say(const std::string& line) {
    if (std::exchange(said_, true)) return;
    run_.transcript.guest({.shown = line, .who = "envoy", .level = "critical", .text = line}, kNoThread);
  }

  Run run_;
  std::string binary_;
  std::unique_ptr<EnvoyProcess> envoy_;
  bool said_ = false;
  bool asked_ = false;
  Clock::time_point asked_at_;
  std::vector<LogLine> before_;  // read while it started
  uint16_t port_ = 0;
  uint16_t admin_port_ = 0;
};

Result<std::string> EnvoyServer::write_config(const std::map<std::string, uint16_t>& ports) {
  INLAY_TRY(const std::string text, bootstrap_text(run_, ports));
  std::string path = run_.directory + "/envoy.yaml";
  std::ofstream file(path);
  file << "stats_flush_interval: 0.2s\n" << text;
  if (!file.flush()) return Error{ErrorCode::kIo, "cannot be written", path};
  return path;
}

Result<Unit> EnvoyServer::start(const std::map<std::string, uint16_t>& ports) {
  INLAY_TRY(const std::string config, write_config(ports));
  envoy_ = std::make_unique<EnvoyProcess>(binary_, config, run_.c.workers, run_.directory,
                                          run_.dynamic_module.empty() ? "wasm" : kModuleLogger);
  const auto begin = Clock::now();
  while (!started()) {
    if (envoy_->ended()) return refused();
    if (Clock::now() - begin > kStartTime) return Error{ErrorCode::kInternal, "Envoy does not start", run_.c.path};
    poll(nullptr, 0, 5);
  }
  const std::string page = admin_get(admin_port_, "/listeners?format=json");
  const std::string field = "\"port_value\":";
  const size_t at = page.find(field, page.find("\"local_address\""));
  if (at != std::string::npos) port_ = static_cast<uint16_t>(std::atoi(page.c_str() + at + field.size()));
  return Unit{};
}

bool EnvoyServer::started() {
  if (admin_port_ == 0) admin_port_ = envoy_->admin_port();
  if (admin_port_ == 0) return false;
  return stat_of(admin_get(admin_port_, "/stats?filter=workers_started"), "listener_manager.workers_started") == "1";
}

// protobuf puts blanks into its messages at random, and a place depends on the length of a folder's name.
std::string without_chance(const std::string& message) {
  static const std::regex blanks(" +");
  static const std::regex place("near [0-9]+:[0-9]+ \\(offset [0-9]+\\)");
  return std::regex_replace(std::regex_replace(message, blanks, " "), place, "near N");
}

// The log's lines that are new; a dynamic module's as a Wasm filter's. Its guests are called by several threads, one at
// a time, so that all lines have an order.
std::vector<LogLine> new_lines(EnvoyProcess& envoy) {
  std::vector<LogLine> lines = envoy.log();
  for (LogLine& line : lines) {
    if (line.component != kModuleLogger) continue;
    line.component = "wasm";
    line.thread = 0;
  }
  return lines;
}

// Why it did not start, without what differs from run to run: addresses, and the configuration that it prints.
Error EnvoyServer::refused() {
  said_ = true;
  before_ = new_lines(*envoy_);
  std::string why = "Envoy ended " + envoy_->how();
  for (const LogLine& line : before_) {
    if (line.level != "critical" || line.component == "wasm" || line.component == "backtrace") continue;
    std::string message = line.message.substr(0, line.message.find('\n'));
    why += "\n" + without_chance(message.substr(0, message.find(" initializing config ")));
  }
  return {ErrorCode::kInvalidArgument, why, ""};
}

std::vector<LogLine> EnvoyServer::log() {
  if (!envoy_) return {};
  std::vector<LogLine> lines = std::exchange(before_, {});
  const bool over = envoy_->ended();  // and then all is written
  for (LogLine& line : new_lines(*envoy_)) lines.push_back(std::move(line));
  if (over && !asked_) say_how_it_ended();
  return lines;
}

// A signal is told in the same words before it was asked to end and after: which of both a crash comes to is chance.
void EnvoyServer::say_how_it_ended() {
  const std::string how = envoy_->how();
  const std::string when = how.starts_with("by signal") ? "" : asked_ ? "badly, " : "by itself ";
  say("envoy: ended " + when + how);
}

bool EnvoyServer::has_read(size_t bytes) {
  if (envoy_->ended()) return true;
  return sum("cx_rx_bytes_total") >= bytes;
}

// Of a connection that has half-closed Envoy reads no more, and notices no reset.
bool EnvoyServer::has_noticed(size_t left, bool half_closed) {
  if (half_closed || hangs() || envoy_->ended()) return true;
  return sum("^listener.*[0-9].downstream_cx_active") <= left;
}

// Of the statistics whose names match the expression, but for the admin interface's.
size_t EnvoyServer::sum(const std::string& expression) {
  std::istringstream page(admin_get(admin_port_, "/stats?filter=" + expression));
  size_t total = 0;
  for (std::string line; std::getline(page, line);) {
    const size_t value = line.rfind(": ");
    if (value == std::string::npos || line.find("admin") != std::string::npos) continue;
    total += std::strtoul(line.c_str() + value + 2, nullptr, 10);
  }
  return total;
}

bool EnvoyServer::ended() {
  if (envoy_->ended()) {
    if (!envoy_->how().empty()) say_how_it_ended();
    return true;
  }
  if (Clock::now() - asked_at_ < (hangs() ? kEndTimeOfOneThatHangs : kEndTime)) return false;
  say(kHangs);
  envoy_->end();
  return true;
}

}  // namespace

std::unique_ptr<Server> make_envoy_server(const Run& run, std::string binary) {
  return std::make_unique<EnvoyServer>(run, std::move(binary));
}

}  // namespace inlay::tester
