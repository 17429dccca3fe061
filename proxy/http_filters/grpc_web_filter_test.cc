// SPDX-License-Identifier: Apache-2.0
#include "proxy/http_filters/grpc_web_filter.h"

#include <gtest/gtest.h>

#include "base/base64.h"
#include "proxy/downstream/filter_chain.h"
#include "proxy/downstream/filter_chain_fixture.h"

namespace inlay::proxy::http_filters {
namespace {

using downstream::testing::Factory;
using downstream::testing::Journal;
using downstream::testing::ScriptedFilter;
using downstream::testing::Sink;
using Fields = std::initializer_list<std::pair<std::string_view, std::string_view>>;

const std::string kMessage("\0\0\0\0\5hello", 10);

std::string base64(std::string_view bytes) {
  std::string text;
  append_base64(text, bytes);
  return text;
}

TEST(GrpcWebText, IsTheSameInWhateverPieces) {
  const std::string all = kMessage + std::string("\0\0\0\0\0", 5) + kMessage;
  const std::string text = base64(kMessage) + base64(std::string(5, '\0')) + base64(kMessage);
  for (size_t first = 0; first <= all.size(); ++first) {
    for (size_t second = first; second <= all.size(); ++second) {
      GrpcWebText writer;
      const std::string_view bytes = all;
      std::string written = writer.add(bytes.substr(0, first));
      written += writer.add(bytes.substr(first, second - first));
      EXPECT_EQ(written + writer.add(bytes.substr(second)), text);
    }
  }
}

class GrpcWebFilterTest : public ::testing::Test {
 protected:
  GrpcWebFilterTest() {
    config::VirtualHost host;
    host.domains = {"*"};
    host.routes.resize(1);
    host.routes[0].match.value = "/";
    host.routes[0].action = config::RouteAction{};
    routes_.virtual_hosts.push_back(host);
  }

  void begin(std::string_view type, std::string_view accept = "") {
    auto table = router::RouteTable::compile(routes_, [](std::string_view) { return std::optional<size_t>(0); });
    ASSERT_TRUE(table);
    filter_ = std::make_unique<GrpcWebFilterFactory>(
        GrpcWebFilter::Options{.name = "web", .routes = *table, .disabled = disabled_});
    last_ = std::make_unique<Factory>([&] {
      auto made = std::make_unique<ScriptedFilter>("r", journal_);
      router_ = made.get();
      return made;
    });
    chain_ = std::make_unique<downstream::FilterChain>(
        loop_, listener_, std::vector<downstream::FilterFactory*>{filter_.get(), last_.get()});
    sink_.chain = chain_.get();
    sink_.finish_at_end = false;
    chain_->start(sink_);
    for (const auto& [name, value] : Fields{{":method", "POST"},
                                            {":path", "/a.B/C"},
                                            {":authority", "h"},
                                            {"x-forwarded-proto", "http"},
                                            {"content-length", "10"}})
      request().add(name, value);
    request().add("content-type", type);
    if (!accept.empty()) request().add("accept", accept);
    chain_->decode_headers(false);
  }
  http::HeaderMap& request() { return chain_->request_headers(); }
  void sends(std::initializer_list<std::string_view> pieces) {
    for (size_t i = 0; i < pieces.size(); ++i) {
      Buffer data;
      data.append(pieces.begin()[i]);
      chain_->decode_data(data, i + 1 == pieces.size());
    }
  }
  void answers(std::string_view status, std::string_view type, bool end = false) {
    http::HeaderMap& head = router_->callbacks->response_storage();
    head.add(":status", status);
    head.add("content-type", type);
    head.add("content-length", "77");
    router_->callbacks->encode_headers(end);
  }
  void answers_data(std::string_view bytes, bool end = false) {
    Buffer data;
    data.append(bytes);
    router_->callbacks->encode_data(data, end);
  }
  void answers_trailers(Fields fields) {
    http::HeaderMap& trailers = router_->callbacks->response_trailers_storage();
    for (const auto& [name, value] : fields) trailers.add(name, value);
    router_->callbacks->encode_trailers();
  }
  std::string seen() const {
    Journal sent;
    for (const std::string& line : journal_.lines)
      if (!line.starts_with("r.")) sent.add(line);
    return sent.text();
  }
  std::string response(std::string_view name) {
    return std::string(chain_->response_headers().get(name).value_or("-"));
  }

