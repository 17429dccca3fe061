// SPDX-License-Identifier: Apache-2.0
#include "proxy/admin/admin_server.h"

#include <algorithm>

#include "http/http1_parser.h"
#include "http/http1_writer.h"

namespace inlay::proxy::admin {
namespace {

constexpr size_t kMaxClients = 256;
constexpr size_t kMaxUnsent = 1 << 20;
constexpr std::chrono::minutes kIdleTimeout{5};

}  // namespace

class AdminServer::Client final : private net::ConnectionHandler, private http::ParserSink {
 public:
  Client(AdminServer& server, std::unique_ptr<net::Connection> connection)
      : server_(server),
        connection_(std::move(connection)),
        parser_(http::Http1Parser::create(http::Http1Parser::Kind::kRequest, {}, *this)),
        idle_(server.loop_, [this] { close(); }) {
    connection_->set_handler(this);
    connection_->set_write_watermark(kMaxUnsent);
    connection_->resume_reading();
    idle_.arm(kIdleTimeout);
  }

  // Whether it waits for nothing of ours: then it is no loss to close it.
  bool has_its_answers() const { return !above_watermark_; }

  void close() {
    if (closed_) return;
    closed_ = true;
    idle_.disarm();
    connection_->close(net::Connection::Close::kAfterFlush);
    server_.remove(*this);
  }

 private:
  void on_data(Buffer& data, bool end) override {
    while (!closed_ && !above_watermark_ && !data.empty()) {
      const size_t before = data.size();
      const auto result = parser_->parse(data, end);
      if (!result) {
        send({result.error().status, Response().content_type, result.error().message + "\n"}, false, false);
        return close();
      }
      if (parser_->message_complete()) {
        answer();
      } else if (data.size() == before) {
        break;
      }
    }
    if (end && !closed_ && !above_watermark_) close();
  }
  void on_closed(net::CloseReason, std::string_view) override { close(); }
  // A client that asks and asks but reads nothing waits for its answers before it may ask again.
  void on_above_write_watermark() override {
    above_watermark_ = true;
    connection_->pause_reading();
  }
  void on_below_write_watermark() override {
    above_watermark_ = false;
    connection_->resume_reading();
  }

  http::HeaderMap& headers_storage() override {
    headers_.clear();
    return headers_;
  }
  http::HeaderMap& trailers_storage() override { return trailers_; }
  void on_headers(bool) override {}
  void on_informational(uint32_t) override {}
  void on_data(Buffer& data) override { data.clear(); }  // no page takes a body
  void on_trailers() override { trailers_.clear(); }
  void on_message_complete() override {}

  void answer() {
    server_.used(*this);
    const std::string_view method = headers_.value(http::HeaderId::kMethod);
    const bool keep_alive = parser_->keep_alive();
    send(server_.answer({method, headers_.value(http::HeaderId::kPath), headers_.value(http::HeaderId::kAuthority),
                         headers_.get("origin").value_or(""), headers_.get("sec-fetch-site").value_or("")}),
         method == "HEAD", keep_alive);
    parser_->next_message();
    if (closed_) return;
    idle_.arm(kIdleTimeout);
    if (!keep_alive) close();
  }

  void send(const Response& response, bool head_only, bool keep_alive) {
    http::HeaderMap head;
    head.add(":status", std::to_string(response.status));
    head.add("content-type", response.content_type);
    head.add("cache-control", "no-cache, max-age=0");
    head.add("x-content-type-options", "nosniff");
    head.add("date", server_.loop_.http_date());
    head.add("server", "envoy");
    head.add("content-length", std::to_string(response.body.size()));
    Buffer out;
    http::write_response_head(head, http::BodyFraming::kContentLength, !keep_alive, out);
    if (!head_only) out.append(response.body);
    connection_->write(out);
  }

  AdminServer& server_;
  std::unique_ptr<net::Connection> connection_;
  std::unique_ptr<http::Http1Parser> parser_;
  net::Timer idle_;
  http::HeaderMap headers_;
  http::HeaderMap trailers_;
  bool closed_ = false;
  bool above_watermark_ = false;
};

AdminServer::AdminServer(net::EventLoop& loop, AdminTarget& target) : loop_(loop), target_(target) {}

AdminServer::~AdminServer() = default;

Result<std::unique_ptr<AdminServer>> AdminServer::create(net::EventLoop& loop, const config::Admin& config,
                                                         AdminTarget& target) {
  std::unique_ptr<AdminServer> server(new AdminServer(loop, target));
  for (const config::StringMatcher& path : config.allow_paths) {
    INLAY_TRY(match::StringMatcher matcher, match::StringMatcher::compile(path));
    server->allow_paths_.push_back(std::move(matcher));
  }
  auto listener = net::listen(loop, config.address,
                              [s = server.get()](std::unique_ptr<net::Connection> c) { s->accept(std::move(c)); });
  if (!listener) {
    Error error = listener.error();
    error.message = "admin server: " + error.message;
    return error;
  }
  server->listener_ = *std::move(listener);
  return server;
}

bool AdminServer::allows(std::string_view path) const {
  const auto matches = [&](const match::StringMatcher& allowed) { return allowed.matches(path); };
  return allow_paths_.empty() || std::any_of(allow_paths_.begin(), allow_paths_.end(), matches);
}

Response AdminServer::answer(const Request& request) const {
  const std::string_view path = request.target.substr(0, request.target.find('?'));
  if (!allows(path)) return {403, Response().content_type, "request to path " + std::string(path) + " not allowed"};
  return handle(request, target_);
}

// Whoever holds connections without using them does not keep others out: the one that was used longest ago goes.
void AdminServer::accept(std::unique_ptr<net::Connection> connection) {
  if (clients_.size() >= kMaxClients) {
    const auto oldest =
        std::find_if(clients_.begin(), clients_.end(), [](const auto& client) { return client->has_its_answers(); });
    if (oldest == clients_.end()) return connection->close(net::Connection::Close::kNow);
    (*oldest)->close();
  }
  clients_.push_back(std::make_unique<Client>(*this, std::move(connection)));
}

void AdminServer::used(const Client& client) {
  clients_.splice(clients_.end(), clients_, find(client));
}

AdminServer::Clients::iterator AdminServer::find(const Client& client) {
  return std::find_if(clients_.begin(), clients_.end(), [&](const auto& owned) { return owned.get() == &client; });
}

void AdminServer::remove(Client& client) {
  const auto found = find(client);
  loop_.delete_later(std::move(*found));  // one of its functions is on the stack
  clients_.erase(found);
}

}  // namespace inlay::proxy::admin
