// SPDX-License-Identifier: Apache-2.0
// Any bytes, as a request and as a response, whole and cut in two: the parser never crashes, says the same for every
// cut, and what it accepts as a request survives being written and parsed again.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "http/http1_parser.h"
#include "http/http1_writer.h"

namespace {

using namespace inlay;  // NOLINT: one file, one purpose
using http::BodyFraming;
using http::Http1Parser;

struct Sink : http::ParserSink {
  http::HeaderMap& headers_storage() override {
    headers.clear();
    return headers;
  }
  http::HeaderMap& trailers_storage() override {
    trailers.clear();
    return trailers;
  }
  void on_headers(bool end_stream) override {
    text += end_stream ? "H!" : "H";
    write(headers);
  }
  void on_informational(uint32_t status) override { text += "I" + std::to_string(status); }
  void on_data(Buffer& data) override { body += data.to_string(); }
  void on_trailers() override { write(trailers); }
  void on_message_complete() override {
    text += "[" + body + "].";
    body.clear();
  }
  void write(const http::HeaderMap& map) {
    for (const auto& e : map) text.append("{").append(e.name).append("=").append(e.value).append("}");
  }
  http::HeaderMap headers;
  http::HeaderMap trailers;
  std::string body;
  std::string text;
};

// `upgrades`: an upgrade or a tunnel may come.
std::string run(Http1Parser::Kind kind, bool upgrades, std::string_view input, size_t cut) {
  Sink sink;
  auto parser = Http1Parser::create(kind, {4096, 32, false, upgrades}, sink);
  if (upgrades) {
    parser->set_request_method(input.size() % 2 == 0 ? "CONNECT" : "GET");
    parser->set_upgrade_asked();
  }
  Buffer data;
  for (std::string_view part : {input.substr(0, cut), input.substr(cut)}) {
    data.append(part);
    while (!data.empty()) {
      if (parser->message_complete()) parser->next_message();
      if (!parser->parse(data, false)) return sink.text + "E";
    }
  }
  return sink.text + "+" + sink.body;
}

// Writes the first request of `input` and parses it back.
void check_round_trip(std::string_view input) {
  Sink first;
  auto parser = Http1Parser::create(Http1Parser::Kind::kRequest, {4096, 32}, first);
  Buffer data;
  data.append(input);
  if (!parser->parse(data, false) || !parser->message_complete()) return;
  if (first.headers.value(http::HeaderId::kMethod) == "CONNECT" || parser->minor_version() == 0) return;
  Buffer out;
  write_request_head(first.headers, BodyFraming::kNone, out);
  Sink second;
  auto again = Http1Parser::create(Http1Parser::Kind::kRequest, {1 << 20, 1000}, second);
  if (!again->parse(out, false) ||
      second.headers.value(http::HeaderId::kPath) != first.headers.value(http::HeaderId::kPath)) {
    std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(bytes), size);
  for (auto kind : {Http1Parser::Kind::kRequest, Http1Parser::Kind::kResponse}) {
    for (const bool upgrades : {false, true}) {
      const std::string whole = run(kind, upgrades, input, input.size());
      const size_t cut = size == 0 ? 0 : bytes[size - 1] % size;
      if (run(kind, upgrades, input, cut) != whole) std::abort();
    }
  }
  check_round_trip(input);
  return 0;
}
