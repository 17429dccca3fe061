// SPDX-License-Identifier: Apache-2.0
// The filter as a whole, over a fake host with virtual time: what its reference promises for the flat form.
#include "filters/header_augmenting/root.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "sdk/log.h"
#include "sdk/register.h"
#include "sdk/testing/fake_host.h"

namespace inlay::header_augmenting {
namespace {

using namespace std::chrono_literals;
using sdk::ContextId;
using sdk::testing::FakeCall;
using sdk::testing::FakeHost;
using sdk::testing::FakeReply;
using sdk::testing::FakeStream;
using sdk::testing::FakeWorker;

INLAY_REGISTER("*", ExchangingRoot, AugmentingStream);

constexpr const char* kTenSeconds = R"({"header_cache_expiry": "10s"})";

class FilterTest : public ::testing::Test {
 protected:
  FilterTest() {
    host_.services["sidecar"] = [this](const FakeCall&) {
      ++polls_;
      if (!answer_body_.empty())
        answer_.body = answer_body_;
      else
        answer_.body = R"({"authorization":"Bearer )" + std::to_string(polls_) + "\"}";
      return answer_;
    };
  }

  ContextId start(FakeWorker& worker, std::string_view configuration = kTenSeconds) {
    return worker.start("any_root_id", configuration);
  }
  static FakeStream get(FakeWorker& worker, ContextId root, sdk::testing::Headers headers = {}) {
    headers.insert(headers.begin(), {":path", "/"});
    return worker.request(root, std::move(headers));
  }
  int64_t metric(const std::string& name) const { return host_.metric("header_augmenting." + name); }

  // provider_is: how the provider answers from now on; without a body, a new token each time.
  void provider_is(FakeReply reply, std::string body = {}) {
    answer_ = std::move(reply);
    answer_body_ = std::move(body);
  }

  int polls_ = 0;
  FakeReply answer_;
  std::string answer_body_;
  FakeHost host_;
  FakeWorker& worker_ = host_.add_worker();
};

TEST_F(FilterTest, AsksAsConfiguredAndSetsWhatItGot) {
  host_.services["tokens"] = [](const FakeCall&) { return FakeReply{.body = R"({"X-Key":"k","x-tenant":"t"})"}; };
  const auto root = start(worker_, R"({"header_providing_service_cluster": "tokens",
    "header_providing_service_authority": "tokens.local", "header_providing_service_path": "/v1/headers"})");
  ASSERT_NE(root, 0u);
  EXPECT_TRUE(host_.calls.empty()) << "a configuration may only be on trial";
  host_.advance(100ms);
  ASSERT_EQ(host_.calls.size(), 1u);
  EXPECT_EQ(host_.calls[0].header(":method"), "GET");
  EXPECT_EQ(host_.calls[0].header(":path"), "/v1/headers");
  EXPECT_EQ(host_.calls[0].header(":authority"), "tokens.local");
  const FakeStream stream = get(worker_, root);
  EXPECT_EQ(stream.status, sdk::HeadersStatus::kContinue);
  EXPECT_EQ(stream.header("x-key"), "k");
  EXPECT_EQ(stream.header("x-tenant"), "t");
}

TEST_F(FilterTest, AWorkerThatStartsLaterUsesWhatIsThereFromItsFirstRequestOn) {
  start(worker_);
  host_.advance(1s);
  FakeWorker& second = host_.add_worker();
  const auto root = start(second);
  const FakeStream stream = get(second, root);  // before the worker's first tick
  EXPECT_EQ(stream.status, sdk::HeadersStatus::kContinue);
  EXPECT_EQ(stream.header("authorization"), "Bearer 1");
  EXPECT_EQ(polls_, 1);
}

TEST_F(FilterTest, HotPathIsOneHostCallForEachHeaderAndOneForTheMethod) {
  provider_is({}, R"({"a":"1","b":"2","c":"3"})");
  const auto root = start(worker_);
  host_.advance(1s);
  EXPECT_EQ(get(worker_, root).host_calls, 1u + 3u);
}

