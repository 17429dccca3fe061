// SPDX-License-Identifier: Apache-2.0
// What the log says of a fetch that failed, and when the next one comes.
#include <string>
#include <vector>

#include "filters/header_augmenting/long_form_fixture.h"
#include "filters/header_augmenting/retry_after.h"

namespace inlay::header_augmenting {
namespace {

constexpr const char* kConnect = "upstream connect error or disconnect/reset before headers. reset reason: ";

class FailedFetchTest : public LongFormTest {
 protected:
  // reason: the log's words for what failed, when the provider answers so.
  std::string reason(const FakeReply& reply) {
    reply_ = reply;
    host_.logs.clear();
    const ContextId root = start(kToken);
    host_.advance(20ms);
    std::string found;
    for (const auto& log : host_.logs) {
      const size_t at = log.text.find("fetch failed: ");
      if (found.empty() && at != std::string::npos) found = log.text.substr(at + 14, log.text.find(';') - at - 14);
    }
    worker_.stop(root);
    host_.shared_data.clear();
    return found;
  }
  FakeReply local(const std::string& why) { return {.status = 503, .body = kConnect + why}; }
};

// As Envoy 1.36.4 words them; 1.40.0 and Inlay say "remote connection failure" and no more for the first four.
TEST_F(FailedFetchTest, AnswerThatTheHostMadeIsToldFromTheProviders) {
  const std::string transport = "remote connection failure, transport failure reason: ";
  for (const std::string& why :
       {transport + "delayed connect error: Connection refused",
        transport + "immediate connect error: Network is unreachable|remote address:10.255.255.1:80",
        transport + "TLS_error:|268435581:SSL routines:OPENSSL_internal:CERTIFICATE_VERIFY_FAILED:TLS_error_end",
        transport + "TLS error: certificate verify failed: certificate has expired",
        std::string("remote connection failure"), std::string("connection termination")}) {
    EXPECT_EQ(reason(local(why)), "the proxy got no answer from the service: " + why);
  }
  EXPECT_EQ(metric("idp.fetch_failed.unreachable"), 6);
  EXPECT_EQ(reason({.status = 502, .body = std::string(kConnect) + "protocol error"}),
            "the proxy got no answer from the service: protocol error");
  EXPECT_EQ(reason({.status = 504, .body = "upstream request timeout"}),
            "the proxy got no answer from the service: upstream request timeout");
  EXPECT_EQ(reason({.status = 503, .body = "no healthy upstream"}),
            "the proxy got no answer from the service: no healthy upstream");
  EXPECT_EQ(metric("idp.fetch_failed.status"), 0);
}

TEST_F(FailedFetchTest, WordsOfTheProviderAreNotTakenForTheHosts) {
  FakeReply forged = local("hunter2");
  forged.headers = {{"x-envoy-upstream-service-time", "3"}};
  EXPECT_EQ(reason(forged), "the answer's status is not 200 but 503") << "a host puts that on a service's own answer";
  for (const FakeReply& reply :
       {FakeReply{.status = 503, .body = "upstream connect error hunter2"},
        FakeReply{.status = 503, .body = "upstream request timeout hunter2"},
        FakeReply{.status = 503, .body = kConnect + std::string(5000, 'x')}, FakeReply{.status = 503, .body = ""}}) {
    EXPECT_EQ(reason(reply), "the answer's status is not 200 but 503");
  }
  EXPECT_EQ(reason({.status = 500, .body = std::string(kConnect) + "hunter2"}),
            "the answer's status is not 200 but 500");
  EXPECT_FALSE(host_.logged("hunter2"));
}

TEST_F(FailedFetchTest, HostsWordsAreOneBoundedLine) {
  EXPECT_EQ(reason(local("a\nforged\x7f\xc3\xa4")), "the proxy got no answer from the service: a?forged???");
  EXPECT_EQ(reason(local(std::string(1000, 'y'))).size(), 43u + 256u - 1u);
}

TEST_F(FailedFetchTest, CallThatCouldNotBeSentSaysWhatIsMissing) {
  EXPECT_EQ(
      reason({.refuse = true}),
      "the call could not be sent: no host of the cluster can be used (is one healthy, does its name resolve?): idp");
  host_.services.erase("idp");
  EXPECT_EQ(reason({}), "the call could not be sent: there is no such cluster: idp");
}

TEST_F(FailedFetchTest, ErrorOfATokenEndpointIsNamedWithItsDescription) {
  const auto refused = [](const std::string& body) { return FakeReply{.status = 401, .body = body}; };
  const std::string status = "the answer's status is not 200 but 401";
  EXPECT_EQ(reason(refused(R"({"error":"invalid_client","error_uri":"hunter2"})")), status + " (invalid_client)");
  EXPECT_EQ(reason(refused(R"({"error":"invalid_client","error_description":"supports client_secret_basic only"})")),
            status + " (invalid_client: supports client_secret_basic only)");
  EXPECT_EQ(reason(refused(R"({"error":"invalid_client","error_description":"a\nforged \u007f\u00e4"})")),
            status + " (invalid_client: a?forged ?\?\?)");
  EXPECT_EQ(reason(refused(R"({"error":"invalid_client","error_description":")" + std::string(1000, 'y') + "\"}")),
            status + " (invalid_client: " + std::string(256, 'y') + ")");
  for (const std::string& none :
       {std::string("5"), std::string("null"), std::string("\"\""), std::string("[\"hunter2\"]")}) {
    EXPECT_EQ(reason(refused(R"({"error":"invalid_client","error_description":)" + none + "}")),
              status + " (invalid_client)");
  }
  for (const std::string& error :
       {std::string("\"hunter2 with a space\""), std::string("[\"hunter2\"]"), std::string("5"), std::string("\"\""),
        std::string("\"hunter2\\nforged\""), std::string("\"hunter2\""), std::string("\"Hunter\""),
        "\"hunter" + std::string(60, 'x') + "\""}) {
    EXPECT_EQ(reason(refused("{\"error\":" + error + R"(,"error_description":"hunter2"})")), status) << error;
  }
  EXPECT_EQ(reason(refused("hunter2")), status);
  EXPECT_EQ(reason({.body = R"({"error":"slow_down"})"}),
            "the answer lacks a value that the headers are made of (slow_down)")
      << "some say so with a 200";
  EXPECT_FALSE(host_.logged("hunter2"));
}

TEST_F(FailedFetchTest, ErrorThatRepeatsASecretIsNotNamed) {
  const std::string config = R"({"sources": [{"name": "idp", "cluster": "idp", "path": "/token", "format": "oauth2",
    "request_headers": {"x-api-key": "of_the_header"}, "oauth2": {"grant_type": "password", "client_id": "id",
    "client_secret": "of_the_client", "username": "u", "password": "of_the_user",
    "endpoint_params": {"assertion": "of_the_parameter"}}}]})";
  const auto said = [&](const std::string& body) {
    reply_ = {.status = 401, .body = body};
    host_.logs.clear();
    const ContextId root = start(config);
    host_.advance(20ms);
    std::string found;
    for (const auto& log : host_.logs) found += log.text.substr(0, log.text.find(';')) + "\n";
    worker_.stop(root);
    host_.shared_data.clear();
    return found;
  };
  const std::string status = "source idp: fetch failed: the answer's status is not 200 but 401";
  for (const std::string secret : {"of_the_header", "of_the_client", "of_the_user", "of_the_parameter"}) {
    EXPECT_EQ(said("{\"error\":\"" + secret + "\"}"), status + "\n");
    for (const std::string& part :
         {secret, secret.substr(0, 8), secret.substr(secret.size() - 8), "<" + secret + ">"}) {
      EXPECT_EQ(said(R"({"error":"invalid_client","error_description":"no )" + part + " here\"}"),
                status + " (invalid_client)\n")
          << part;
    }
  }
  // As it stands in `authorization`: base64 of id:of_the_client.
  EXPECT_EQ(said(R"({"error":"invalid_client","error_description":"no aWQ6b2ZfdGhlX2NsaWVudA== here"})"),
            status + " (invalid_client)\n");
}

