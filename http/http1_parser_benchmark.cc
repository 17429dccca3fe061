// SPDX-License-Identifier: Apache-2.0
// The codec's share of a request: parsing a browser-like request and an origin's response, and writing both heads; and
// Beast's basic_parser on the same request, which does nothing with what it reads.
#include <benchmark/benchmark.h>

#include <boost/beast/http/basic_parser.hpp>
#include <string>

#include "http/http1_parser.h"
#include "http/http1_writer.h"

namespace inlay::http {
namespace {

const std::string kRequest =
    "GET /api/v1/items?page=2 HTTP/1.1\r\nHost: example.com\r\nUser-Agent: curl/7.88.1\r\nAccept: */*\r\n"
    "Accept-Encoding: gzip, deflate, br\r\nAccept-Language: en-GB,en;q=0.9\r\nCookie: session=0123456789abcdef\r\n"
    "Cache-Control: no-cache\r\nX-Trace: 4bf92f3577b34da6a3ce929d0e0e4736\r\n\r\n";
const std::string kResponse =
    "HTTP/1.1 200 OK\r\nServer: nginx/1.22.1\r\nDate: Mon, 23 Nov 2026 01:02:03 GMT\r\nContent-Type: text/plain\r\n"
    "Content-Length: 10\r\nLast-Modified: Mon, 23 Nov 2026 00:00:00 GMT\r\nConnection: keep-alive\r\n"
    "Accept-Ranges: bytes\r\n\r\n0123456789";

struct Sink : ParserSink {
  HeaderMap& headers_storage() override {
    headers.clear();
    return headers;
  }
  HeaderMap& trailers_storage() override { return headers; }
  void on_headers(bool) override {}
  void on_informational(uint32_t) override {}
  void on_data(Buffer&) override {}
  void on_trailers() override {}
  void on_message_complete() override {}
  HeaderMap headers;
};

void parse(benchmark::State& state, Http1Parser::Kind kind, const std::string& text) {
  Sink sink;
  auto parser = Http1Parser::create(kind, {}, sink);
  Buffer data;
  for (auto _ : state) {
    data.append(text);
    auto outcome = parser->parse(data, false);
    benchmark::DoNotOptimize(outcome);
    parser->next_message();
  }
}
void parse_request(benchmark::State& state) {
  parse(state, Http1Parser::Kind::kRequest, kRequest);
}
void parse_response(benchmark::State& state) {
  parse(state, Http1Parser::Kind::kResponse, kResponse);
}
BENCHMARK(parse_request);
BENCHMARK(parse_response);

template <class Write>
void write(benchmark::State& state, Http1Parser::Kind kind, const std::string& text, Write write_head) {
  Sink sink;
  auto parser = Http1Parser::create(kind, {}, sink);
  Buffer data;
  data.append(text);
  auto outcome = parser->parse(data, false);
  benchmark::DoNotOptimize(outcome);
  Buffer out;
  for (auto _ : state) {
    write_head(sink.headers, out);
    out.clear();
  }
}
void write_request(benchmark::State& state) {
  write(state, Http1Parser::Kind::kRequest, kRequest,
        [](const HeaderMap& headers, Buffer& out) { write_request_head(headers, BodyFraming::kNone, out); });
}
void write_response(benchmark::State& state) {
  write(state, Http1Parser::Kind::kResponse, kResponse, [](const HeaderMap& headers, Buffer& out) {
    write_response_head(headers, BodyFraming::kContentLength, false, out);
  });
}
BENCHMARK(write_request);
BENCHMARK(write_response);

namespace beast = boost::beast;
namespace beast_http = boost::beast::http;

struct BeastParser : beast_http::basic_parser<true> {
  using Text = beast::string_view;
  using Code = beast::error_code;
  void on_request_impl(beast_http::verb, Text, Text, int, Code&) override {}
  void on_response_impl(int, Text, int, Code&) override {}
  void on_field_impl(beast_http::field, Text, Text, Code&) override { ++fields; }
  void on_header_impl(Code&) override {}
  void on_body_init_impl(const boost::optional<std::uint64_t>&, Code&) override {}
  std::size_t on_body_impl(Text body, Code&) override { return body.size(); }
  void on_chunk_header_impl(std::uint64_t, Text, Code&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, Text body, Code&) override { return body.size(); }
  void on_finish_impl(Code&) override {}
  int fields = 0;
};

void beast_parse_request(benchmark::State& state) {
  for (auto _ : state) {
    BeastParser parser;
    beast::error_code error;
    parser.put(boost::asio::buffer(kRequest), error);
    benchmark::DoNotOptimize(parser.fields);
  }
}
BENCHMARK(beast_parse_request);

}  // namespace
}  // namespace inlay::http