TEST_F(FilterTest, CallsOfARequestAreThose) {
  provider_is({}, R"({"authorization":"Bearer 1","x-tenant":"t"})");
  const auto root = start(worker_);
  host_.advance(1s);
  const FakeStream stream = get(worker_, root, {{":method", "GET"}, {"x_tenant", "forged"}});
  using Calls = std::vector<std::string>;
  EXPECT_EQ(stream.header_calls, (Calls{"get :method", "remove x_tenant", "set authorization", "set x-tenant"}));
  EXPECT_EQ(stream.host_calls, stream.header_calls.size()) << "and no other";
  EXPECT_EQ(get(worker_, root, {{":method", "TRACE"}}).header_calls, (Calls{"get :method", "pairs"}));
}

TEST_F(FilterTest, AliasesCostOneHostCallEachOrOneForTheRequest) {
  for (const auto& [name, calls] : {std::pair("x-tenant", 1u), std::pair("x_api-key", 3u), std::pair("a-b-c-d", 7u),
                                    std::pair("a-b-c-d-e", 1u), std::pair("a-b-c-d-e-f-g-h-i-j-k-l", 1u)}) {
    provider_is({}, R"({")" + std::string(name) + R"(":"1"})");
    const auto root = start(worker_, R"({"header_cache_expiry": "10s"})");
    host_.advance(30s);
    EXPECT_EQ(get(worker_, root).host_calls, 1u + 1u + calls) << name;
    worker_.stop(root);
  }
}

TEST_F(FilterTest, ForgedHeaderIsReplaced) {
  const auto root = start(worker_);
  host_.advance(1s);
  const auto stream = get(worker_, root, {{"authorization", "Bearer forged"}, {"authorization", "Bearer twice"}});
  EXPECT_EQ(stream.header("authorization"), "Bearer 1");
}

TEST_F(FilterTest, OneFetchAnIntervalForAllWorkers) {
  FakeWorker& second = host_.add_worker();
  FakeWorker& third = host_.add_worker();
  const auto a = start(worker_);
  const auto b = start(second);
  const auto c = start(third);
  host_.advance(200ms);
  EXPECT_EQ(polls_, 1);
  for (auto [worker, root] : {std::pair(&worker_, a), std::pair(&second, b), std::pair(&third, c)}) {
    EXPECT_EQ(get(*worker, root).header("authorization"), "Bearer 1");
  }
  host_.advance(100s);
  EXPECT_GE(polls_, 10);
  EXPECT_LE(polls_, 12) << "ten intervals, each up to a tenth shorter";
  host_.advance(500ms);
  const std::string newest = "Bearer " + std::to_string(polls_);
  EXPECT_EQ(get(worker_, a).header("authorization"), newest);
  EXPECT_EQ(get(second, b).header("authorization"), newest);
}

TEST_F(FilterTest, NewVersionReachesOtherWorkersOnTheirTick) {
  FakeWorker& second = host_.add_worker();
  start(worker_);
  const auto b = start(second);
  host_.advance(11s);
  EXPECT_EQ(polls_, 2);
  EXPECT_EQ(get(second, b).header("authorization"), "Bearer 2");
}

TEST_F(FilterTest, LifetimeThatTheAnswerGivesWins) {
  provider_is({.headers = {{"cache-control", "private, max-age=100"}}});
  start(worker_);
  host_.advance(79s);
  EXPECT_EQ(polls_, 1) << "not every 10 s";
  host_.advance(12s);
  EXPECT_EQ(polls_, 2) << "20 % before the end, or up to 10 % later";
}

TEST_F(FilterTest, WorkerThatDiesWhileFetchingIsReplacedWithinTwoLeaseTimes) {
  provider_is({.silent = true});
  FakeWorker& second = host_.add_worker();
  const auto a = start(worker_);
  host_.advance(100ms);
  ASSERT_EQ(polls_, 1);
  const auto b = start(second);
  host_.advance(1s);
  EXPECT_EQ(polls_, 1) << "the first still has the lease";
  worker_.kill();
  (void)a;
  provider_is({});
  host_.advance(11s);
  EXPECT_EQ(polls_, 2);
  EXPECT_EQ(get(second, b).header("authorization"), "Bearer 2");
}

