// SPDX-License-Identifier: Apache-2.0
#pragma once

// For tests: streams that keep what they are told, and a client's and a server's session whose bytes reach each other.

#include <gtest/gtest.h>

#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "http2/session.h"

namespace inlay::http2::testing {

using Fields = std::initializer_list<std::pair<std::string_view, std::string_view>>;

inline http::HeaderMap map_of(Fields fields) {
  http::HeaderMap out;
  for (const auto& [name, value] : fields) out.add(name, value);
  return out;
}

// "name: value" lines, in order.
inline std::string text_of(const http::HeaderMap& map) {
  std::string out;
  for (const auto& field : map) out.append(field.name).append(": ").append(field.value).append("\n");
  return out;
}

class RecordingStream : public Stream {
 public:
  http::HeaderMap headers, trailers;
  std::vector<std::string> events;  // "headers", "data hello (end)", "trailers", "closed", "reset 8 by peer", ...
  std::string body;
  bool pause_at_headers = false;
  Session* session = nullptr;  // for pause_at_headers

  bool saw(std::string_view event) const {
    for (const std::string& seen : events) {
      if (seen == event) return true;
    }
    return false;
  }

 protected:
  // As those of proxies, each call begins anew.
  http::HeaderMap& headers_storage() override {
    headers.clear();
    return headers;
  }
  http::HeaderMap& trailers_storage() override {
    trailers.clear();
    return trailers;
  }
  void on_informational() override {
    events.push_back("interim " + std::string(headers.value(http::HeaderId::kStatus)));
  }
  void on_headers(bool end) override {
    events.emplace_back(end ? "headers (end)" : "headers");
    if (pause_at_headers) session->pause(*this);
  }
  void on_data(Buffer& data, bool end) override {
    body += data.to_string();
    events.push_back("data " + (data.size() > 40 ? std::to_string(data.size()) : data.to_string()) +
                     (end ? " (end)" : ""));
    data.clear();
  }
  void on_trailers() override { events.emplace_back("trailers"); }
  void on_closed() override { events.emplace_back("closed"); }
  void on_reset(ErrorCode code, bool by_peer) override {
    events.push_back("reset " + std::to_string(static_cast<uint32_t>(code)) + (by_peer ? " by peer" : ""));
  }
  void on_above_write_watermark() override { events.emplace_back("above"); }
  void on_below_write_watermark() override { events.emplace_back("below"); }
};

class RecordingSink : public SessionSink {
 public:
  Stream* on_stream() override {
    if (refuse) return nullptr;
    streams.push_back(std::make_unique<RecordingStream>());
    streams.back()->session = session;
    streams.back()->pause_at_headers = pause;
    return streams.back().get();
  }
  void on_goaway(ErrorCode code) override { goaways.push_back(code); }
  void on_settings() override { ++settings; }
  void on_ping_answer() override { ++ping_answers; }

  Session* session = nullptr;
  std::vector<ErrorCode> goaways;
  int settings = 0;
  int ping_answers = 0;
  bool refuse = false;
  bool pause = false;
  std::vector<std::unique_ptr<RecordingStream>> streams;
};

class SessionTest : public ::testing::Test {
 protected:
  SessionTest() { make({}, {}); }
  void make(const Settings& of_client, const Settings& of_server) {
    client_ = Session::create(Session::Kind::kClient, of_client, client_sink_);
    server_ = Session::create(Session::Kind::kServer, of_server, server_sink_);
    server_sink_.session = server_.get();
  }
  // Carries bytes until neither side has any for the other.
  void pump() {
    for (bool moved = true; moved;) {
      moved = carry(*client_, *server_);
      moved = carry(*server_, *client_) || moved;
    }
  }
  static bool carry(Session& from, Session& to) {
    Buffer bytes;
    from.write(bytes, 1 << 20);
    if (bytes.empty()) return false;
    to.receive(bytes);
    return true;
  }
  bool get(RecordingStream& stream, std::string_view path = "/p") {
    return client_->submit_request(
        stream, map_of({{":method", "GET"}, {":scheme", "http"}, {":authority", "up"}, {":path", path}}), true);
  }
  bool post(RecordingStream& stream) {
    return client_->submit_request(
        stream, map_of({{":method", "POST"}, {":scheme", "http"}, {":authority", "up"}, {":path", "/p"}}), false);
  }
  void send(Session& session, Stream& stream, std::string_view text, bool end) {
    Buffer data;
    data.append(text);
    session.send_data(stream, data, end);
    EXPECT_TRUE(data.empty());
  }
  RecordingStream& served(size_t i = 0) { return *server_sink_.streams.at(i); }

  RecordingSink client_sink_, server_sink_;
  std::unique_ptr<Session> client_, server_;
};

}  // namespace inlay::http2::testing
