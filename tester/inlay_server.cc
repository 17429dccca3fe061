// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <future>
#include <thread>

#include "proxy/server.h"
#include "tester/admin.h"
#include "tester/bootstrap.h"
#include "tester/server.h"

namespace inlay::tester {
namespace {

class InlayServer final : public Server {
 public:
  explicit InlayServer(const Run& run) : run_(run) {}
  ~InlayServer() override {
    if (!thread_.joinable()) return;  // it did not start, or has ended
    server_->shutdown();
    thread_.join();
  }

  Result<Unit> start(const std::map<std::string, uint16_t>& ports) override;
  uint16_t port() const override { return port_; }
  uint16_t admin_port() const override { return admin_port_; }
  std::vector<LogLine> log() override { return tail_ ? tail_->read() : std::vector<LogLine>{}; }
  bool has_read(size_t) override { return true; }  // what it has not read it shows later
  bool has_noticed(size_t left, bool) override {
    static const std::string active = "listener.127.0.0.1_0.downstream_cx_active";
    const std::string value = stat_of(admin_get(admin_port_, "/stats"), active);
    return value != "absent" && std::strtoul(value.c_str(), nullptr, 10) <= left;
  }
  bool in_real_time() const override { return false; }
  void shutdown() override {
    server_->shutdown();
    done_ = std::async(std::launch::async, [this] { thread_.join(); });
  }
  bool ended() override { return done_.wait_for(std::chrono::milliseconds(0)) == std::future_status::ready; }

 private:
  Run run_;
  std::unique_ptr<proxy::logging::Logger> log_;
  std::unique_ptr<LogTail> tail_;
  config::Bootstrap bootstrap_;
  proxy::Server* server_ = nullptr;  // lives on the thread
  std::thread thread_;
  int main_thread_ = 0;  // its number in the log
  std::future<void> done_;
  uint16_t port_ = 0;
  uint16_t admin_port_ = 0;
};

Result<Unit> InlayServer::start(const std::map<std::string, uint16_t>& ports) {
  INLAY_TRY(bootstrap_, load_bootstrap(run_, ports));
  const std::string path = run_.directory + "/log";
  INLAY_TRY(log_, proxy::logging::Logger::create({"trace", "", path}));
  proxy::ServerOptions options;
  options.concurrency = run_.c.workers;
  options.engine = run_.engine;
  options.limits.call_budget = run_.call_budget;
  options.envoy_strict = run_.c.envoy_strict;
  options.fail_hazards = run_.c.fail_hazards;
  options.compat_legacy_properties = run_.c.legacy_properties;
  options.drain_time = std::chrono::seconds(60);
  options.log_flush_interval = std::chrono::milliseconds(2);
  std::promise<Result<Unit>> started;
  auto outcome = started.get_future();
  thread_ = std::thread([this, options, &started] {
    main_thread_ = gettid();
    auto server = proxy::Server::create(bootstrap_, options, *log_);
    if (!server) return started.set_value(server.error());
    server_ = server->get();
    port_ = server_->listener_addresses()[0].port;
    admin_port_ = server_->admin_address().port;
    started.set_value(Unit{});
    server_->run();
  });
  auto result = outcome.get();
  tail_ = std::make_unique<LogTail>(path, main_thread_);
  if (!result) thread_.join();
  return result;
}

}  // namespace

std::unique_ptr<Server> make_inlay_server(const Run& run) {
  return std::make_unique<InlayServer>(run);
}

}  // namespace inlay::tester