TEST_F(FilterTest, WorkerThatStopsWhileFetchingHandsOverAtOnce) {
  provider_is({.delay_ms = 4000});
  FakeWorker& second = host_.add_worker();
  const auto a = start(worker_);
  host_.advance(100ms);
  const auto b = start(second);
  host_.advance(100ms);
  provider_is({});
  worker_.stop(a);
  host_.advance(200ms);
  EXPECT_EQ(polls_, 2);
  EXPECT_EQ(get(second, b).header("authorization"), "Bearer 2");
}

TEST_F(FilterTest, AnswerThatNeverComesIsNotWaitedForForEver) {
  provider_is({.silent = true});
  const auto root = start(worker_);
  host_.advance(5s);
  provider_is({});
  host_.advance(2s);
  EXPECT_EQ(get(worker_, root).header("authorization"), "Bearer " + std::to_string(polls_));
  EXPECT_EQ(metric("default.fetch_failed.no_answer"), 1);
}

TEST_F(FilterTest, ProviderDownThenUp) {
  provider_is({.status = 503, .body = "upstream connect error"});
  const auto root = start(worker_);
  host_.advance(60s);
  EXPECT_GE(polls_, 4) << "it goes on trying";
  EXPECT_LE(polls_, 40) << "ever more slowly";
  EXPECT_EQ(get(worker_, root).reply_status, 503u);
  provider_is({});
  host_.advance(31s);
  EXPECT_EQ(get(worker_, root).header("authorization"), "Bearer " + std::to_string(polls_));
  EXPECT_EQ(metric("default.fetch_ok"), 1 + (polls_ - 1 - metric("default.fetch_failed.status")));
  EXPECT_TRUE(host_.logged("the answer's status is not 200 but 503"));
}

TEST_F(FilterTest, LastGoodHeadersStayWhileTheProviderFails) {
  const auto root = start(worker_);
  host_.advance(1s);
  provider_is({.refuse = true});
  host_.advance(300s);
  const auto stream = get(worker_, root);
  EXPECT_EQ(stream.header("authorization"), "Bearer 1");
  host_.advance(1s);
  EXPECT_EQ(metric("stale_used"), 1);
  EXPECT_GT(metric("default.fetch_failed.not_sent"), 5);
  EXPECT_EQ(metric("default.expires_in_s"), 0);
  EXPECT_NEAR(static_cast<double>(metric("default.age_s")), 301, 3);
  provider_is({});
  host_.advance(31s);
  EXPECT_EQ(get(worker_, root).header("authorization"), "Bearer " + std::to_string(polls_));
}

TEST_F(FilterTest, RetriesAreSharedByAllWorkers) {
  provider_is({.status = 500});
  for (int i = 0; i < 3; ++i) start(host_.add_worker());
  start(worker_);
  host_.advance(120s);
  EXPECT_LE(polls_, 60);
}

struct Failure {
  const char* name;
  FakeReply reply;
  std::string body;
};

TEST_F(FilterTest, EveryFailureIsCountedByItsReasonAndRetried) {
  const std::vector<Failure> failures = {
      {"not_sent", {.refuse = true}, ""},
      {"no_answer", {.reset = true}, ""},
      {"status", {.status = 404}, ""},
      {"status", {.status = 204}, ""},
      {"bad_json", {}, "<html>hunter2"},
      {"bad_json", {}, "[]"},
      {"too_large", {}, std::string(10'000'000, 'x')},
      {"too_large", {}, R"({"a":")" + std::string(65'536, 'x') + "\"}"},
      {"no_headers", {}, R"({"host":"hunter2"})"},
  };
  const auto root = start(worker_);
  host_.advance(1s);
  for (const Failure& failure : failures) {
    const int64_t before = metric(std::string("default.fetch_failed.") + failure.name);
    provider_is(failure.reply, failure.body);
    host_.advance(12s);
    EXPECT_GT(metric(std::string("default.fetch_failed.") + failure.name), before) << failure.name;
    EXPECT_EQ(get(worker_, root).header("authorization").substr(0, 7), "Bearer ") << failure.name;
    provider_is({});
    host_.advance(31s);
    EXPECT_EQ(get(worker_, root).header("authorization"), "Bearer " + std::to_string(polls_)) << failure.name;
  }
  EXPECT_FALSE(host_.logged("hunter2"));
}

