// SPDX-License-Identifier: Apache-2.0
#include "tester/sockets.h"

#include <poll.h>

#include <algorithm>
#include <fstream>
#include <list>
#include <map>

#include "tester/admin.h"
#include "tester/bootstrap.h"
#include "tester/log_tail.h"
#include "tester/socket.h"
#include "tester/socket_client.h"
#include "tester/socket_upstream.h"

namespace inlay::tester {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

constexpr milliseconds kTurn{2};
constexpr milliseconds kPatience{30'000};  // bounds a hang
constexpr milliseconds kPatienceOfSteps{10'000};
constexpr milliseconds kHeldBack{500};
constexpr milliseconds kQuietAfterFailure{200};  // the case has failed already: what still comes is for the reader

class Sockets final : public World {
 public:
  Sockets(const Run& run, milliseconds quiet, bool time_passes, std::unique_ptr<Server> server)
      : shared_(run), run_(shared_.run), quiet_(quiet), time_passes_(time_passes), server_(std::move(server)) {}

  Result<Unit> start() override;
  void client_request(const std::string& name, const Step& step) override { client(name).request(step); }
  void client_body(const std::string& name, std::string_view text, bool end) override { client(name).body(text, end); }
  void client_trailers(const std::string& name, const Fields& fields) override { client(name).trailers(fields); }
  void client_sends(const std::string& name, std::string_view bytes, std::string_view method) override {
    client(name).sends(bytes, method);
  }
  void client_closes(const std::string& client, bool reset) override;
  void client_reads(const std::string& client, bool reads) override;
  bool upstream_head(const std::string& upstream, const Answer& answer, bool end, bool chunked) override;
  bool upstream_body(const std::string& upstream, std::string_view bytes, bool end) override;
  bool upstream_trailers(const std::string& upstream, const Fields& trailers) override;
  bool upstream_resets(const std::string& upstream) override;
  bool upstream_continues(const std::string& upstream) override;
  void wait(milliseconds time) override { waiting_ = time; }
  std::vector<std::string> stats(const std::vector<std::string>& names) override;
  void settle(const std::function<bool()>& seen) override;
  void wait_until(const std::function<bool()>& condition) override;
  void finish() override;

 private:
  // INLAY_CONFORMANCE_PATIENCE_MS: for whoever expects failures.
  static milliseconds patience() {
    static const char* const set = std::getenv("INLAY_CONFORMANCE_PATIENCE_MS");
    return set == nullptr ? kPatience : milliseconds(std::atoi(set));
  }
  void wait_for_resets();
  bool is_read() const {
    const auto read = [](const auto& named) { return named.second->is_read(); };
    return std::all_of(clients_.begin(), clients_.end(), read) &&
           std::all_of(connections_.begin(), connections_.end(), read);
  }
  bool turn();
  bool read_log();
  void accept();
  SocketClient& client(const std::string& name);
  Exchange* waiting(const std::string& upstream);

  SocketRun shared_;
  const Run& run_;
  milliseconds quiet_;
  const bool time_passes_;
  std::map<std::string, Socket> listening_;
  // By upstream's name, the oldest first.
  std::list<std::pair<std::string, std::unique_ptr<SocketUpstream>>> connections_;
  std::map<std::string, std::unique_ptr<SocketClient>> clients_;
  std::unique_ptr<Server> server_;
  std::unique_ptr<FileTail> access_log_;
  milliseconds waiting_{0};  // what the step asks for
  bool reset_ = false;       // a client's connection, in this step
};

// --- the server ---

Result<Unit> Sockets::start() {
  std::map<std::string, uint16_t> ports;
  for (const Upstream& u : run_.c.upstreams) {
    if (u.behaviour == Upstream::Behaviour::kRefuses) {
      ports[u.name] = Socket::refused_port();
      continue;
    }
    Socket socket = Socket::listen();
    ports[u.name] = socket.port();
    listening_[u.name] = std::move(socket);
  }
  if (!run_.c.access_log.empty()) {
    std::ofstream made(access_log_path(run_.directory));
    access_log_ = std::make_unique<FileTail>(access_log_path(run_.directory));
  }
  auto result = server_->start(ports);
  read_log();
  return result;
}

void Sockets::finish() {
  for (auto& [name, client] : clients_) client->ends();
  wait_for_resets();
  shared_.ending = true;
  for (auto& [name, connection] : connections_) connection->proxy_ends();
  server_->shutdown();
  // Upstreams that wait are told by the server's end.
  while (!server_->ended()) turn();
  turn();
}

// The server is to see what clients have reset before anything else happens, and on a busy machine the kernel may bring
// it later.
void Sockets::wait_for_resets() {
  bool half_closed = false;
  size_t left = 0;
  for (const auto& [name, client] : clients_) {
    half_closed |= client->half_closed();
    left += client->closed() ? 0 : 1;
  }
  const auto noticed = [&] { return server_->has_noticed(left, half_closed) && is_read(); };
  const auto begin = Clock::now();
  while (!noticed() && Clock::now() - begin < patience()) turn();
}

// --- what happens ---

void Sockets::settle(const std::function<bool()>& seen) {
  const auto begin = Clock::now();
  auto last = begin;
  const milliseconds asked = std::exchange(waiting_, milliseconds(0));
  const milliseconds least = time_passes_ || server_->in_real_time() || seen() ? asked : milliseconds(0);
  for (;;) {
    const auto now = Clock::now();
    if (turn()) last = now;
    if (now - begin < least) continue;
    if (seen()) break;
    if (quiet_.count() > 0 && now - last > quiet_) break;
    if (now - begin < patience()) continue;
    quiet_ = kQuietAfterFailure;
    break;
  }
  // A step that shows nothing is over when what it sent has been read, unless the proxy holds that back.
  const auto end = Clock::now();
  while (!(server_->has_read(shared_.sent) && is_read()) && Clock::now() - end < kHeldBack) turn();
  if (std::exchange(reset_, false)) wait_for_resets();
}

void Sockets::wait_until(const std::function<bool()>& condition) {
  const auto begin = Clock::now();
  while (!condition() && Clock::now() - begin < kPatienceOfSteps) turn();
}

// Waits a little for something to happen, and says whether it did.
bool Sockets::turn() {
  bool news = read_log();
  accept();
  for (auto it = connections_.begin(); it != connections_.end();) {
    news |= it->second->turn();
    it = it->second->open() ? std::next(it) : connections_.erase(it);
  }
  for (auto& [name, client] : clients_) news |= client->turn();
  if (!news) poll(nullptr, 0, static_cast<int>(kTurn.count()));
  return news;
}

void Sockets::accept() {
  for (auto& [name, socket] : listening_) {
    const bool raw = run_.c.upstream(name)->behaviour == Upstream::Behaviour::kAccepts;
    const auto make = raw                                 ? make_raw_upstream
                      : run_.protocol == Protocol::kHttp2 ? make_http2_upstream
                                                          : make_http1_upstream;
    for (Socket accepted = socket.accept(); accepted.open(); accepted = socket.accept()) {
      connections_.emplace_back(name, make(name, std::move(accepted), shared_));
    }
  }
}

bool Sockets::read_log() {
  bool news = false;
  for (const LogLine& line : server_->log()) {
    LogEntry entry = read_log_line(run_.c, line.level, line.component, line.message);
    if (entry.shown.empty()) continue;
    news = true;
    run_.transcript.guest(std::move(entry), line.thread);
  }
  if (!access_log_) return news;
  for (std::string& line : access_log_->read()) {
    news = true;
    run_.transcript.line(kAccessLog, std::move(line));
  }
  return news;
}

// --- clients ---

SocketClient& Sockets::client(const std::string& name) {
  std::unique_ptr<SocketClient>& known = clients_[name];
  if (known) return *known;
  const bool http2 = run_.protocol == Protocol::kHttp2;
  known = (http2 ? make_http2_client : make_http1_client)(name, server_->port(), shared_);
  return *known;
}

void Sockets::client_closes(const std::string& name, bool reset) {
  const auto it = clients_.find(name);
  if (it == clients_.end()) return;
  if (!reset) return it->second->half_closes();
  it->second->resets();
  reset_ = true;
}

void Sockets::client_reads(const std::string& name, bool reads) {
  const auto it = clients_.find(name);
  if (it != clients_.end()) it->second->reads(reads);
}

// --- upstreams ---

Exchange* Sockets::waiting(const std::string& upstream) {
  for (auto& [name, connection] : connections_) {
    Exchange* const exchange = name == upstream ? connection->waiting() : nullptr;
    if (exchange != nullptr) return exchange;
  }
  return nullptr;
}

bool Sockets::upstream_head(const std::string& upstream, const Answer& answer, bool end, bool chunked) {
  Exchange* const exchange = waiting(upstream);
  if (exchange != nullptr) exchange->head(answer, end, chunked);
  return exchange != nullptr;
}

bool Sockets::upstream_body(const std::string& upstream, std::string_view bytes, bool end) {
  Exchange* const exchange = waiting(upstream);
  if (exchange != nullptr) exchange->body(bytes, end);
  return exchange != nullptr;
}

bool Sockets::upstream_trailers(const std::string& upstream, const Fields& trailers) {
  Exchange* const exchange = waiting(upstream);
  if (exchange != nullptr) exchange->trailers(trailers);
  return exchange != nullptr;
}

bool Sockets::upstream_resets(const std::string& upstream) {
  Exchange* const exchange = waiting(upstream);
  if (exchange != nullptr) exchange->resets();
  return exchange != nullptr;
}

bool Sockets::upstream_continues(const std::string& upstream) {
  Exchange* const exchange = waiting(upstream);
  if (exchange != nullptr) exchange->continues();
  return exchange != nullptr;
}

// --- statistics ---

std::vector<std::string> Sockets::stats(const std::vector<std::string>& names) {
  const std::string page = admin_get(server_->admin_port(), "/stats");
  std::vector<std::string> lines;
  for (const std::string& name : names) lines.push_back(name + " = " + stat_of(page, name));
  return lines;
}

}  // namespace

std::unique_ptr<World> make_sockets(const Run& run, std::unique_ptr<Server> server, milliseconds quiet,
                                    bool time_passes) {
  return std::make_unique<Sockets>(run, quiet, time_passes, std::move(server));
}

}  // namespace inlay::tester