TEST_F(FailedFetchTest, ContentCodingIsNamed) {
  const FakeReply gzip = {.body = "\x1f\x8b\x08", .headers = {{"content-encoding", "gzip"}}};
  EXPECT_EQ(reason(gzip), "the answer's body is not a JSON object: it has a content coding, gzip");
  EXPECT_EQ(host_.calls[0].header("accept-encoding"), "identity");
  const FakeReply two = {.body = "\x1f\x8b\x08", .headers = {{"content-encoding", "gzip, br"}}};
  EXPECT_EQ(reason(two), "the answer's body is not a JSON object: it has a content coding, more than one");
}

TEST_F(FailedFetchTest, RetryAfterIsWaitedFor) {
  for (const uint32_t status : {429u, 503u}) {
    for (const Headers& headers :
         {Headers{{"retry-after", "10"}},
          Headers{{"retry-after", "Wed, 31 Jan 2024 00:00:10 GMT"}, {"date", "Wed, 31 Jan 2024 00:00:00 GMT"}}}) {
      reply_ = {.status = status, .headers = headers};
      const size_t before = host_.calls.size();
      const ContextId root = start(kToken);
      host_.advance(10s);
      EXPECT_EQ(host_.calls.size(), before + 1) << status;
      host_.advance(100ms);
      EXPECT_EQ(host_.calls.size(), before + 2) << status;
      worker_.stop(root);
      host_.shared_data.clear();
    }
  }
}