TEST_F(FilterTest, TimeOutIsAFailedFetch) {
  provider_is({.delay_ms = 60'000});
  const auto root = start(worker_);
  host_.advance(6s);
  EXPECT_EQ(metric("default.fetch_failed.unreachable"), 1);
  EXPECT_TRUE(host_.logged("the proxy got no answer from the service: upstream request timeout"));
  EXPECT_EQ(get(worker_, root).reply_status, 503u);
}

TEST_F(FilterTest, MissingClusterIsRetried) {
  host_.services.erase("sidecar");
  const auto root = start(worker_);
  host_.advance(10s);
  EXPECT_GT(metric("default.fetch_failed.not_sent"), 3);
  host_.services["sidecar"] = [](const FakeCall&) { return FakeReply{.body = R"({"a":"b"})"}; };
  host_.advance(31s);
  EXPECT_EQ(get(worker_, root).header("a"), "b");
}

TEST_F(FilterTest, RejectsWhileThereAreNoHeaders) {
  provider_is({.status = 500});
  const auto root = start(worker_, R"({"when_missing": {"status": 429, "body": "soon", "retry-after": "2s"}})");
  const auto stream = get(worker_, root, {{"authorization", "Bearer forged"}});
  EXPECT_EQ(stream.status, sdk::HeadersStatus::kStopIteration);
  EXPECT_EQ(stream.reply_status, 429u);
  EXPECT_EQ(stream.reply_body, "soon");
  EXPECT_EQ(stream.reply_headers, (sdk::testing::Headers{{"retry-after", "2"}}));
  EXPECT_EQ(stream.reply_details, "header_augmenting_no_headers_yet");
  host_.advance(1s);
  EXPECT_EQ(metric("rejected"), 1);
  EXPECT_EQ(metric("injected"), 0);
}

TEST_F(FilterTest, RejectionIsOneLineForGrpc) {
  provider_is({.status = 500});
  auto root = start(worker_);
  const auto body = [&](const char* type) { return get(worker_, root, {{"content-type", type}}).reply_body; };
  EXPECT_EQ(body("application/grpc"), "the headers that this request needs are not available yet");
  EXPECT_EQ(body("text/plain"), body("application/grpc"));
  root = start(worker_, R"({"when_missing": {"body": "soon\r\nor later\n"}})");
  EXPECT_EQ(body("application/grpc"), "soon");
  EXPECT_EQ(body("application/grpc-web+proto"), "soon");
  EXPECT_EQ(body("application/json"), "soon\r\nor later\n") << "as it is configured";
}

TEST_F(FilterTest, PassesWhileThereAreNoHeaders) {
  const auto root = start(worker_, R"({"when_missing": {"action": "pass"}})");
  const auto stream = get(worker_, root);
  EXPECT_EQ(stream.status, sdk::HeadersStatus::kContinue);
  EXPECT_EQ(stream.reply_status, 0u);
  EXPECT_EQ(stream.header("authorization"), "");
  host_.advance(1s);
  EXPECT_EQ(metric("passed_without"), 1);
  EXPECT_EQ(get(worker_, root).header("authorization"), "Bearer 1");
}

TEST_F(FilterTest, RequestsAreCounted) {
  const auto root = start(worker_);
  host_.advance(1s);
  for (int i = 0; i < 5; ++i) get(worker_, root);
  host_.advance(1s);
  EXPECT_EQ(metric("injected"), 5);
  for (int i = 0; i < 2; ++i) get(worker_, root);
  worker_.stop(root);
  EXPECT_EQ(metric("injected"), 7) << "counts are handed over with the last breath";
}

TEST_F(FilterTest, BadConfigurationIsRefusedWithOneLine) {
  EXPECT_EQ(start(worker_, R"({"header_cache_expiry": 10})"), 0u);
  ASSERT_EQ(host_.logs.size(), 1u);
  EXPECT_EQ(host_.logs[0].level, sdk::LogLevel::kError);
  host_.advance(10s);
  EXPECT_TRUE(host_.calls.empty());
}

TEST_F(FilterTest, PluginsWithDifferentConfigurationsDoNotMix) {
  host_.services["other"] = [](const FakeCall&) { return FakeReply{.body = R"({"x-other":"o"})"}; };
  const auto a = start(worker_);
  const auto b = start(worker_, R"({"header_providing_service_cluster": "other"})");
  host_.advance(1s);
  EXPECT_EQ(get(worker_, a).header("authorization"), "Bearer 1");
  EXPECT_EQ(get(worker_, a).header("x-other"), "");
  EXPECT_EQ(get(worker_, b).header("x-other"), "o");
  EXPECT_EQ(get(worker_, b).header("authorization"), "");
}

TEST_F(FilterTest, PluginsWithTheSameSourceShareOneFetch) {
  const auto a = start(worker_);
  const auto b = start(worker_, R"({"header_cache_expiry": "10s", "when_missing": {"action": "pass"}})");
  host_.advance(1s);
  EXPECT_EQ(polls_, 1);
  EXPECT_EQ(get(worker_, a).header("authorization"), "Bearer 1");
  EXPECT_EQ(get(worker_, b).header("authorization"), "Bearer 1");
}

TEST_F(FilterTest, WorksOnAHostWithoutSharedData) {
  host_.has_shared_data = false;
  FakeWorker& second = host_.add_worker();
  const auto a = start(worker_);
  const auto b = start(second);
  host_.advance(21s);
  EXPECT_EQ(get(worker_, a).header("authorization").substr(0, 7), "Bearer ");
  EXPECT_EQ(get(second, b).header("authorization").substr(0, 7), "Bearer ");
  EXPECT_LE(polls_, 6);
}

TEST_F(FilterTest, StepsOfTheWallClockChangeNothing) {
  const auto root = start(worker_);
  host_.advance(1s);
  for (const int64_t step : {86'400'000'000'000, -86'400'000'000'000, INT64_C(0)}) {
    host_.wall_step_ns = step;
    host_.advance(2s);
    EXPECT_EQ(get(worker_, root).header("authorization"), "Bearer 1");
    EXPECT_EQ(polls_, 1);
  }
  host_.advance(4s);
  EXPECT_EQ(polls_, 2);
  host_.advance(500ms);
  EXPECT_EQ(metric("stale_used"), 0);
}

TEST_F(FilterTest, WhereThereIsOnlyAWallClockSettingItBackDoesNotStopTheRefresh) {
  host_.has_steady_clock = false;
  start(worker_);
  host_.advance(1s);
  host_.wall_step_ns = -86'400'000'000'000;
  host_.advance(2s);
  EXPECT_EQ(polls_, 2);
}

TEST_F(FilterTest, NoSecretIsEverLoggedOrNamed) {
  provider_is({}, R"({"authorization":"hunter2","host":"hunter2","x":["hunter2"]})");
  const auto root = start(worker_);
  host_.advance(30s);
  get(worker_, root, {{"cookie", "hunter2"}});
  provider_is({.status = 500}, "hunter2");
  host_.advance(30s);
  EXPECT_FALSE(host_.logged("hunter2"));
  for (const auto& [name, value] : host_.metrics) EXPECT_EQ(name.find("hunter2"), std::string::npos);
  for (const auto& [key, value] : host_.shared_data) EXPECT_EQ(key.find("sidecar"), std::string::npos);
}

TEST_F(FilterTest, ManyStreamsAtOnceAreKeptApart) {
  const auto root = start(worker_);
  host_.advance(1s);
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(get(worker_, root).header("authorization"), "Bearer 1");
}

}  // namespace
}  // namespace inlay::header_augmenting
