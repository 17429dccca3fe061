// SPDX-License-Identifier: Apache-2.0
// Exchanges on several workers: one call a subject and lifetime, whoever is asked first, and whoever dies.
#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "filters/header_augmenting/exchange_fixture.h"

namespace inlay::header_augmenting {
namespace {

class ExchangeWorkersTest : public ExchangeTest {
 protected:
  void start_workers(size_t count, const std::string& config) {
    workers_ = {{&worker_, start(config)}};
    while (workers_.size() < count) {
      FakeWorker& worker = host_.add_worker();
      workers_.emplace_back(&worker, start(worker, config));
    }
  }
  FakeStream& ask_at(size_t worker, const std::string& token) {
    return workers_[worker].first->open(workers_[worker].second, bearing(token));
  }
  FakeStream get_at(size_t worker, const std::string& token) {
    return get(*workers_[worker].first, workers_[worker].second, token);
  }
  std::vector<std::pair<FakeWorker*, ContextId>> workers_;
};

TEST_F(ExchangeWorkersTest, HundredRequestsAtOnceAreOneCall) {
  start_workers(4, exchange_config());
  std::vector<FakeStream*> streams;
  for (size_t i = 0; i < 100; ++i) streams.push_back(&ask_at(i % 4, "alice"));
  host_.advance(20ms);
  for (const FakeStream* stream : streams) {
    EXPECT_FALSE(stream->request_held) << "a queue tells the other workers at once";
    EXPECT_EQ(stream->header("authorization"), "Bearer alice:1");
  }
  EXPECT_EQ(host_.calls.size(), 1u);
  EXPECT_EQ(count("miss"), 1);
  EXPECT_EQ(count("waited"), 100);
}

TEST_F(ExchangeWorkersTest, OthersFindWhatOneHasAskedFor) {
  start_workers(3, exchange_config());
  EXPECT_EQ(get_at(0, "alice").header("authorization"), "Bearer alice:1");
  FakeStream& other = ask_at(2, "alice");
  EXPECT_FALSE(other.request_held);
  EXPECT_EQ(other.header("authorization"), "Bearer alice:1");
  EXPECT_EQ(host_.calls.size(), 1u);
}

TEST_F(ExchangeWorkersTest, WithoutSharedDataEachAsksForItself) {
  host_.has_shared_data = false;
  start_workers(2, exchange_config());
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(get_at(0, "alice").header("authorization"), "Bearer alice:1");
    EXPECT_EQ(get_at(1, "alice").header("authorization"), "Bearer alice:2");
  }
  EXPECT_EQ(host_.calls.size(), 2u);
}

TEST_F(ExchangeWorkersTest, TenThousandSubjectsCostACallEach) {
  start_workers(2, exchange_config(R"(, "cache": {"entries": 32768})"));
  reply_.delay_ms = 0;
  expires_in_ = "3600";
  for (int round = 0; round < 3; ++round) {
    for (size_t i = 0; i < 10'000; ++i) {
      FakeStream& stream = ask_at((i + static_cast<size_t>(round)) % 2, "subject-" + std::to_string(i));
      if (stream.request_held) host_.advance(1ms);
      ASSERT_EQ(stream.reply_status, 0u);
      ASSERT_FALSE(stream.request_held);
      workers_[(i + static_cast<size_t>(round)) % 2].first->close(stream);
    }
  }
  EXPECT_GE(host_.calls.size(), 10'000u);
  EXPECT_LE(host_.calls.size(), 10'200u);
  EXPECT_LE(host_.shared_data.size(), 4096u + 1);
}

TEST_F(ExchangeWorkersTest, RenewalIsOneCallForAll) {
  start_workers(4, exchange_config());
  for (size_t i = 0; i < 4; ++i) EXPECT_EQ(get_at(i, "alice").header("authorization"), "Bearer alice:1");
  host_.advance(262s);
  for (int i = 0; i < 40; ++i) {
    for (size_t w = 0; w < 4; ++w) EXPECT_EQ(get_at(w, "alice").reply_status, 0u);
    host_.advance(500ms);
  }
  EXPECT_EQ(issued_["alice"], 2);
  for (size_t i = 0; i < 4; ++i) EXPECT_EQ(get_at(i, "alice").header("authorization"), "Bearer alice:2");
}

TEST_F(ExchangeWorkersTest, WorkerThatDiesIsReplacedByAnother) {
  reply_ = {.silent = true};
  start_workers(2, exchange_config());
  (void)ask_at(0, "alice");
  workers_[0].first->kill();
  reply_ = {};
  FakeStream& waiting = ask_at(1, "alice");
  EXPECT_TRUE(waiting.request_held);
  host_.advance(6s);
  EXPECT_TRUE(waiting.request_held) << "the other may still ask";
  FakeStream& late = ask_at(1, "alice");
  host_.advance(600ms);
  EXPECT_EQ(waiting.header("authorization"), "Bearer alice:2");
  EXPECT_EQ(late.header("authorization"), "Bearer alice:2");
}

TEST_F(ExchangeWorkersTest, NewConfigurationTakesOverWhatIsStillRight) {
  start_workers(1, exchange_config());
  EXPECT_EQ(get_at(0, "alice").header("authorization"), "Bearer alice:1");
  ASSERT_TRUE(worker_.configure(workers_[0].second, exchange_config(R"(, "timeout": "5s")") + " "));
  EXPECT_EQ(get_at(0, "alice").header("authorization"), "Bearer alice:1") << "it asks for the same";
  ASSERT_TRUE(worker_.configure(workers_[0].second, exchange_config("", R"(, "audience": "other")")));
  EXPECT_EQ(get_at(0, "alice").header("authorization"), "Bearer alice:2");
  EXPECT_EQ(host_.calls.size(), 2u);
}

TEST_F(ExchangeWorkersTest, NewConfigurationAnswersWhoWaits) {
  reply_ = {.silent = true};
  start_workers(1, exchange_config());
  FakeStream& waiting = ask_at(0, "alice");
  host_.advance(1s);
  ASSERT_TRUE(worker_.configure(workers_[0].second, exchange_config("", R"(, "audience": "other")")));
  EXPECT_EQ(waiting.reply_status, 503u);
  reply_ = {};
  EXPECT_EQ(get_at(0, "alice").reply_status, 0u);
}

TEST_F(ExchangeWorkersTest, AssertionIsUsedOnce) {
  std::vector<std::string> used;
  on_call_ = [&](const FakeCall& call) {
    if (std::find(used.begin(), used.end(), call.body) != used.end())
      reply_ = {.status = 400, .body = R"({"error":"invalid_grant","error_description":"Token reuse detected"})"};
    used.push_back(call.body);
  };
  start_workers(4, exchange_config("", "", "jwt_bearer"));
  expires_in_ = "60";
  for (int i = 0; i < 500; ++i) {
    const FakeStream stream = get_at(static_cast<size_t>(i) % 4, "alice");
    ASSERT_EQ(stream.reply_status, 0u) << i;
    // As upstreams may do: there is no other token for the same.
    FakeStream& refused = ask_at(static_cast<size_t>(i) % 4, "alice");
    workers_[static_cast<size_t>(i) % 4].first->respond(refused, {{":status", "401"}});
    workers_[static_cast<size_t>(i) % 4].first->close(refused);
    host_.advance(100ms);
  }
  EXPECT_EQ(used.size(), 1u);
  EXPECT_EQ(host_.calls[0].body, "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=alice");
  host_.advance(10s);
  EXPECT_EQ(get_at(0, "alice").reply_status, 401u) << "its token is over, and it is of no use a second time";
  EXPECT_EQ(get_at(1, "bob").reply_status, 401u) << "as the service says from now on";
  reply_ = {};
  EXPECT_EQ(get_at(1, "carol").reply_status, 0u);
}

TEST_F(ExchangeWorkersTest, SetsAreBoundedInBytesAndInEntries) {
  start_workers(2, exchange_config(R"(, "cache": {"entries": 8, "bytes": 65536})"));
  reply_.delay_ms = 0;
  const std::string long_name(3000, 'x');
  for (size_t i = 0; i < 500; ++i) {
    FakeStream& stream = ask_at(i % 2, long_name + std::to_string(i));
    if (stream.request_held) host_.advance(1ms);
    ASSERT_EQ(stream.reply_status, 0u);
    workers_[i % 2].first->close(stream);
  }
  size_t bytes = 0;
  for (const auto& [key, value] : host_.shared_data) bytes += value.first.size();
  EXPECT_LE(bytes, 65536u + 2048u);
  EXPECT_LE(host_.shared_data.size(), 3u);
  EXPECT_LE(count("entries"), 16);
  EXPECT_GE(count("evicted"), 400);
}

TEST_F(ExchangeWorkersTest, GarbageInTheSharedDataCountsAsNothing) {
  start_workers(1, exchange_config(R"(, "cache": {"entries": 4})"));
  EXPECT_EQ(get_at(0, "alice").reply_status, 0u);
  for (const std::string& garbage : {std::string(), std::string("IHX1"), std::string("IHX1") + std::string(71, '\xff'),
                                     std::string("IHX1") + std::string(400, '\xff'), std::string(1000, '\0')}) {
    for (auto& [key, value] : host_.shared_data) {
      if (!key.ends_with("queues")) value.first = garbage;
    }
    FakeWorker& worker = host_.add_worker();
    const auto root = start(worker, exchange_config(R"(, "cache": {"entries": 4})"));
    EXPECT_EQ(get(worker, root, "alice").reply_status, 0u);
    worker.stop(root);
  }
}

}  // namespace
}  // namespace inlay::header_augmenting
