// SPDX-License-Identifier: Apache-2.0
#include "conformance/sockets.h"

#include <poll.h>

#include <algorithm>
#include <future>
#include <list>
#include <map>
#include <thread>

#include "conformance/bootstrap.h"
#include "conformance/log_tail.h"
#include "conformance/socket.h"
#include "conformance/wire.h"
#include "proxy/server.h"

namespace inlay::conformance {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

constexpr milliseconds kTurn{2};
constexpr milliseconds kPatience{30'000};        // bounds a hang
constexpr milliseconds kQuietAfterFailure{200};  // the case has failed already: what still comes is for the reader

class Sockets final : public World {
 public:
  Sockets(const Run& run, milliseconds quiet) : run_(run), quiet_(quiet) {}
  ~Sockets() override { end_server(); }

  Result<Unit> start() override;
  void client_sends(const std::string& client, std::string_view bytes, std::string_view method) override;
  void client_closes(const std::string& client, bool reset) override;
  void client_reads(const std::string& client, bool reads) override;
  bool upstream_head(const std::string& upstream, const Answer& answer, bool end, bool chunked) override;
  bool upstream_body(const std::string& upstream, std::string_view bytes, bool end) override;
  bool upstream_trailers(const std::string& upstream, const Fields& trailers) override;
  bool upstream_resets(const std::string& upstream) override;
  bool upstream_continues(const std::string& upstream) override;
  void wait(milliseconds time) override { (void)time; }
  std::vector<std::string> stats(const std::vector<std::string>& names) override;
  void settle(const std::function<bool()>& seen) override;
  void finish() override;

 private:
  struct Client {
    Client(const std::string& name, const Run& run)
        : reader(run.c.tcp ? WireReader::Kind::kBytes : WireReader::Kind::kResponses, name, run.transcript,
                 run.c.show) {}
    Socket socket;
    WireReader reader;
    bool reads = true;
    bool closed = false;
  };
  struct Connection {
    Connection(const std::string& name, const Run& run)
        : upstream(name),
          raw(run.c.upstream(name)->behaviour == Upstream::Behaviour::kAccepts),
          reader(raw ? WireReader::Kind::kBytes : WireReader::Kind::kRequests, name, run.transcript, run.c.show) {}
    std::string upstream;
    const bool raw;  // no HTTP: it is written to until it ends
    Socket socket;
    WireReader reader;
    bool waiting = false;  // for an answer
    bool ended = false;    // the proxy sends no more
    bool shut = false;     // nor do we
    bool chunked = false;
    bool head_request = false;
  };

  // INLAY_CONFORMANCE_PATIENCE_MS: for whoever expects failures.
  static milliseconds patience() {
    static const char* const set = std::getenv("INLAY_CONFORMANCE_PATIENCE_MS");
    return set == nullptr ? kPatience : milliseconds(std::atoi(set));
  }
  void end_server();
  void wait_until_clients_are_gone();
  bool turn();
  bool read_log();
  bool serve(Connection& connection);
  void answer(Connection& connection);
  Connection* waiting(const std::string& upstream);

  Run run_;
  milliseconds quiet_;
  std::map<std::string, Socket> listening_;
  std::list<Connection> connections_;  // the oldest first
  std::map<std::string, Client> clients_;
  std::unique_ptr<proxy::Logger> log_;
  std::unique_ptr<LogTail> tail_;
  std::unique_ptr<FileTail> access_log_;
  proxy::config::Bootstrap bootstrap_;
  std::thread thread_;
  proxy::Server* server_ = nullptr;  // lives on the thread
  uint16_t port_ = 0;
  uint16_t admin_port_ = 0;
  bool ending_ = false;
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
  INLAY_TRY(bootstrap_, load_bootstrap(run_.c, run_.directory, ports));
  const std::string path = run_.directory + "/log";
  INLAY_TRY(log_, proxy::Logger::create({"trace", "", path}));
  tail_ = std::make_unique<LogTail>(path);
  proxy::ServerOptions options;
  options.concurrency = run_.c.workers;
  options.engine = run_.engine;
  options.envoy_strict = run_.c.envoy_strict;
  options.compat_legacy_properties = run_.c.legacy_properties;
  options.drain_time = std::chrono::seconds(60);
  options.log_flush_interval = kTurn;
  std::promise<Result<Unit>> started;
  auto outcome = started.get_future();
  thread_ = std::thread([this, options, &started] {
    auto server = proxy::Server::create(bootstrap_, options, *log_);
    if (!server) return started.set_value(server.error());
    server_ = server->get();
    port_ = server_->listener_addresses()[0].port;
    admin_port_ = server_->admin_address().port;
    started.set_value(Unit{});
    server_->run();
  });
  auto result = outcome.get();
  if (!result) thread_.join();
  if (!run_.c.access_log.empty()) access_log_ = std::make_unique<FileTail>(access_log_path(run_.directory));
  read_log();
  return result;
}

void Sockets::end_server() {
  if (!thread_.joinable()) return;  // it did not start
  server_->shutdown();
  thread_.join();
  read_log();
}

void Sockets::finish() {
  for (auto& [name, client] : clients_) {
    client.closed = true;
    client.socket.reset();
  }
  wait_until_clients_are_gone();
  ending_ = true;
  for (Connection& connection : connections_) {
    if (connection.ended) connection.socket.close();  // the proxy waits for our side
  }
  server_->shutdown();
  // The server ends when its streams have; upstreams that wait are told that way.
  auto done = std::async(std::launch::async, [this] { thread_.join(); });
  while (done.wait_for(milliseconds(0)) != std::future_status::ready) turn();
  turn();
}

// The server is to see their resets before its own shutdown, and on a busy machine the kernel may bring them later.
void Sockets::wait_until_clients_are_gone() {
  static const std::string active = "listener.127.0.0.1_0.downstream_cx_active";
  const auto begin = Clock::now();
  while (stats({active})[0] != active + " = 0" && Clock::now() - begin < patience()) turn();
}

// --- what happens ---

void Sockets::settle(const std::function<bool()>& seen) {
  const auto begin = Clock::now();
  auto last = begin;
  for (;;) {
    const auto now = Clock::now();
    if (turn()) last = now;
    if (seen()) return;
    if (quiet_.count() > 0 && now - last > quiet_) return;
    if (now - begin < patience()) continue;
    quiet_ = kQuietAfterFailure;
    return;
  }
}

// Waits a little for something to happen, and says whether it did.
bool Sockets::turn() {
  bool news = read_log();
  for (auto& [name, socket] : listening_) {
    for (Socket accepted = socket.accept(); accepted.open(); accepted = socket.accept()) {
      connections_.emplace_back(name, run_);
      Connection& connection = connections_.back();
      connection.socket = std::move(accepted);
      connection.waiting = connection.raw;
      if (connection.raw) run_.transcript.line(name, "got connection");
      connection.reader.on_head = [&connection] {
        connection.waiting = true;
        connection.head_request = connection.reader.method() == "HEAD";
      };
      connection.reader.on_complete = [this, &connection] { answer(connection); };
    }
  }
  for (auto it = connections_.begin(); it != connections_.end();) {
    news |= serve(*it);
    it = it->socket.open() ? std::next(it) : connections_.erase(it);
  }
  for (auto& [name, client] : clients_) {
    client.socket.flush();
    std::string bytes;
    while (client.reads && !client.closed) {
      const Socket::Read got = client.socket.read(bytes);
      if (got == Socket::Read::kNothing) break;
      news = true;
      if (got == Socket::Read::kBytes) {
        client.reader.feed(bytes);
        continue;
      }
      client.closed = true;
      client.reader.on_close(got == Socket::Read::kReset);
    }
  }
  if (!news) poll(nullptr, 0, static_cast<int>(kTurn.count()));
  return news;
}

bool Sockets::read_log() {
  bool news = false;
  for (const LogTail::Line& line : tail_->read()) {
    std::string text = show_log_line(run_.c, line.level, line.component, line.message);
    if (text.empty()) continue;
    news = true;
    run_.transcript.guest(std::move(text));
  }
  if (!access_log_) return news;
  for (std::string& line : access_log_->read()) {
    news = true;
    run_.transcript.line(kAccessLog, std::move(line));
  }
  return news;
}

// --- clients ---

void Sockets::client_sends(const std::string& name, std::string_view bytes, std::string_view method) {
  auto [it, made] = clients_.try_emplace(name, name, run_);
  Client& client = it->second;
  if (made) client.socket = Socket::connect(port_);
  if (!method.empty()) client.reader.expect(std::string(method));
  client.socket.send(bytes);
}

void Sockets::client_closes(const std::string& name, bool reset) {
  const auto it = clients_.find(name);
  if (it == clients_.end()) return;
  if (!reset) return it->second.socket.shutdown_write();
  it->second.closed = true;
  it->second.socket.reset();
}

void Sockets::client_reads(const std::string& name, bool reads) {
  const auto it = clients_.find(name);
  if (it != clients_.end()) it->second.reads = reads;
}

// --- upstreams ---

bool Sockets::serve(Connection& connection) {
  bool news = false;
  connection.socket.flush();
  if (connection.raw && !connection.waiting && !connection.socket.sending() && !std::exchange(connection.shut, true)) {
    connection.socket.shutdown_write();
    if (connection.ended) connection.socket.close();
  }
  std::string bytes;
  while (connection.socket.open() && !connection.ended) {
    const Socket::Read got = connection.socket.read(bytes);
    if (got == Socket::Read::kNothing) break;
    news = true;
    if (got == Socket::Read::kBytes) {
      connection.reader.feed(bytes);
      continue;
    }
    if (connection.raw) {
      connection.ended = true;
      connection.reader.on_close(got == Socket::Read::kReset);
      if (got == Socket::Read::kReset || connection.shut || ending_) connection.socket.close();
      continue;
    }
    // The end of an idle connection says nothing.
    if (connection.waiting || connection.reader.in_message()) run_.transcript.line(connection.upstream, "got close");
    connection.socket.close();
  }
  return news;
}

// The request is complete.
void Sockets::answer(Connection& connection) {
  const Upstream& upstream = *run_.c.upstream(connection.upstream);
  if (upstream.behaviour == Upstream::Behaviour::kWaits || !connection.waiting) return;
  if (upstream.behaviour == Upstream::Behaviour::kResets) {
    connection.waiting = false;
    return connection.socket.close();
  }
  const Answer& a = upstream.answer;
  const bool trailers = !a.trailers.empty();
  const bool body = !a.body.empty() || trailers;
  upstream_head(connection.upstream, a, !body, trailers);
  if (!a.body.empty()) upstream_body(connection.upstream, a.body, !trailers);
  if (trailers) upstream_trailers(connection.upstream, a.trailers);
}

Sockets::Connection* Sockets::waiting(const std::string& upstream) {
  for (Connection& connection : connections_) {
    if (connection.upstream == upstream && connection.waiting) return &connection;
  }
  return nullptr;
}

bool Sockets::upstream_head(const std::string& upstream, const Answer& answer, bool end, bool chunked) {
  Connection* connection = waiting(upstream);
  if (connection == nullptr) return false;
  Fields fields = answer.headers;
  connection->chunked = false;
  const bool none = answer.status == "204" || answer.status == "304";
  if (chunked && !has_field(fields, "content-length") && !end) {
    connection->chunked = true;
    fields.emplace_back("transfer-encoding", "chunked");
  } else if (!has_field(fields, "content-length") && !none) {
    fields.emplace_back("content-length", std::to_string(answer.body.size()));
  }
  connection->socket.queue("HTTP/1.1 " + answer.status + " x\r\n" + field_lines(fields) + "\r\n");
  if (end || connection->head_request) connection->waiting = false;
  return true;
}

bool Sockets::upstream_body(const std::string& upstream, std::string_view bytes, bool end) {
  Connection* connection = waiting(upstream);
  if (connection == nullptr) return false;
  if (connection->raw) {
    connection->socket.queue(bytes);
    if (end) connection->waiting = false;
    return true;
  }
  std::string wire = connection->chunked ? chunk(bytes) : std::string(bytes);
  if (end && connection->chunked) wire += "0\r\n\r\n";
  connection->socket.queue(wire);
  if (end) connection->waiting = false;
  return true;
}

bool Sockets::upstream_trailers(const std::string& upstream, const Fields& trailers) {
  Connection* connection = waiting(upstream);
  if (connection == nullptr) return false;
  connection->socket.queue("0\r\n" + field_lines(trailers) + "\r\n");
  connection->waiting = false;
  return true;
}

bool Sockets::upstream_resets(const std::string& upstream) {
  Connection* connection = waiting(upstream);
  if (connection == nullptr) return false;
  connection->waiting = false;
  connection->socket.flush();
  if (connection->raw) {
    connection->socket.reset();
    return true;
  }
  connection->socket.close();
  return true;
}

bool Sockets::upstream_continues(const std::string& upstream) {
  Connection* connection = waiting(upstream);
  if (connection == nullptr) return false;
  connection->socket.queue("HTTP/1.1 100 Continue\r\n\r\n");
  return true;
}

// --- statistics ---

std::vector<std::string> Sockets::stats(const std::vector<std::string>& names) {
  Socket admin = Socket::connect(admin_port_);
  admin.send("GET /stats HTTP/1.1\r\nhost: admin\r\nconnection: close\r\n\r\n");
  std::string page = "\n";
  std::string bytes;
  const auto begin = Clock::now();
  while (Clock::now() - begin < kPatience) {
    const Socket::Read got = admin.read(bytes);
    if (got == Socket::Read::kBytes) page += bytes;
    if (got == Socket::Read::kEnd || got == Socket::Read::kReset) break;
    if (got == Socket::Read::kNothing) poll(nullptr, 0, 1);
  }
  std::vector<std::string> lines;
  for (const std::string& name : names) {
    const size_t at = page.find("\n" + name + ": ");
    std::string value = "absent";
    if (at != std::string::npos) {
      const size_t from = at + name.size() + 3;
      value = page.substr(from, page.find_first_of("\r\n", from) - from);
    }
    lines.push_back(name + " = " + value);
  }
  return lines;
}

}  // namespace

std::unique_ptr<World> make_sockets(const Run& run, milliseconds quiet) {
  return std::make_unique<Sockets>(run, quiet);
}

}  // namespace inlay::conformance