TEST_F(FailedFetchTest, RetryAfterIsBoundedAndCountsForThoseStatusesOnly) {
  const std::string config = R"({"sources": [{"name": "idp", "cluster": "idp", "path": "/token", "format": "oauth2",
    "refresh": {"retry": {"initial": "100ms", "max": "5s"}}, "oauth2": {"client_id": "id"}}]})";
  reply_ = {.status = 503, .headers = {{"retry-after", "86400"}}};
  ContextId root = start(config);
  host_.advance(21s);
  EXPECT_EQ(host_.calls.size(), 5u) << "retry.max, again and again";
  worker_.stop(root);
  host_.shared_data.clear();
  for (const FakeReply& reply : {FakeReply{.status = 500, .headers = {{"retry-after", "5"}}},
                                 FakeReply{.status = 503, .headers = {{"retry-after", "soon"}}},
                                 FakeReply{.status = 503, .headers = {{"retry-after", "0"}}}}) {
    reply_ = reply;
    const size_t before = host_.calls.size();
    root = start(config);
    host_.advance(1s);
    EXPECT_GE(host_.calls.size(), before + 3);
    worker_.stop(root);
    host_.shared_data.clear();
  }
}

TEST(HttpDate, IsReadAsItIsSent) {
  EXPECT_EQ(parse_http_date("Thu, 01 Jan 1970 00:00:00 GMT"), 0u);
  EXPECT_EQ(parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT"), 784'111'777u);
  EXPECT_EQ(parse_http_date("Thu, 29 Feb 2024 23:59:59 GMT"), 1'709'251'199u);
  EXPECT_EQ(parse_http_date("Fri, 01 Mar 2024 00:00:00 GMT"), 1'709'251'200u);
  EXPECT_EQ(parse_http_date("Sun, 31 Dec 2023 00:00:00 GMT"), 1'703'980'800u);
  for (const char* none :
       {"", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994", "Sun, 06 Foo 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 08:49:37 UTC", "Sun, 06 Nov 1994 08:49:37 GMT ", "Sun, 06 Nov 1969 08:49:37 GMT",
        "Sun, 0x Nov 1994 08:49:37 GMT", "Sun, 06 nBo 1994 08:49:37 GMT"}) {
    EXPECT_EQ(parse_http_date(none), std::nullopt) << none;
  }
}

TEST(RetryAfter, IsSecondsOrADate) {
  sdk::testing::FakeHost host;
  host.time_ns = 784'111'770'000'000'000;  // Sun, 06 Nov 1994 08:49:30 GMT
  constexpr const char* kDate = "Sun, 06 Nov 1994 08:49:37 GMT";
  EXPECT_EQ(read_retry_after_ms("120", ""), 120'000u);
  EXPECT_EQ(read_retry_after_ms(kDate, ""), 7'000u) << "by the host's clock";
  EXPECT_EQ(read_retry_after_ms(kDate, "Sun, 06 Nov 1994 08:49:00 GMT"), 37'000u) << "by the answer's";
  EXPECT_EQ(read_retry_after_ms(kDate, kDate), 0u);
  EXPECT_EQ(read_retry_after_ms("Sun, 06 Nov 1994 08:49:00 GMT", ""), 0u) << "past";
  EXPECT_GE(read_retry_after_ms(std::string(100, '9'), ""), 1'000'000'000'000u);
  for (const char* nothing : {"", "-1", "1.5", "10s", " 10", "Sun, 06 Nov 1994"}) {
    EXPECT_EQ(read_retry_after_ms(nothing, ""), 0u) << nothing;
  }
}

}  // namespace
}  // namespace inlay::header_augmenting
