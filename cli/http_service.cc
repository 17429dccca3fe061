// SPDX-License-Identifier: Apache-2.0
#include "cli/http_service.h"

#include <pthread.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <memory>
#include <stop_token>
#include <unordered_map>

#include <CLI/CLI.hpp>

#include "base/buffer.h"
#include "base/files.h"
#include "cli/subcommand.h"
#include "http/http1_parser.h"
#include "http/http1_writer.h"
#include "net/connection.h"
#include "net/event_loop.h"
#include "proxy/stop_on_signal.h"

namespace inlay::cli {
namespace {

using http::BodyFraming;
using http::HeaderId;
using http::HeaderMap;
using http::Http1Parser;
using net::CloseReason;
using net::Connection;
using net::EventLoop;

class Session;

// Service owns the sessions until they end.
class Service {
 public:
  Service(EventLoop& loop, RequestHandler& handler) : loop_(loop), handler_(handler) {}
  void accept(std::unique_ptr<Connection> connection);
  void remove(Session* session);
  EventLoop& loop() { return loop_; }
  RequestHandler& handler() { return handler_; }

 private:
  EventLoop& loop_;
  RequestHandler& handler_;
  std::unordered_map<Session*, std::unique_ptr<Session>> sessions_;
};

class Session : public net::ConnectionHandler, public http::ParserSink {
 public:
  Session(Service& service, std::unique_ptr<Connection> connection)
      : service_(service),
        connection_(std::move(connection)),
        parser_(Http1Parser::create(Http1Parser::Kind::kRequest, {.any_method = true}, *this)),
        delay_(service.loop(), [this] { send(); }) {
    connection_->set_handler(this);
    connection_->resume_reading();
  }

  void on_data(Buffer& data, bool end) override {
    if (ended_) {
      data.clear();
      return;
    }
    if (end) last_ = true;
    while (!replying_ && !ended_ && (!data.empty() || (end && parser_->message_started()))) {
      if (auto parsed = parser_->parse(data, end); !parsed) return refuse(parsed.error());
      if (!parser_->message_complete()) break;
      answer();
    }
    if (ended_) return;
    if (replying_ && reply_.how == Reply::How::kHang) {
      data.clear();
      if (last_) finish(Connection::Close::kNow);
    } else if (replying_) {
      if (!last_) connection_->pause_reading();
    } else if (last_) {
      finish(Connection::Close::kAfterFlush);
    }
  }
  void on_closed(CloseReason, std::string_view) override { end(); }

  HeaderMap& headers_storage() override { return headers_; }
  HeaderMap& trailers_storage() override { return trailers_; }
  void on_headers(bool end_stream) override {
    if (!end_stream && parser_->expects_100_continue()) connection_->write("HTTP/1.1 100 Continue\r\n\r\n");
  }
  void on_informational(uint32_t) override {}
  void on_data(Buffer& data) override {
    body_bytes_ += data.size();
    data.clear();
  }
  void on_trailers() override {}
  void on_message_complete() override {}

 private:
  void answer() {
    const Request request{headers_, trailers_, body_bytes_, parser_->minor_version()};
    reply_ = service_.handler().on_request(request);
    replying_ = true;
    if (reply_.how == Reply::How::kClose) return finish(Connection::Close::kNow);
    if (reply_.how == Reply::How::kHang) return;
    if (reply_.delay.count() > 0) return delay_.arm(reply_.delay);
    send();
  }

  void send() {
    const bool head = headers_.value(HeaderId::kMethod) == "HEAD";
    const bool close = !parser_->keep_alive() || (last_ && delayed());
    write_reply(reply_, head, close);
    const bool was_delayed = delayed();
    headers_.clear();
    trailers_.clear();
    body_bytes_ = 0;
    replying_ = false;
    reply_ = {};
    if (close) return finish(Connection::Close::kAfterFlush);
    parser_->next_message();
    if (was_delayed) connection_->resume_reading();
  }
  bool delayed() const { return reply_.delay.count() > 0; }

