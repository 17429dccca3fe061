// SPDX-License-Identifier: Apache-2.0
// Any bytes as what a server sends to a client that has requests open, and as what a client sends to a server that
// answers: whole and cut in two. Nothing crashes, each stream gets one last call, and none is left open after the end.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "http2/session.h"

namespace {

using namespace inlay;  // NOLINT: one file, one purpose
using http2::Session;

struct FuzzedStream : http2::Stream {
  explicit FuzzedStream(Session*& session) : session(session) {}
  http::HeaderMap& headers_storage() override { return headers; }
  http::HeaderMap& trailers_storage() override { return trailers; }
  void on_headers(bool) override {
    check();
    paused = headers.has(http::HeaderId::kUserAgent);
    if (paused) session->pause(*this);
  }
  void on_data(Buffer& data, bool) override {
    bytes += data.size();
    if (bytes % 7 == 3) session->reset(*this, http2::ErrorCode::kCancel);
    check();
  }
  void on_trailers() override { check(); }
  void on_closed() override { end(); }
  void on_reset(http2::ErrorCode, bool) override { end(); }
  void check() const {
    if (over) abort();
  }
  void end() {
    check();
    over = true;
  }
  Session*& session;
  http::HeaderMap headers, trailers;
  size_t bytes = 0;
  bool over = false;
  bool paused = false;
};

struct FuzzedSink : http2::SessionSink {
  http2::Stream* on_stream() override {
    if (streams.size() % 5 == 4) return nullptr;
    streams.push_back(std::make_unique<FuzzedStream>(session));
    return streams.back().get();
  }
  void on_goaway(http2::ErrorCode) override {}
  Session* session = nullptr;
  std::vector<std::unique_ptr<FuzzedStream>> streams;
};

void run(Session::Kind kind, std::string_view input, size_t cut) {
  FuzzedSink sink;
  http2::Settings settings;
  settings.max_header_count = 20;
  const auto session = Session::create(kind, settings, sink);
  sink.session = session.get();
  Buffer out;
  if (kind == Session::Kind::kClient) {
    http::HeaderMap request;
    for (const auto& [name, value] :
         {std::pair(":method", "POST"), {":scheme", "http"}, {":authority", "a"}, {":path", "/"}})
      request.add(name, value);
    for (int i = 0; i < 3; ++i) {
      sink.streams.push_back(std::make_unique<FuzzedStream>(sink.session));
      session->submit_request(*sink.streams.back(), request, i == 0);
    }
  }
  session->write(out, 1 << 16);
  for (std::string_view part : {input.substr(0, cut), input.substr(cut)}) {
    Buffer data;
    data.append(part);
    session->receive(data);
    if (!data.empty()) abort();
    for (size_t i = 0; i < sink.streams.size(); ++i) {
      FuzzedStream& stream = *sink.streams[i];
      Buffer body;
      body.append("some bytes");
      if (kind == Session::Kind::kServer && stream.open()) session->submit_response(stream, http::HeaderMap(), false);
      session->send_data(stream, body, i % 2 == 0);
      if (stream.paused && stream.open() && session->resume(stream)) session->deliver_held();
    }
    out.clear();
    session->write(out, 1 << 16);
  }
  session->close_all(http2::ErrorCode::kInternalError, false);
  if (session->open_streams() != 0) abort();
  for (const auto& stream : sink.streams) {
    if (stream->open()) abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const size_t cut = size == 0 ? 0 : data[size - 1] % (size + 1);
  run(Session::Kind::kClient, input, cut);
  run(Session::Kind::kServer, input, cut);
  const std::string with_preface = std::string("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").append(input);
  run(Session::Kind::kServer, with_preface, cut);
  return 0;
}
