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
#include "tester/wire.h"

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
      : run_(run), quiet_(quiet), time_passes_(time_passes), server_(std::move(server)) {}

  Result<Unit> start() override;
  void client_sends(const std::string& client, std::string_view bytes, std::string_view method) override;
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
  struct Client {
    Client(const std::string& name, const Run& run)
        : reader(run.c.tcp ? WireReader::Kind::kBytes : WireReader::Kind::kResponses, name, run.transcript,
                 run.c.show) {}
    Socket socket;
    WireReader reader;
    bool reads = true;
    bool half_closed = false;
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
  void wait_for_resets();
  bool turn();
  bool read_log();
  bool serve(Connection& connection);
  void answer(Connection& connection);
  Connection* waiting(const std::string& upstream);
  void send(Connection& connection, std::string_view bytes);

  Run run_;
  milliseconds quiet_;
  const bool time_passes_;
  std::map<std::string, Socket> listening_;
  std::list<Connection> connections_;  // the oldest first
  std::map<std::string, Client> clients_;
  std::unique_ptr<Server> server_;
  std::unique_ptr<FileTail> access_log_;
  milliseconds waiting_{0};  // what the step asks for
  size_t sent_ = 0;          // by clients and upstreams
  bool reset_ = false;       // a client's connection, in this step
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
  if (!run_.c.access_log.empty()) {
    std::ofstream made(access_log_path(run_.directory));
    access_log_ = std::make_unique<FileTail>(access_log_path(run_.directory));
  }
  auto result = server_->start(ports);
  read_log();
  return result;
}

void Sockets::finish() {
  for (auto& [name, client] : clients_) {
    client.closed = true;
    client.socket.reset();
  }
  wait_for_resets();
  ending_ = true;
  for (Connection& connection : connections_) {
    if (connection.ended) connection.socket.close();  // the proxy waits for our side
  }
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
    half_closed |= client.half_closed;
    left += client.closed ? 0 : 1;
  }
  const auto begin = Clock::now();
  while (!server_->has_noticed(left, half_closed) && Clock::now() - begin < patience()) turn();
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
  while (!server_->has_read(sent_) && Clock::now() - end < kHeldBack) turn();
  if (std::exchange(reset_, false)) wait_for_resets();
}

void Sockets::wait_until(const std::function<bool()>& condition) {
  const auto begin = Clock::now();
  while (!condition() && Clock::now() - begin < kPatienceOfSteps) turn();
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

void Sockets::client_sends(const std::string& name, std::string_view bytes, std::string_view method) {
  auto [it, made] = clients_.try_emplace(name, name, run_);
  Client& client = it->second;
  if (made) client.socket = Socket::connect(server_->port());
  if (!method.empty()) client.reader.expect(std::string(method));
  client.socket.send(bytes);
  sent_ += bytes.size();
}

void Sockets::client_closes(const std::string& name, bool reset) {
  const auto it = clients_.find(name);
  if (it == clients_.end()) return;
  it->second.half_closed |= !reset;
  if (!reset) return it->second.socket.shutdown_write();
  it->second.closed = true;
  it->second.socket.reset();
  reset_ = true;
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

void Sockets::send(Connection& connection, std::string_view bytes) {
  connection.socket.queue(bytes);
  sent_ += bytes.size();
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
  send(*connection, "HTTP/1.1 " + answer.status + " x\r\n" + field_lines(fields) + "\r\n");
  if (end || connection->head_request) connection->waiting = false;
  return true;
}

bool Sockets::upstream_body(const std::string& upstream, std::string_view bytes, bool end) {
  Connection* connection = waiting(upstream);
  if (connection == nullptr) return false;
  if (connection->raw) {
    send(*connection, bytes);
    if (end) connection->waiting = false;
    return true;
  }
  std::string wire = connection->chunked ? chunk(bytes) : std::string(bytes);
  if (end && connection->chunked) wire += "0\r\n\r\n";
  send(*connection, wire);
  if (end) connection->waiting = false;
  return true;
}

bool Sockets::upstream_trailers(const std::string& upstream, const Fields& trailers) {
  Connection* connection = waiting(upstream);
  if (connection == nullptr) return false;
  send(*connection, "0\r\n" + field_lines(trailers) + "\r\n");
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
  send(*connection, "HTTP/1.1 100 Continue\r\n\r\n");
  return true;
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
