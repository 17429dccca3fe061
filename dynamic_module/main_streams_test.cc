// SPDX-License-Identifier: Apache-2.0
#include "dynamic_module/main_streams.h"

#include <gmock/gmock.h>

#include "dynamic_module/fake_envoy_fixture.h"

namespace inlay::dynamic_module {
namespace {

using testing::ElementsAre;
using Kind = MainStreams::Event::Kind;

class MainStreamsTest : public testing::Test {
 protected:
  MainStreams::HandlePtr start(std::chrono::nanoseconds timeout = {}) {
    host::CallStreamRequest request;
    request.cluster = "auth";
    request.timeout = timeout;
    request.headers.add(":path", "/s/m");
    return streams_.start(std::move(request), [this](const MainStreams::Event& event) {
      seen_.push_back(std::to_string(static_cast<int>(event.kind)) + (event.end ? " end" : ""));
      last_ = event.fields;
      details_ = event.details;
    });
  }

  envoy::FilterConfig config_;
  MainThread main_{&config_};
  MainStreams streams_{&config_, main_};
  std::vector<std::string> seen_;
  http::HeaderMap last_;
  std::string details_;
};

TEST_F(MainStreamsTest, WhatIsSentAndWhatComesKeepTheirOrder) {
  const auto stream = start();
  streams_.send(stream, "one", false);
  streams_.send(stream, "two", true);
  EXPECT_TRUE(config_.calls.empty());  // not before the main thread has its turn
  main_.run();
  ASSERT_EQ(config_.calls.size(), 1u);
  EXPECT_EQ(config_.calls[0].body, "onetwo");
  EXPECT_TRUE(config_.calls[0].ended);
  const envoy::Field status{":status", "200"};
  const envoy::View chunk("answer");
  streams_.on_headers(1, &status, 1, false);
  streams_.on_data(1, &chunk, 1, false);
  streams_.on_trailers(1, &status, 1);
  streams_.on_end(1, false);
  EXPECT_THAT(seen_, ElementsAre("0", "1", "2 end"));
}

TEST_F(MainStreamsTest, WhatEnvoyAnswersWhenTheTimeIsOverHasItsDetails) {
  const envoy::Field late[] = {{":status", "200"}, {"grpc-message", "upstream request timeout"}};
  const auto early = start(std::chrono::hours(1));
  main_.run();
  streams_.on_headers(1, late, 2, true);
  EXPECT_EQ(details_, "via_upstream");
  const auto timed_out = start(std::chrono::nanoseconds(1));
  main_.run();
  streams_.on_headers(2, late, 2, true);
  EXPECT_EQ(details_, "response_timeout");
}

TEST_F(MainStreamsTest, NothingComesOfOneThatWasReset) {
  const auto stream = start();
  main_.run();
  streams_.reset(stream);
  main_.run();
  EXPECT_TRUE(config_.calls[0].reset);
  streams_.on_end(1, true);
  EXPECT_THAT(seen_, ElementsAre());
}

TEST_F(MainStreamsTest, AResetOfTheUpstreamIsTold) {
  const auto stream = start();
  main_.run();
  streams_.on_end(1, true);
  EXPECT_THAT(seen_, ElementsAre("3 end"));
  streams_.send(stream, "late", true);
  main_.run();
  EXPECT_EQ(config_.calls[0].body, "");
}

TEST_F(MainStreamsTest, OneThatEnvoyDoesNotTakeIsAnsweredInGrpcsForm) {
  config_.next_start = envoy::CallStart::kCannotCreate;
  const auto stream = start();
  main_.run();
  EXPECT_THAT(seen_, ElementsAre("0 end"));
  EXPECT_EQ(last_.get("grpc-status"), "14");
}

}  // namespace
}  // namespace inlay::dynamic_module
