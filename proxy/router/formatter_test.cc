// SPDX-License-Identifier: Apache-2.0
#include "proxy/router/formatter.h"

#include <gtest/gtest.h>

namespace inlay::proxy::router {
namespace {

class FormatterTest : public testing::Test {
 protected:
  FormatterTest() {
    request_.add(":method", "GET");
    request_.add("x-a", "value");
    response_.add("x-r", "answer");
    trailers_.add("x-t", "last");
    info_.response_code = 200;
    info_.response_code_details = "via upstream";
    info_.upstream_first_byte_monotonic = 1'050'000'000;
    info_.request_headers_bytes = 11;
    info_.response_headers_bytes = 12;
    info_.downstream_remote = &remote_;
    info_.downstream_direct_remote = &peer_;
    info_.upstream_transport_failure = "TLS error: no";
    info_.upstream_cluster = "app";
    info_.start_monotonic = 1'000'000'000;
    info_.start_system = 1'700'000'000'123'000'000;
    info_.filter_state.push_back({"wasm.k", "state"});
  }
  std::string format(std::string_view text) {
    auto f = Formatter::compile(text);
    if (!f) return f.error().message;
    std::string out;
    f->append(context(), out);
    return out;
  }
  FormatContext context() const { return {&request_, &response_, &info_, 1'250'000'000, &trailers_}; }
  std::string line(std::string_view text, std::string_view empty = "-") {
    std::string out;
    Formatter::compile(text)->append_line(context(), empty, out);
    return out;
  }
  http::HeaderMap request_, response_, trailers_;
  downstream::StreamInfo info_;
  Address remote_{"10.0.0.7", 4711};
  Address peer_{"10.0.0.8", 4712};
};

TEST_F(FormatterTest, Operators) {
  const std::pair<const char*, const char*> cases[] = {
      {"plain", "plain"},
      {"100%%", "100%"},
      {"%REQ(:METHOD)%", "GET"},
      {"[%REQ(X-A)%]", "[value]"},
      {"%REQ(X-A):3%", "val"},
      {"%REQ(NONE?X-A)%", "value"},
      {"<%REQ(NONE)%>", "<>"},
      {"%RESP(X-R)%", "answer"},
      {"%RESPONSE_CODE% %RESPONSE_FLAGS%", "200 -"},
      {"%DURATION%ms", "250ms"},
      {"%DOWNSTREAM_REMOTE_ADDRESS%", "10.0.0.7:4711"},
      {"%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%", "10.0.0.7"},
      {"%DOWNSTREAM_DIRECT_REMOTE_ADDRESS%", "10.0.0.8:4712"},
      {"%DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT% %DOWNSTREAM_DIRECT_REMOTE_PORT%", "10.0.0.8 4712"},
      {"%UPSTREAM_TRANSPORT_FAILURE_REASON%", "TLS_error:_no"},
      {"%UPSTREAM_CLUSTER%", "app"},
      {"%FILTER_STATE(wasm.k:PLAIN)%", "state"},
      {"%START_TIME%", "2023-11-14T22:13:20.123Z"},
      {"%START_TIME(%Y/%m)%", "2023/11"},
      {"%START_TIME(%s.%3f)%", "1700000000.123"},
      {"%START_TIME(%T %f %%)%", "22:13:20 123000000 %"},
      {"%TRAILER(X-T)%", "last"},
      {"%RESPONSE_CODE_DETAILS%", "via_upstream"},
      {"%RESPONSE_CODE_DETAILS(ALLOW_WHITESPACES)%", "via upstream"},
      {"%RESPONSE_DURATION%", "50"},
      {"%REQUEST_HEADERS_BYTES%/%RESPONSE_HEADERS_BYTES%", "18/12"},
      {"%DYNAMIC_METADATA(a:b)%", ""},
  };
  for (const auto& [text, expected] : cases) EXPECT_EQ(format(text), expected) << text;
}

TEST_F(FormatterTest, Mistakes) {
  for (const char* text : {"%", "50% off", "%REQ(a", "%REQ(a):x%", "%REQ%", "%NO_SUCH%", "%REQ(a)"}) {
    const auto f = Formatter::compile(text);
    ASSERT_FALSE(f) << text;
    EXPECT_NE(f.error().message.find(text), std::string::npos) << f.error().message;
  }
}

TEST_F(FormatterTest, ALineHasADashForNothing) {
  EXPECT_EQ(line("%REQ(NONE)% %REQ(X-A)% %UPSTREAM_HOST%\n"), "- value -\n");
  EXPECT_EQ(line("<%REQ(NONE)%>", ""), "<>");
}

// As Envoy 1.40.0: a pipe's port is there and empty, and a connection to a pipe has no address of its own.
TEST_F(FormatterTest, Pipes) {
  remote_ = peer_ = Address::pipe("/run/a.sock");
  info_.upstream_host = Address::pipe("@b");
  info_.upstream_local = Address::pipe("");
  EXPECT_EQ(line("%DOWNSTREAM_REMOTE_ADDRESS% %DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT% <%DOWNSTREAM_REMOTE_PORT%>"),
            "/run/a.sock /run/a.sock <>");
  EXPECT_EQ(line("%DOWNSTREAM_DIRECT_REMOTE_ADDRESS% <%DOWNSTREAM_DIRECT_REMOTE_PORT%>"), "/run/a.sock <>");
  EXPECT_EQ(line("%UPSTREAM_HOST% %UPSTREAM_LOCAL_ADDRESS%"), "@b -");
}

TEST_F(FormatterTest, NoValueWritesALineOfItsOwn) {
  request_.add("x-bad", std::string("a\r\nforged\t\x7f \xc3\xa9", 14));
  EXPECT_EQ(line("%REQ(X-BAD)%\n"), "a\\x0D\\x0Aforged\\x09\\x7F \xc3\xa9\n");
  info_.filter_state[0].value = std::string("\0\n", 2);
  EXPECT_EQ(line("%FILTER_STATE(wasm.k:PLAIN)%"), "\\x00\\x0A");
}

TEST(ResponseFlags, HaveNames) {
  EXPECT_EQ(response_flag_of("UT"), downstream::kUpstreamRequestTimeout);
  EXPECT_EQ(response_flag_of("RLSE"), 0u);
}

TEST(ResponseFlags, AreJoinedInEnvoysOrder) {
  EXPECT_EQ(response_flags_text(0), "-");
  EXPECT_EQ(response_flags_text(downstream::kNoRouteFound), "NR");
  EXPECT_EQ(response_flags_text(downstream::kUpstreamRequestTimeout | downstream::kNoHealthyUpstream), "UH,UT");
}

}  // namespace
}  // namespace inlay::proxy::router
