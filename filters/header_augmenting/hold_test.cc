// SPDX-License-Identifier: Apache-2.0
// The long form at work: requests that come when there are no headers yet.
#include <string>
#include <vector>

#include "filters/header_augmenting/long_form_fixture.h"

namespace inlay::header_augmenting {
namespace {

TEST_F(LongFormTest, HeldRequestsGoOnInOrderOfArrival) {
  reply_ = {.delay_ms = 500};
  std::string config = kToken;
  config.insert(1, R"("when_missing": {"action": "hold"}, )");
  const auto root = start(config);
  FakeStream& first = worker_.open(root, {{":path", "/"}});
  FakeStream& gone = worker_.open(root, {{":path", "/"}});
  FakeStream& second = worker_.open(root, {{":path", "/"}, {"authorization", "forged"}});
  EXPECT_EQ(first.status, HeadersStatus::kStopAllIterationAndWatermark);
  worker_.close(gone);
  host_.advance(400ms);
  EXPECT_EQ(first.continued, 0u);
  host_.advance(110ms);
  EXPECT_EQ(first.continued, 1u);
  EXPECT_EQ(second.continued, 2u);
  EXPECT_EQ(first.header("authorization"), "Bearer t1");
  EXPECT_EQ(second.header("authorization"), "Bearer t1");
  EXPECT_EQ(token(root), "Bearer t1");
  worker_.close(first);
  worker_.close(second);
  host_.advance(1s);
  EXPECT_EQ(metric("held"), 3);
  EXPECT_EQ(metric("injected"), 3);
  EXPECT_EQ(metric("rejected"), 0);
}

TEST_F(LongFormTest, HeldRequestMayEndOthersWhenItGoesOn) {
  reply_ = {.delay_ms = 500};
  std::string config = kToken;
  config.insert(1, R"("when_missing": {"action": "hold"}, )");
  const auto root = start(config);
  std::vector<FakeStream*> streams;
  for (int i = 0; i < 5; ++i) streams.push_back(&worker_.open(root, {{":path", "/"}}));
  // The first to go on ends its neighbour and the last; the third brings another.
  FakeStream* late = nullptr;
  host_.on_continue = [&](FakeStream& stream) {
    if (&stream == streams[0]) {
      worker_.close(*streams[1]);
      worker_.close(*streams[4]);
    } else if (&stream == streams[2]) {
      late = &worker_.open(root, {{":path", "/"}});
    }
  };
  host_.advance(600ms);
  host_.on_continue = nullptr;
  EXPECT_EQ(streams[0]->continued, 1u);
  EXPECT_EQ(streams[2]->continued, 2u);
  EXPECT_EQ(streams[3]->continued, 3u);
  EXPECT_EQ(streams[3]->header("authorization"), "Bearer t1");
  ASSERT_NE(late, nullptr);
  EXPECT_EQ(late->status, HeadersStatus::kContinue);
  EXPECT_EQ(late->header("authorization"), "Bearer t1");
}

TEST_F(LongFormTest, HeldRequestOfAnEarlierConfigurationIsRejected) {
  reply_ = {.status = 500};
  std::string config = kToken;
  config.insert(1, R"("when_missing": {"action": "hold"}, )");
  const auto root = start(config);
  FakeStream& stream = worker_.open(root, {{":path", "/"}});
  host_.advance(100ms);
  EXPECT_EQ(stream.reply_status, 0u);
  EXPECT_TRUE(worker_.configure(root, kToken));
  EXPECT_EQ(stream.reply_status, 503u);
  worker_.close(stream);
}

TEST_F(LongFormTest, WhatPassesWithoutHeadersHasNoForgedOnesEither) {
  reply_ = {.status = 500};
  std::string config = kToken;
  config.insert(1, R"("when_missing": {"action": "pass"}, "rules": [{"match": {"path": "/set"}},
    {"match": {"path": "/absent"}, "mode": "if_absent"}], )");
  const auto root = start(config);
  EXPECT_EQ(worker_.request(root, {{":path", "/set"}, {"authorization", "forged"}}).header("authorization"), "");
  EXPECT_EQ(worker_.request(root, {{":path", "/absent"}, {"authorization", "mine"}}).header("authorization"), "mine");
  EXPECT_EQ(worker_.request(root, {{":path", "/other"}, {"authorization", "mine"}}).header("authorization"), "mine");
}

TEST_F(LongFormTest, NamesOfAnAnswerThatIsTooOldAreStillTheSources) {
  host_.services["keys"] = [this](const FakeCall&) {
    FakeReply reply = reply_;
    reply.body = R"({"x-key":"k"})";
    return reply;
  };
  const auto root = start(R"({"sources": [{"cluster": "keys", "max_stale": "0s", "refresh": {"every": "10s"}}],
    "when_missing": {"action": "pass"}})");
  host_.advance(1s);
  EXPECT_EQ(get(root).header("x-key"), "k");
  reply_ = {.status = 500};
  host_.advance(20s);
  EXPECT_EQ(get(root, {{"x-key", "forged"}}).header("x-key"), "");
  host_.advance(1s);
  EXPECT_EQ(metric("passed_without"), 1);
}

TEST_F(LongFormTest, HeldRequestsAreRejectedInTheEnd) {
  reply_ = {.status = 500};
  std::string config = kToken;
  config.insert(1, R"("when_missing": {"action": "hold", "hold_for": "1s", "max_held": 2, "status": 504}, )");
  const auto root = start(config);
  FakeStream& first = worker_.open(root, {{":path", "/"}});
  host_.advance(300ms);
  FakeStream& second = worker_.open(root, {{":path", "/"}});
  EXPECT_EQ(get(root).reply_status, 504u) << "one too many";
  host_.advance(650ms);
  EXPECT_EQ(first.reply_status, 0u);
  host_.advance(150ms);
  EXPECT_EQ(first.reply_status, 504u);
  EXPECT_EQ(second.reply_status, 0u);
  host_.advance(300ms);
  EXPECT_EQ(second.reply_status, 504u);
  EXPECT_EQ(first.continued + second.continued, 0u);
  worker_.close(first);
  worker_.close(second);
}

}  // namespace
}  // namespace inlay::header_augmenting
