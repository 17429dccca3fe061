// SPDX-License-Identifier: Apache-2.0
#include "proxy/access_log/access_log.h"

#include <gtest/gtest.h>

#include "config/load.h"

namespace inlay::proxy::access_log {
namespace {

using config::AccessLogFilter;
using Kind = AccessLogFilter::Kind;
using Op = AccessLogFilter::Op;

constexpr std::string_view kBefore = R"({"static_resources": {"listeners": [{"name": "l",
  "address": {"socket_address": {"address": "127.0.0.1", "port_value": 1}}, "filter_chains": [{"filters": [{
  "name": "hcm", "typed_config": {
  "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
  "stat_prefix": "p", "route_config": {}, "http_filters": [{"name": "router", "typed_config": {
  "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"}}],
  "access_log": [{"name": "a", "typed_config": {
  "@type": "type.googleapis.com/envoy.extensions.access_loggers.stream.v3.StdoutAccessLog")";
constexpr std::string_view kAfter = "}}]}}]}]}]}}";

class AccessLogTest : public testing::Test {
 protected:
  AccessLogTest() {
    request_.add(":method", "GET");
    request_.add(":path", "/x?y=1");
    request_.add(":authority", "h");
    request_.add("x-a", "value");
    response_.add(":status", "200");
    info_.response_code = 200;
    info_.start_monotonic = 1'000'000'000;
    info_.start_system = 1'700'000'000'123'000'000;
    info_.bytes_sent = 7;
    info_.upstream_host = {"10.0.0.1", 80};
  }
  // The entry of a log with this log_format (JSON, may be empty), from the bootstrap to the line.
  std::string entry(const std::string& log_format) {
    document::Diagnostics diagnostics;
    const std::string text =
        std::string(kBefore) + (log_format.empty() ? "" : ", \"log_format\": " + log_format) + std::string(kAfter);
    auto bootstrap = config::load_text(text, "t.json", {}, diagnostics);
    if (!bootstrap) return diagnostics.to_string();
    std::string out;
    AccessLog::compile(bootstrap->listeners[0].http.access_logs[0]).value().append(record(), out);
    return out;
  }
  downstream::StreamRecord record() {
    return {info_, request_, request_trailers_, response_, trailers_, 1'250'000'000};
  }
  bool passes(const AccessLogFilter& config) { return Filter::compile(config).value().matches(record()); }
  static AccessLogFilter compare(Kind kind, Op op, uint32_t value) {
    AccessLogFilter filter;
    filter.kind = kind;
    filter.op = op;
    filter.value = value;
    return filter;
  }

  http::HeaderMap request_, request_trailers_, response_, trailers_;
  downstream::StreamInfo info_;
};

TEST_F(AccessLogTest, TheDefaultLine) {
  EXPECT_EQ(entry(""),
            "[2023-11-14T22:13:20.123Z] \"GET /x?y=1 HTTP/1.1\" 200 - 0 7 250 - \"-\" \"-\" \"-\" \"h\" "
            "\"10.0.0.1:80\"\n");
  request_.add("x-envoy-original-path", "/before");
  EXPECT_NE(entry("").find("\"GET /before HTTP/1.1\""), std::string::npos);
}

TEST_F(AccessLogTest, Text) {
  EXPECT_EQ(entry(R"({"text_format_source": {"inline_string": "%REQ(X-A):2% %REQ(NONE)%|\n"}})"), "va -|\n");
  EXPECT_EQ(entry(R"({"text_format_source": {"inline_string": "<%REQ(NONE)%>\n"}, "omit_empty_values": true})"),
            "<>\n");
}

TEST_F(AccessLogTest, JsonHasTypedValues) {
  EXPECT_EQ(entry(R"({"json_format": {"code": "%RESPONSE_CODE%", "a": "%REQ(X-A)%", "none": "%REQ(NONE)%",
                      "text": "100%%", "mixed": "%REQ(NONE)%/%DURATION%", "n": 5, "on": true, "nothing": null,
                      "list": ["%BYTES_SENT%", {"deep": "x"}], "empty": {}, "short": "%REQ(X-A):1%"}})"),
            R"({"a":"value","code":200,"empty":{},"list":[7,{"deep":"x"}],"mixed":"-/250","n":5,"none":null,)"
            R"("nothing":null,"on":true,"short":"v","text":"100%"})"
            "\n");
}

// Envoy 1.40: what is there and empty is not what is missing.
TEST_F(AccessLogTest, AnEmptyHeaderIsEmpty) {
  request_.add("x-empty", "");
  EXPECT_EQ(
      entry(
          R"({"text_format_source": {"inline_string": "[%REQ(X-EMPTY)%] [%REQ(X-EMPTY?X-A)%] [%REQ(NONE)%] [%RESPONSE_CODE_DETAILS%]\n"}})"),
      "[] [] [-] []\n");
  EXPECT_EQ(entry(R"({"json_format": {"e": "%REQ(X-EMPTY)%", "m": "a%REQ(X-EMPTY)%b", "n": "%REQ(NONE)%"}})"),
            R"({"e":"","m":"ab","n":null})"
            "\n");
  EXPECT_EQ(entry(R"({"omit_empty_values": true, "json_format": {"e": "%REQ(X-EMPTY)%", "n": "%REQ(NONE)%"}})"),
            R"({"e":""})"
            "\n");
  info_.response_code = 0;
  EXPECT_EQ(entry(R"({"text_format_source": {"inline_string": "%RESPONSE_CODE_DETAILS%\n"}})"), "-\n");
}

// Envoy 1.40, too: nothing in a text, null as a value.
TEST_F(AccessLogTest, APipesPort) {
  const Address pipe = Address::pipe("/run/a.sock");
  info_.downstream_local = &pipe;
  EXPECT_EQ(entry(R"({"json_format": {"p": "%DOWNSTREAM_LOCAL_PORT%", "m": "a%DOWNSTREAM_LOCAL_PORT%b"}})"),
            R"({"m":"ab","p":null})"
            "\n");
}

TEST_F(AccessLogTest, JsonMayOmitWhatIsEmpty) {
  EXPECT_EQ(entry(R"({"omit_empty_values": true, "json_format": {"none": "%REQ(NONE)%", "a": "%REQ(X-A)%",
                      "o": {"n": "%TRAILER(T)%"}, "l": ["%REQ(NONE)%", "%PROTOCOL%"], "m": "%REQ(NONE)%;"}})"),
            R"({"a":"value","l":["HTTP/1.1"],"m":";"})"
            "\n");
  EXPECT_EQ(entry(R"({"omit_empty_values": true, "json_format": {"none": "%REQ(NONE)%"}})"), "{}\n");
}

TEST_F(AccessLogTest, JsonIsOneValidLineWhateverTheRequestHolds) {
  request_.add("x-bad", std::string("\"}\r\n{\\ \t\0\x7f \xc3\xa9 \xff", 15));
  EXPECT_EQ(entry(R"({"json_format": {"bad": "%REQ(X-BAD)%", "mixed": "<%REQ(X-BAD):3%>"}})"),
            R"({"bad":"\"}\r\n{\\ \t\u0000\u007f )"
            "\xc3\xa9 \xef\xbf\xbd"
            R"(","mixed":"<\"}\r>"})"
            "\n");
}

TEST_F(AccessLogTest, FiltersOnNumbers) {
  EXPECT_TRUE(passes(compare(Kind::kStatusCode, Op::kEqual, 200)));
  EXPECT_FALSE(passes(compare(Kind::kStatusCode, Op::kNotEqual, 200)));
  EXPECT_FALSE(passes(compare(Kind::kStatusCode, Op::kGreaterOrEqual, 201)));
  EXPECT_TRUE(passes(compare(Kind::kStatusCode, Op::kLessOrEqual, 200)));
  EXPECT_TRUE(passes(compare(Kind::kDuration, Op::kGreaterOrEqual, 250)));
  EXPECT_FALSE(passes(compare(Kind::kDuration, Op::kGreaterOrEqual, 251)));
  EXPECT_TRUE(passes(AccessLogFilter{}));
}

TEST_F(AccessLogTest, FiltersOnHeadersAndFlags) {
  AccessLogFilter header;
  header.kind = Kind::kHeader;
  header.header.name = "x-a";
  EXPECT_TRUE(passes(header));
  header.header.invert = true;
  EXPECT_FALSE(passes(header));

  AccessLogFilter flag;
  flag.kind = Kind::kResponseFlag;
  EXPECT_FALSE(passes(flag)) << "no flag at all";
  info_.response_flags = downstream::kUpstreamRequestTimeout;
  EXPECT_TRUE(passes(flag)) << "any flag";
  flag.flags = {"NR", "RLSE"};
  EXPECT_FALSE(passes(flag));
  flag.flags.push_back("UT");
  EXPECT_TRUE(passes(flag));
}

TEST_F(AccessLogTest, FiltersOfFilters) {
  const AccessLogFilter yes = compare(Kind::kStatusCode, Op::kEqual, 200);
  const AccessLogFilter no = compare(Kind::kStatusCode, Op::kEqual, 500);
  AccessLogFilter both;
  both.kind = Kind::kAnd;
  both.filters = {yes, no};
  EXPECT_FALSE(passes(both));
  both.kind = Kind::kOr;
  EXPECT_TRUE(passes(both));
  both.filters = {no, no};
  EXPECT_FALSE(passes(both));
}

TEST_F(AccessLogTest, WhatTheFilterRefusesIsNotWritten) {
  config::AccessLog config;
  config.text = config::parse_format("x\n").value();
  config.filter = compare(Kind::kStatusCode, Op::kGreaterOrEqual, 500);
  const AccessLog log = AccessLog::compile(config).value();
  std::string out;
  log.append(record(), out);
  EXPECT_EQ(out, "");
  info_.response_code = 503;
  log.append(record(), out);
  EXPECT_EQ(out, "x\n");
}

TEST(AccessLog, ABadRegexIsAnError) {
  config::AccessLog config;
  config.filter.emplace();
  config.filter->kind = Kind::kHeader;
  config.filter->header.name = "x";
  config.filter->header.kind = config::HeaderMatcher::Kind::kString;
  config.filter->header.string = {config::StringMatcher::Kind::kSafeRegex, "(", false};
  EXPECT_FALSE(AccessLog::compile(config));
}

}  // namespace
}  // namespace inlay::proxy::access_log