  config::RouteConfiguration routes_;
  config::Listener listener_;
  net::EventLoop loop_;
  Journal journal_;
  Sink sink_{journal_};
  bool disabled_ = false;
  std::unique_ptr<GrpcWebFilterFactory> filter_;
  std::unique_ptr<Factory> last_;
  std::unique_ptr<downstream::FilterChain> chain_;
  ScriptedFilter* router_ = nullptr;
};

TEST_F(GrpcWebFilterTest, MakesAGrpcRequest) {
  for (const char* type : {"application/grpc-web", "application/grpc-web+proto", "application/grpc-web-text",
                           "application/grpc-web-text+proto"}) {
    begin(type);
    EXPECT_EQ(request().get("content-type"), "application/grpc") << type;
    EXPECT_EQ(request().get("te"), "trailers");
    EXPECT_EQ(request().get("grpc-accept-encoding"), "identity");
    EXPECT_FALSE(request().get("content-length").has_value());
    chain_->finish();
  }
}

TEST_F(GrpcWebFilterTest, LetsOtherRequestsPass) {
  for (const char* type :
       {"application/grpc", "application/grpc-web+json", "application/grpc-web; a=b", "text/plain"}) {
    begin(type);
    EXPECT_EQ(request().get("content-type"), type);
    EXPECT_TRUE(request().get("content-length").has_value());
    answers("200", "text/plain", true);
    EXPECT_EQ(response("content-type"), "text/plain");
    chain_->finish();
  }
}

TEST_F(GrpcWebFilterTest, ReadsTextInAnyPieces) {
  const std::string text = base64(kMessage);
  for (size_t cut = 1; cut < text.size(); ++cut) {
    begin("application/grpc-web-text");
    journal_.lines.clear();
    sends({std::string_view(text).substr(0, cut), std::string_view(text).substr(cut)});
    std::string heard;
    for (const std::string& line : journal_.lines) {
      const size_t from = line.find("decode_data(");
      if (from == std::string::npos) continue;
      std::string part = line.substr(from + 12, line.size() - from - 13);
      if (part.ends_with(",end")) part.resize(part.size() - 4);
      heard += part;
    }
    EXPECT_EQ(heard, kMessage) << cut;
    chain_->finish();
  }
}

TEST_F(GrpcWebFilterTest, RefusesWhatIsNoBase64) {
  for (const char* text : {"AAAA*AAA", "AAAAA", "AA=A"}) {
    begin("application/grpc-web-text");
    sends({text});
    EXPECT_EQ(response(":status"), "400") << text;
    EXPECT_EQ(response("grpc-status"), "13");
    EXPECT_EQ(response("grpc-message"), "Bad gRPC-web request, invalid base64 data.");
    chain_->finish();
    journal_.lines.clear();
  }
}

TEST_F(GrpcWebFilterTest, TrailersAreTheLastFrame) {
  begin("application/grpc-web+proto");
  answers("200", "application/grpc");
  answers_data("ab");
  answers_trailers({{"grpc-status", "0"}, {"x-end", "1"}});
  EXPECT_EQ(response("content-type"), "application/grpc-web+proto");
  EXPECT_EQ(response("content-length"), "-");
  const std::string lines = "grpc-status:0\r\nx-end:1\r\n";
  EXPECT_EQ(seen(), "HEAD(200) BODY(ab) BODY(" + std::string("\x80\0\0\0\x18", 5) + lines + ") TRAILERS(0)");
}

TEST_F(GrpcWebFilterTest, AndInTextWhereTheClientAsksForIt) {
  begin("application/grpc-web-text", "application/grpc-web-text");
  answers("200", "application/grpc");
  answers_data(std::string_view(kMessage).substr(0, 2));
  answers_data(std::string_view(kMessage).substr(2));
  answers_trailers({{"grpc-status", "0"}});
  EXPECT_EQ(response("content-type"), "application/grpc-web-text+proto");
  EXPECT_EQ(seen(), "HEAD(200) BODY(" + base64(kMessage) + ") BODY(gAAAAA9ncnBjLXN0YXR1czowDQo=) TRAILERS(0)");
}

TEST_F(GrpcWebFilterTest, AnAnswerOfItsHeadAlone) {
  begin("application/grpc-web");
  http::HeaderMap& head = router_->callbacks->response_storage();
  head.add(":status", "200");
  head.add("content-type", "application/grpc");
  head.add("grpc-status", "5");
  router_->callbacks->encode_headers(true);
  EXPECT_EQ(response("content-type"), "application/grpc-web+proto");
  EXPECT_EQ(response("grpc-status"), "5");
  EXPECT_EQ(seen(), "HEAD(200,end)");
}

TEST_F(GrpcWebFilterTest, AForeignAnswerIsAStatus) {
  begin("application/grpc-web");
  answers("503", "text/plain");
  EXPECT_EQ(seen(), "");
  answers_data("no ");
  answers_data("way%", true);
  EXPECT_EQ(response("grpc-status"), "14");
  EXPECT_EQ(response("grpc-message"), "no way%25");
  EXPECT_EQ(response("content-length"), "0");
  EXPECT_EQ(seen(), "HEAD(503) BODY(,end)");
}

TEST_F(GrpcWebFilterTest, OfALongOneTheBeginning) {
  listener_.per_connection_buffer_limit_bytes = 1 << 20;
  begin("application/grpc-web");
  answers("200", "text/html");
  for (int i = 0; i < 5; ++i) answers_data(std::string(7000, 'x'));
  answers_data("", true);
  EXPECT_EQ(response("grpc-message").size(), 16384u);
}

TEST_F(GrpcWebFilterTest, AForeignAnswerWithTrailers) {
  begin("application/grpc-web");
  answers("404", "text/plain");
  answers_data("gone");
  answers_trailers({{"x-end", "1"}});
  EXPECT_EQ(response("grpc-status"), "12");
  EXPECT_EQ(response("grpc-message"), "gone");
  EXPECT_EQ(seen(), "HEAD(404) TRAILERS(1)");
}

TEST_F(GrpcWebFilterTest, ARouteTurnsItOnOrOff) {
  disabled_ = true;
  begin("application/grpc-web");
  EXPECT_EQ(request().get("content-type"), "application/grpc-web");
  chain_->finish();
  routes_.virtual_hosts[0].routes[0].filter_switches = {{"web", true}};
  begin("application/grpc-web");
  EXPECT_EQ(request().get("content-type"), "application/grpc");
}

TEST_F(GrpcWebFilterTest, TheRouteIsThatOfTheRequestAsItCame) {
  begin("application/grpc-web");
  ASSERT_TRUE(chain_->info().kept_route);
  EXPECT_NE(*chain_->info().kept_route, nullptr);
}

}  // namespace
}  // namespace inlay::proxy::http_filters
