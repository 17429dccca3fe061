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
    info_.response_code = 200;
    info_.downstream_remote = &remote_;
    info_.upstream_cluster = "app";
    info_.start_monotonic = 1'000'000'000;
    info_.start_system = 1'700'000'000'123'000'000;
    info_.filter_state.emplace_back("wasm.k", "state");
  }
  std::string format(std::string_view text) {
    auto f = Formatter::compile(text);
    if (!f) return f.error().message;
    std::string out;
    f->append({&request_, &response_, &info_, 1'250'000'000}, out);
    return out;
  }
  host::HeaderMap request_, response_;
  http::StreamInfo info_;
  config::Address remote_{"10.0.0.7", 4711};
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
      {"%UPSTREAM_CLUSTER%", "app"},
      {"%FILTER_STATE(wasm.k:PLAIN)%", "state"},
      {"%START_TIME%", "2023-11-14T22:13:20.123Z"},
      {"%START_TIME(%Y/%m)%", "2023/11"},
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

TEST(ResponseFlags, AreJoinedInEnvoysOrder) {
  EXPECT_EQ(response_flags_text(0), "-");
  EXPECT_EQ(response_flags_text(http::kNoRouteFound), "NR");
  EXPECT_EQ(response_flags_text(http::kUpstreamRequestTimeout | http::kNoHealthyUpstream), "UH,UT");
}

}  // namespace
}  // namespace inlay::proxy::router
