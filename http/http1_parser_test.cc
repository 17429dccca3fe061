// SPDX-License-Identifier: Apache-2.0
#include "http/http1_parser.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace inlay::http {
namespace {

using Kind = Http1Parser::Kind;

// Writes down what the parser says, one token a call.
struct Transcript : ParserSink {
  HeaderMap& headers_storage() override {
    headers.clear();
    return headers;
  }
  HeaderMap& trailers_storage() override {
    trailers.clear();
    return trailers;
  }
  void on_headers(bool end_stream) override {
    text += "H";
    write(headers);
    if (end_stream) text += "!";
  }
  void on_informational(uint32_t status) override { text += "I" + std::to_string(status) + " "; }
  void on_data(Buffer& data) override { body += data.to_string(); }
  void on_trailers() override {
    text += " T";
    write(trailers);
  }
  void on_message_complete() override {
    if (!body.empty()) text += " D[" + body + "]";
    body.clear();
    text += " .";
  }
  void write(const HeaderMap& map) {
    for (const auto& e : map) text += "{" + std::string(e.name) + "=" + std::string(e.value) + "}";
  }
  HeaderMap headers;
  HeaderMap trailers;
  std::string body;
  std::string text;
};

// Parses messages until the input is used up; an error ends the text as "E<status>".
std::string run(Kind kind, std::string_view input, size_t piece, bool end, ParserLimits limits = {},
                std::string_view method = "GET") {
  Transcript sink;
  auto parser = Http1Parser::create(kind, limits, sink);
  parser->set_request_method(method);
  Buffer data;
  while (true) {
    const std::string_view next = input.substr(0, piece);
    input.remove_prefix(next.size());
    data.append(next);
    while (true) {
      auto result = parser->parse(data, end && input.empty());
      if (!result) return sink.text + " E" + std::to_string(result.error().status);
      if (!parser->message_complete() || (data.empty() && input.empty())) break;
      parser->next_message();
      parser->set_request_method(method);
    }
    if (input.empty()) return sink.text;
  }
}

struct Case {
  const char* name;
  Kind kind;
  std::string input;
  std::string expected;
  const char* method = "GET";
};

constexpr auto kRequest = Kind::kRequest;
constexpr auto kResponse = Kind::kResponse;
const std::string kGet = "GET / HTTP/1.1\r\nHost: a\r\n";
const std::string kPost = "POST / HTTP/1.1\r\nHost: a\r\n";
const std::string kGetText = "H{:authority=a}{:path=/}{:method=GET}";
const std::string kPostText = "H{:authority=a}{:path=/}{:method=POST}";

const std::vector<Case>& cases() {
  static const std::vector<Case> all = {
      // Heads.
      {"Minimal", kRequest, kGet + "\r\n", kGetText + "! ."},
      {"NamesAreLowerCased", kRequest, kGet + "X-FoO:  Bar \t\r\n\r\n", kGetText + "{x-foo=Bar}! ."},
      {"EmptyValue", kRequest, kGet + "x:\r\n\r\n", kGetText + "{x=}! ."},
      {"TabsAndHighBytesInValues", kRequest, kGet + "x: a\tb\xc3\xa9 longer than a word\r\n\r\n",
       kGetText + "{x=a\tb\xc3\xa9 longer than a word}! ."},
      {"RepeatedFieldsStay", kRequest, kGet + "x: 1\r\nX: 2\r\n\r\n", kGetText + "{x=1}{x=2}! ."},
      {"EmptyLinesBefore", kRequest, "\r\n\r\n" + kGet + "\r\n", kGetText + "! ."},
      {"Pipelined", kRequest, kGet + "\r\n" + kGet + "\r\n", kGetText + "! ." + kGetText + "! ."},
      {"HostAfterOthersStillFirst", kRequest, "GET /x?y HTTP/1.1\r\nb: c\r\nHost: a:80\r\n\r\n",
       "H{:authority=a:80}{:path=/x?y}{:method=GET}{b=c}! ."},
      // Request targets.
      {"AbsoluteForm", kRequest, "GET http://b:8/p?q HTTP/1.1\r\nHost: a\r\n\r\n",
       "H{:authority=b:8}{:scheme=http}{:path=/p?q}{:method=GET}! ."},
      {"AbsoluteFormWithoutPath", kRequest, "GET HTTP://b?q HTTP/1.1\r\nHost: a\r\n\r\n",
       "H{:authority=b}{:scheme=http}{:path=/?q}{:method=GET}! ."},
      {"AsteriskForm", kRequest, "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
       "H{:authority=a}{:path=*}{:method=OPTIONS}! ."},
      {"AsteriskFormOfGet", kRequest, "GET * HTTP/1.1\r\nHost: a\r\n\r\n", " E400"},
      {"Connect", kRequest, "CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n", "H{:authority=a:443}{:method=CONNECT}! ."},
      {"ConnectWithoutPort", kRequest, "CONNECT a HTTP/1.1\r\nHost: a\r\n\r\n", " E400"},
      {"UserInformation", kRequest, "GET http://u@b/ HTTP/1.1\r\nHost: a\r\n\r\n", " E400"},
      {"OtherScheme", kRequest, "GET ftp://b/ HTTP/1.1\r\nHost: a\r\n\r\n", " E400"},
      {"RelativeTarget", kRequest, "GET index.html HTTP/1.1\r\nHost: a\r\n\r\n", " E400"},
      {"Fragment", kRequest, "GET /#x HTTP/1.1\r\nHost: a\r\n\r\n", " E400"},
      {"HighByteInTarget", kRequest, "GET /\xe4 HTTP/1.1\r\nHost: a\r\n\r\n", " E400"},
      // Start lines.
      {"TwoSpaces", kRequest, "GET  / HTTP/1.1\r\nHost: a\r\n\r\n", " E400"},
      {"NoVersion", kRequest, "GET /\r\n\r\n", " E400"},
      {"LowerCaseVersion", kRequest, "GET / http/1.1\r\nHost: a\r\n\r\n", " E400"},
      {"Http12", kRequest, "GET / HTTP/1.2\r\nHost: a\r\n\r\n", " E426"},
      {"Http2Preface", kRequest, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", " E400"},
      {"MethodThatNobodyKnows", kRequest, "FROB-X_1 / HTTP/1.1\r\nHost: a\r\n\r\n", " E400"},
      {"MethodInLowerCase", kRequest, "get / HTTP/1.1\r\nHost: a\r\n\r\n", " E400"},
      {"MethodThatFewKnow", kRequest, "UNSUBSCRIBE / HTTP/1.1\r\nHost: a\r\n\r\n",
       "H{:authority=a}{:path=/}{:method=UNSUBSCRIBE}! ."},
      {"MethodIsNoToken", kRequest, "G(T / HTTP/1.1\r\nHost: a\r\n\r\n", " E400"},
      {"TlsHello", kRequest, std::string("\x16\x03\x01\x02\x00\x01\n", 7), " E400"},
      // Host.
      {"NoHost", kRequest, "GET / HTTP/1.1\r\nx: y\r\n\r\n", " E400"},
      {"NoHostInHttp10", kRequest, "GET / HTTP/1.0\r\n\r\n", "H{:path=/}{:method=GET}! ."},
      {"EmptyHost", kRequest, "GET / HTTP/1.1\r\nHost:\r\n\r\n", "H{:authority=}{:path=/}{:method=GET}! ."},
      {"TwoHosts", kRequest, kGet + "Host: a\r\n\r\n", " E400"},
      {"HostWithPath", kRequest, "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", " E400"},
      {"HostWithAt", kRequest, "GET / HTTP/1.1\r\nHost: a@b\r\n\r\n", " E400"},
      {"Ipv6Host", kRequest, "GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n",
       "H{:authority=[::1]:80}{:path=/}{:method=GET}! ."},
      // Field lines.
      {"BareLf", kRequest, "GET / HTTP/1.1\nHost: a\r\n\r\n", " E400"},
      {"BareLfInFields", kRequest, kGet + "x: y\n\r\n", " E400"},
      {"BareLfAtTheEnd", kRequest, kGet + "\n", " E400"},
      {"BareCrInValue", kRequest, kGet + "x: a\rb\r\n\r\n", " E400"},
      {"NulInValue", kRequest, kGet + std::string("x: a\0b\r\n\r\n", 10), " E400"},
      {"DelInValue", kRequest, kGet + "x: 12345678\x7f\r\n\r\n", " E400"},
      {"ObsFold", kRequest, kGet + "x: a\r\n b\r\n\r\n", " E400"},
      {"SpaceBeforeColon", kRequest, kGet + "x : y\r\n\r\n", " E400"},
      {"SpaceBeforeFirstField", kRequest, "GET / HTTP/1.1\r\n Host: a\r\n\r\n", " E400"},
      {"NoColon", kRequest, kGet + "x\r\n\r\n", " E400"},
      {"EmptyName", kRequest, kGet + ": y\r\n\r\n", " E400"},
      {"NameIsNoToken", kRequest, kGet + "x(y): z\r\n\r\n", " E400"},
      {"PseudoHeaderOnTheWire", kRequest, kGet + ":path: /admin\r\n\r\n", " E400"},
      // Bodies and what smuggles.
      {"ContentLength", kRequest, kPost + "Content-Length: 3\r\n\r\nabc", kPostText + "{content-length=3} D[abc] ."},
      {"ContentLengthZero", kRequest, kPost + "Content-Length: 0\r\n\r\n", kPostText + "{content-length=0}! ."},
      {"BodyThenNext", kRequest, kPost + "Content-Length: 3\r\n\r\nabc" + kGet + "\r\n",
       kPostText + "{content-length=3} D[abc] ." + kGetText + "! ."},
      {"Chunked", kRequest, kPost + "Transfer-Encoding: Chunked\r\n\r\n3\r\nabc\r\nA\r\n0123456789\r\n0\r\n\r\n",
       kPostText + "{transfer-encoding=Chunked} D[abc0123456789] ."},
      {"ChunkExtension", kRequest, kPost + "Transfer-Encoding: chunked\r\n\r\n1;a=\"b\"\r\nx\r\n0;c\r\n\r\n",
       kPostText + "{transfer-encoding=chunked} D[x] ."},
      {"Trailers", kRequest, kPost + "Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nT: v\r\nHost: evil\r\n\r\n",
       kPostText + "{transfer-encoding=chunked} T{t=v} D[x] ."},
      {"LengthAndChunked", kRequest, kPost + "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n", " E400"},
      {"ChunkedAndLength", kRequest, kPost + "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n", " E400"},
      {"TwoLengthsThatDiffer", kRequest, kPost + "Content-Length: 3\r\nContent-Length: 4\r\n\r\n", " E400"},
      {"TwoEqualLengths", kRequest, kPost + "Content-Length: 3\r\nContent-Length: 3\r\n\r\n", " E400"},
      {"LengthList", kRequest, kPost + "Content-Length: 3, 3\r\n\r\n", " E400"},
      {"SignedLength", kRequest, kPost + "Content-Length: +3\r\n\r\n", " E400"},
      {"NegativeLength", kRequest, kPost + "Content-Length: -3\r\n\r\n", " E400"},
      {"HexLength", kRequest, kPost + "Content-Length: 0x3\r\n\r\n", " E400"},
      {"EmptyLength", kRequest, kPost + "Content-Length:\r\n\r\n", " E400"},
      {"LengthWithLeadingZeros", kRequest, kPost + "Content-Length: 00000000000000000000003\r\n\r\nabc",
       kPostText + "{content-length=3} D[abc] ."},
      {"LengthOfZeros", kRequest, kPost + "Content-Length: 0000\r\n\r\n", kPostText + "{content-length=0}! ."},
      {"HugeLength", kRequest, kPost + "Content-Length: 18446744073709551617\r\n\r\n", " E400"},
      {"ChunkedTwice", kRequest, kPost + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", " E501"},
      {"ChunkedList", kRequest, kPost + "Transfer-Encoding: chunked, chunked\r\n\r\n", " E501"},
      {"GzipThenChunked", kRequest, kPost + "Transfer-Encoding: gzip, chunked\r\n\r\n", " E501"},
      {"Identity", kRequest, kPost + "Transfer-Encoding: identity\r\n\r\n", " E501"},
      {"ChunkedWithVerticalTab", kRequest,
       kPost + "Transfer-Encoding: \x0b"
               "chunked\r\n\r\n",
       " E400"},
      {"ChunkedInHttp10", kRequest, "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", " E400"},
      {"ChunkedConnect", kRequest, "CONNECT a:1 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", " E400"},
      {"ChunkSizeSigned", kRequest, kPost + "Transfer-Encoding: chunked\r\n\r\n+1\r\n",
       kPostText + "{transfer-encoding=chunked} E400"},
      {"ChunkSizeWithPadding", kRequest, kPost + "Transfer-Encoding: chunked\r\n\r\n1 \t\r\nx\r\n0  \r\n\r\n",
       kPostText + "{transfer-encoding=chunked} D[x] ."},
      {"ChunkExtensionWithSpace", kRequest,
       kPost + "Transfer-Encoding: chunked\r\n\r\n1 ; a = \"b\"\r\nx\r\n0\t;c\r\n\r\n",
       kPostText + "{transfer-encoding=chunked} D[x] ."},
      {"ChunkSizeWithMoreThanPadding", kRequest, kPost + "Transfer-Encoding: chunked\r\n\r\n1 x\r\nx\r\n",
       kPostText + "{transfer-encoding=chunked} E400"},
      {"ChunkSizeBehindASpace", kRequest, kPost + "Transfer-Encoding: chunked\r\n\r\n 1\r\nx\r\n",
       kPostText + "{transfer-encoding=chunked} E400"},
      {"ChunkSizeWithLeadingZeros", kRequest,
       kPost + "Transfer-Encoding: chunked\r\n\r\n00000000000000000001\r\nx\r\n00000000000000000\r\n\r\n",
       kPostText + "{transfer-encoding=chunked} D[x] ."},
      {"ChunkSizeTooLarge", kRequest, kPost + "Transfer-Encoding: chunked\r\n\r\n10000000000000001\r\n",
       kPostText + "{transfer-encoding=chunked} E400"},
      {"ChunkSizeEmpty", kRequest, kPost + "Transfer-Encoding: chunked\r\n\r\n\r\n",
       kPostText + "{transfer-encoding=chunked} E400"},
      {"ChunkBareLf", kRequest, kPost + "Transfer-Encoding: chunked\r\n\r\n1\nx\r\n",
       kPostText + "{transfer-encoding=chunked} E400"},
      {"ChunkExtensionBareLf", kRequest, kPost + "Transfer-Encoding: chunked\r\n\r\n1;a\nx\r\n0\r\n\r\n",
       kPostText + "{transfer-encoding=chunked} E400"},
      {"ChunkLongerThanItsSize", kRequest, kPost + "Transfer-Encoding: chunked\r\n\r\n1\r\nxy\r\n",
       kPostText + "{transfer-encoding=chunked} E400"},
      {"ChunkEndBareLf", kRequest, kPost + "Transfer-Encoding: chunked\r\n\r\n1\r\nx\n0\r\n\r\n",
       kPostText + "{transfer-encoding=chunked} E400"},
      {"TrailerObsFold", kRequest, kPost + "Transfer-Encoding: chunked\r\n\r\n0\r\na: b\r\n c\r\n\r\n",
       kPostText + "{transfer-encoding=chunked} E400"},
      // The end of input.
      {"EndInsideOfTheHead", kRequest, kGet, " E400"},
      {"EndInsideOfTheBody", kRequest, kPost + "Content-Length: 3\r\n\r\nab", kPostText + "{content-length=3} E400"},
      {"EndInsideOfAChunk", kRequest, kPost + "Transfer-Encoding: chunked\r\n\r\n3\r\nab",
       kPostText + "{transfer-encoding=chunked} E400"},
      {"EndBetweenMessages", kRequest, "", ""},
      // Responses.
      {"Response", kResponse, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
       "H{:status=200}{content-length=2} D[ok] ."},
      {"NoReason", kResponse, "HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", "H{:status=200}{content-length=0}! ."},
      {"UntilClose", kResponse, "HTTP/1.1 200 OK\r\n\r\nall of it", "H{:status=200} D[all of it] ."},
      {"UntilCloseHttp10", kResponse, "HTTP/1.0 200 OK\r\n\r\nx", "H{:status=200} D[x] ."},
      {"NoContent", kResponse, "HTTP/1.1 204 No Content\r\n\r\n", "H{:status=204}! ."},
      {"NotModifiedKeepsItsLength", kResponse, "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n",
       "H{:status=304}{content-length=9}! ."},
      {"Head", kResponse, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", "H{:status=200}{content-length=9}! .",
       "HEAD"},
      {"HeadChunked", kResponse, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
       "H{:status=200}{transfer-encoding=chunked}! .", "HEAD"},
      {"Informational", kResponse,
       "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
       "HTTP/1.1 204 No Content\r\n\r\n",
       "I100 I103 H{:status=204}! ."},
      {"InformationalBeforeHead", kResponse,
       "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n",
       "I100 H{:status=200}{content-length=9}! .", "HEAD"},
      {"SwitchingProtocols", kResponse, "HTTP/1.1 101 Switching Protocols\r\n\r\n", " E400"},
      {"ResponseTrailers", kResponse,
       "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nA: b\r\n\r\n",
       "H{:status=200}{transfer-encoding=chunked} T{a=b} D[ok] ."},
      {"ResponseLengthAndChunked", kResponse,
       "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n", " E400"},
      {"NoContentWithLength", kResponse, "HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\n", " E400"},
      {"NoContentChunked", kResponse, "HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n", " E400"},
      {"BadStatus", kResponse, "HTTP/1.1 2x0 OK\r\n\r\n", " E400"},
      {"StatusBelowRange", kResponse, "HTTP/1.1 099 OK\r\n\r\n", " E400"},
      {"StatusAboveTheClasses", kResponse, "HTTP/1.1 999 OK\r\nContent-Length: 0\r\n\r\n",
       "H{:status=999}{content-length=0}! ."},
      {"ResponseOfALaterHttp1", kResponse, "HTTP/1.2 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
       "H{:status=200}{transfer-encoding=chunked} ."},
      {"ResponseOfHttp2", kResponse, "HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n", " E400"},
      {"ResponseWithLf", kResponse, "HTTP/1.1 200 OK\nContent-Length: 2\nx: y\r\n\nok",
       "H{:status=200}{content-length=2}{x=y} D[ok] ."},
      {"ResponseTrailersWithLf", kResponse, "HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n2\r\nok\r\n0\r\nA: b\n\n",
       "H{:status=200}{transfer-encoding=chunked} T{a=b} D[ok] ."},
      {"ResponseChunkWithLf", kResponse, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\nok\r\n",
       "H{:status=200}{transfer-encoding=chunked} E400"},
      {"ResponseBareCr", kResponse, "HTTP/1.1 200 OK\r\nx: y\rz\r\n\r\n", " E400"},
      {"LongStatus", kResponse, "HTTP/1.1 2000 OK\r\n\r\n", " E400"},
      {"NotHttp", kResponse, "ICY 200 OK\r\n\r\n", " E400"},
      {"ResponseCutShort", kResponse, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok",
       "H{:status=200}{content-length=3} E400"},
  };
  return all;
}

class ParserTable : public ::testing::TestWithParam<size_t> {};

// However the bytes are cut into pieces, the outcome is the same.
TEST_P(ParserTable, GivesTheSameForEveryCut) {
  const Case& c = cases()[GetParam()];
  for (size_t piece = 1; piece <= c.input.size() + 1; ++piece) {
    ASSERT_EQ(run(c.kind, c.input, piece, true, {}, c.method), c.expected) << "in pieces of " << piece;
  }
}

INSTANTIATE_TEST_SUITE_P(Http1, ParserTable, ::testing::Range<size_t>(0, cases().size()),
                         [](const auto& param) { return cases()[param.param].name; });

TEST(ParserLimits, HeaderBytes) {
  const std::string big = kGet + "x: " + std::string(2000, 'a') + "\r\n\r\n";
  EXPECT_EQ(run(kRequest, big, 100, false, {.max_header_bytes = 1024}), " E431");
  EXPECT_EQ(run(kRequest, big, big.size(), false, {.max_header_bytes = 1024}), " E431");
  EXPECT_EQ(run(kRequest, std::string(2000, 'G'), 1, false, {.max_header_bytes = 1024}), " E431");
  EXPECT_EQ(run(kRequest, std::string(2000, '\r'), 1, false, {.max_header_bytes = 1024}), " E431");
  std::string empty_lines;
  for (int i = 0; i < 1000; ++i) empty_lines += "\r\n";
  EXPECT_EQ(run(kRequest, empty_lines, 64, false, {.max_header_bytes = 1024}), " E431");
}

TEST(ParserLimits, HeaderCountInHeadAndTrailers) {
  std::string fields;
  for (int i = 0; i < 10; ++i) fields += "x: y\r\n";
  EXPECT_EQ(run(kRequest, kGet + fields + "\r\n", 4096, false, {.max_header_count = 10}), " E431");
  EXPECT_EQ(run(kRequest, kPost + "Transfer-Encoding: chunked\r\n\r\n0\r\n" + fields + "y: z\r\n\r\n", 4096, false,
                {.max_header_count = 10}),
            kPostText + "{transfer-encoding=chunked} E431");
}

TEST(ParserLimits, ChunkExtensions) {
  std::string body;
  for (int i = 0; i < 20; ++i) body += "1;" + std::string(1000, 'e') + "\r\nx\r\n";
  const std::string text = run(kRequest, kPost + "Transfer-Encoding: chunked\r\n\r\n" + body, 4096, false);
  EXPECT_TRUE(text.ends_with(" E400")) << text;
  const std::string endless = kPost + "Transfer-Encoding: chunked\r\n\r\n1;" + std::string(5000, 'e');
  EXPECT_TRUE(run(kRequest, endless, 4096, false).ends_with(" E400"));
}

TEST(ParserLimits, ZerosBeforeChunkSizesCountAsExtensions) {
  std::string body;
  for (int i = 0; i < 20; ++i) body += std::string(1000, '0') + "1\r\nx\r\n";
  const std::string text = run(kRequest, kPost + "Transfer-Encoding: chunked\r\n\r\n" + body, 4096, false);
  EXPECT_TRUE(text.ends_with(" E400")) << text;
}

// Sizes that are written with eight digits or filled up with blanks, as some servers do: however long the body.
TEST(ParserLimits, PaddedChunkSizesOfALongBodyAreNoExtensions) {
  for (const char* size : {"00000400", "400     ", "400;a=b", "0000000000000400            "}) {
    const std::string chunk = size + ("\r\n" + std::string(1024, 'x')) + "\r\n";
    std::string body;
    for (int i = 0; i < 8 * 1024; ++i) body += chunk;
    body += "0\r\n\r\n";
    EXPECT_TRUE(run(kRequest, kPost + "Transfer-Encoding: chunked\r\n\r\n" + body, 65536, true).ends_with("] ."))
        << size;
    EXPECT_TRUE(
        run(kResponse, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + body, 65536, true).ends_with("] ."))
        << size;
  }
}

TEST(ParserLimits, ChunkExtensionsOfTinyChunks) {
  for (const std::string& line :
       {"1;" + std::string(100, 'e'), "1" + std::string(100, ' '), std::string(100, '0') + "1"}) {
    std::string body;
    for (int i = 0; i < 300; ++i) body += line + "\r\nx\r\n";
    EXPECT_TRUE(run(kRequest, kPost + "Transfer-Encoding: chunked\r\n\r\n" + body, 4096, false).ends_with(" E400"))
        << line;
  }
}

// A large chunk pays for itself, not for those after it.
TEST(ParserLimits, ALargeChunkPaysForNoLaterExtensions) {
  std::string body = "10000\r\n" + std::string(65536, 'x') + "\r\n";
  for (int i = 0; i < 300; ++i) body += "1;" + std::string(100, 'e') + "\r\nx\r\n";
  EXPECT_TRUE(run(kRequest, kPost + "Transfer-Encoding: chunked\r\n\r\n" + body, 4096, false).ends_with(" E400"));
}

TEST(ParserLimits, AnyMethodWhereTheConfigurationSaysSo) {
  EXPECT_EQ(run(kRequest, "FROB-X_1 / HTTP/1.1\r\nHost: a\r\n\r\n", 4096, false, {.any_method = true}),
            "H{:authority=a}{:path=/}{:method=FROB-X_1}! .");
}

// Each has a map of its own, though the sink gives out the same one.
TEST(Http1Parser, AnInterimResponseLeavesNothingInTheFinalOne) {
  struct Keeping : Transcript {
    HeaderMap& headers_storage() override { return headers; }
  } sink;
  auto parser = Http1Parser::create(kResponse, {}, sink);
  Buffer data;
  data.append("HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  ASSERT_TRUE(parser->parse(data, false));
  EXPECT_EQ(sink.text, "I103 H{:status=200}{content-length=0}! .");
}

TEST(Http1Parser, KeepAlive) {
  const struct {
    std::string head;
    bool keep;
  } table[] = {
      {kGet, true},
      {kGet + "Connection: close\r\n", false},
      {kGet + "Connection: x, CLOSE\r\n", false},
      {kGet + "Connection: keep-alive\r\nConnection: close\r\n", false},
      {"GET / HTTP/1.0\r\nHost: a\r\n", false},
      {"GET / HTTP/1.0\r\nHost: a\r\nConnection: Keep-Alive\r\n", true},
  };
  for (const auto& row : table) {
    Transcript sink;
    auto parser = Http1Parser::create(kRequest, {}, sink);
    Buffer data;
    data.append(row.head + "\r\n");
    ASSERT_TRUE(parser->parse(data, false));
    EXPECT_EQ(parser->keep_alive(), row.keep) << row.head;
  }
}

TEST(Http1Parser, Expect100ContinueOnlyInHttp11) {
  for (const char* version : {"1.1", "1.0"}) {
    Transcript sink;
    auto parser = Http1Parser::create(kRequest, {}, sink);
    Buffer data;
    data.append("PUT / HTTP/" + std::string(version) +
                "\r\nHost: a\r\nExpect: 100-Continue\r\nContent-Length: 1\r\n\r\n");
    ASSERT_TRUE(parser->parse(data, false));
    EXPECT_EQ(parser->expects_100_continue(), std::string_view(version) == "1.1");
    EXPECT_FALSE(parser->message_complete());
  }
}

TEST(Http1Parser, PausedLeavesTheBytes) {
  struct Pausing : Transcript {
    void on_headers(bool end_stream) override {
      Transcript::on_headers(end_stream);
      parser->set_paused(true);
    }
    Http1Parser* parser = nullptr;
  } sink;
  auto parser = Http1Parser::create(kRequest, {}, sink);
  sink.parser = parser.get();
  Buffer data;
  data.append(kPost + "Content-Length: 3\r\n\r\nabc");
  ASSERT_TRUE(parser->parse(data, true));
  EXPECT_EQ(data.to_string(), "abc");
  parser->set_paused(false);
  ASSERT_TRUE(parser->parse(data, true));
  EXPECT_TRUE(parser->message_complete());
}

// One message after whose head another protocol may follow. `method`: what a response answers, with the wish for that.
std::string run_upgrade(Kind kind, std::string_view input, size_t piece, std::string_view method = "GET") {
  Transcript sink;
  auto parser = Http1Parser::create(kind, {.upgrades = true}, sink);
  if (kind == kResponse) {
    parser->set_request_method(method);
    parser->set_upgrade_asked();
  }
  Buffer data;
  for (; !input.empty(); input.remove_prefix(std::min(piece, input.size()))) {
    data.append(input.substr(0, piece));
    if (auto outcome = parser->parse(data, false); !outcome) return sink.text + " E";
  }
  if (!parser->upgrades()) return sink.text;
  EXPECT_TRUE(parser->parse(data, true));  // an end is no error, and completes nothing
  EXPECT_FALSE(parser->message_complete());
  return sink.text + " U[" + sink.body + "]";
}

const std::string kAsk = "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: x\r\n";
const std::string kAskText = "H{:authority=a}{:path=/}{:method=GET}{connection=Upgrade}{upgrade=x}";
const std::string kAgree = "HTTP/1.1 101 S\r\nConnection: upgrade\r\nUpgrade: x\r\n";

TEST(Upgrades, WhatFollowsTheRequestIsItsBody) {
  for (const size_t piece : {1, 7, 1000}) {
    EXPECT_EQ(run_upgrade(kRequest, kAsk + "\r\nGET / HTTP/1.1\r\n\r\n", piece),
              kAskText + " U[GET / HTTP/1.1\r\n\r\n]");
    EXPECT_EQ(run_upgrade(kRequest, kAsk + "\r\n", piece), kAskText + " U[]");
    EXPECT_EQ(run_upgrade(kRequest, kAsk + "Content-Length: 1\r\n\r\nab", piece),
              kAskText + "{content-length=1} U[ab]");
    EXPECT_EQ(run_upgrade(kRequest, kAsk + "Transfer-Encoding: chunked\r\n\r\n0\r\n", piece),
              kAskText + "{transfer-encoding=chunked} U[0\r\n]");
    EXPECT_EQ(run_upgrade(kRequest, "CONNECT a:1 HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\nb", piece),
              "H{:authority=a:1}{:method=CONNECT} U[b]");
  }
}

TEST(Upgrades, AreNoneWithoutAWordOfConnection) {
  EXPECT_EQ(run_upgrade(kRequest, "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: x\r\n\r\n", 1000),
            "H{:authority=a}{:path=/}{:method=GET}{upgrade=x}! .");
  EXPECT_EQ(run_upgrade(kRequest, kAsk + "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 1000), " E");
}

TEST(Upgrades, AreRequestsLikeAllOthersForWhoDoesNotTakeThem) {
  EXPECT_EQ(run(kRequest, kAsk + "\r\n" + kGet + "\r\n", 1000, false), kAskText + "! ." + kGetText + "! .");
}

TEST(Upgrades, AreAgreedToWith101) {
  for (const size_t piece : {1, 7, 1000}) {
    const std::string head = "H{:status=101}{connection=upgrade}{upgrade=x} U[";
    EXPECT_EQ(run_upgrade(kResponse, kAgree + "\r\nHTTP/1.1 200 OK\r\n", piece), head + "HTTP/1.1 200 OK\r\n]");
    EXPECT_EQ(run_upgrade(kResponse, kAgree + "Content-Length: 0\r\n\r\n", piece), head + "]");
    EXPECT_EQ(run_upgrade(kResponse, "HTTP/1.1 100 C\r\n\r\n" + kAgree + "\r\na", piece), "I100 " + head + "a]");
  }
}

TEST(Upgrades, AreNotAgreedToOtherwise) {
  EXPECT_EQ(run_upgrade(kResponse, "HTTP/1.1 101 S\r\n\r\n", 1000), " E");
  EXPECT_EQ(run_upgrade(kResponse, kAgree + "Content-Length: 1\r\n\r\n", 1000), " E");
  EXPECT_EQ(run_upgrade(kResponse, kAgree + "Transfer-Encoding: chunked\r\n\r\n", 1000), " E");
  EXPECT_EQ(run_upgrade(kResponse, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na", 1000),
            "H{:status=200}{content-length=1} D[a] .");
  EXPECT_EQ(run(kResponse, kAgree + "\r\n", 1000, false), " E400");  // which nobody has asked for
}

TEST(Upgrades, TunnelsAreAgreedToWith2xx) {
  EXPECT_EQ(run_upgrade(kResponse, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nab", 1000, "CONNECT"),
            "H{:status=200} U[ab]");
  EXPECT_EQ(run_upgrade(kResponse, "HTTP/1.1 204 OK\r\nTransfer-Encoding: chunked\r\n\r\nab", 1000, "CONNECT"),
            "H{:status=204} U[ab]");
  EXPECT_EQ(run_upgrade(kResponse, "HTTP/1.1 403 No\r\nContent-Length: 1\r\n\r\na", 1000, "CONNECT"),
            "H{:status=403}{content-length=1} D[a] .");
}

}  // namespace
}  // namespace inlay::http