  void write_reply(const Reply& reply, bool head, bool close) {
    HeaderMap headers;
    headers.add(":status", std::to_string(reply.status));
    headers.add("content-type", reply.content_type);
    headers.add("content-length", std::to_string(reply.body.size()));
    Buffer out;
    http::write_response_head(headers, BodyFraming::kContentLength, close, out);
    if (!head) out.append(reply.body);
    connection_->write(out);
  }

  void refuse(const http::ParseError& error) {
    write_reply({.status = error.status, .body = error.message + "\n"}, false, true);
    finish(Connection::Close::kAfterFlush);
  }
  void finish(Connection::Close how) {
    connection_->close(how);
    end();
  }
  void end() {
    if (ended_) return;
    ended_ = true;
    delay_.disarm();
    service_.remove(this);
  }

  Service& service_;
  std::unique_ptr<Connection> connection_;
  std::unique_ptr<Http1Parser> parser_;
  net::Timer delay_;
  HeaderMap headers_;
  HeaderMap trailers_;
  Reply reply_;
  uint64_t body_bytes_ = 0;
  bool replying_ = false;
  bool last_ = false;   // the peer has sent FIN
  bool ended_ = false;  // waits to be destroyed
};

void Service::accept(std::unique_ptr<Connection> connection) {
  auto session = std::make_unique<Session>(*this, std::move(connection));
  Session* key = session.get();
  sessions_.emplace(key, std::move(session));
}

void Service::remove(Session* session) {
  auto node = sessions_.extract(session);
  loop_.delete_later(std::move(node.mapped()));  // one of its functions is on the stack
}

// Those that end the program, blocked for the threads that are started from here on.
sigset_t block_ending_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  return signals;
}

}  // namespace

std::string_view Request::path() const {
  const std::string_view whole = headers.value(HeaderId::kPath);
  return whole.substr(0, whole.find('?'));
}

std::string_view Request::query(std::string_view parameter) const {
  std::string_view rest = headers.value(HeaderId::kPath);
  const size_t mark = rest.find('?');
  if (mark == std::string_view::npos) return {};
  rest.remove_prefix(mark + 1);
  while (!rest.empty()) {
    const std::string_view pair = rest.substr(0, rest.find('&'));
    rest.remove_prefix(std::min(rest.size(), pair.size() + 1));
    const size_t equals = pair.find('=');
    if (pair.substr(0, equals) == parameter) return equals == pair.npos ? std::string_view() : pair.substr(equals + 1);
  }
  return {};
}

void add_service_options(CLI::App& command, ServiceOptions& options) {
  command.add_option("--port", options.address.port, "Port to listen on; 0 takes one that is free")
      ->check(CLI::Range(0, 65535))
      ->capture_default_str();
  command.add_option("--address", options.address.host, "IP address to listen on")->capture_default_str();
  command.add_option("--port-file", options.port_file, "Write the port to this file once it is open")->type_name(kFile);
}

int serve(const ServiceOptions& options, RequestHandler& handler) {
  EventLoop loop;
  const std::stop_source stop;
  const std::stop_callback on_stop(stop.get_token(), [&loop] { loop.stop(); });
  const proxy::StopOnSignal stop_on_signal(block_ending_signals(), stop);
  Service service(loop, handler);
  auto listener = net::listen(loop, options.address,
                              [&](std::unique_ptr<Connection> connection) { service.accept(std::move(connection)); });
  if (!listener) {
    std::fprintf(stderr, "%s\n", listener.error().to_string().c_str());
    return 1;
  }
  const Address& bound = (*listener)->address();
  if (!options.port_file.empty()) {
    if (auto written = replace_file(options.port_file, std::to_string(bound.port) + "\n"); !written) {
      std::fprintf(stderr, "%s\n", written.error().to_string().c_str());
      return 1;
    }
  }
  std::printf("listening on %s\n", bound.to_string().c_str());
  std::fflush(stdout);
  loop.run();
  return 0;
}

std::string json_string(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20 || byte >= 0x7f) {
      char escaped[8];
      std::snprintf(escaped, sizeof escaped, "\\u%04x", byte);
      out += escaped;
    } else {
      out += c;
    }
  }
  return out + '"';
}

}  // namespace inlay::cli
