// SPDX-License-Identifier: Apache-2.0
// How a stream ends before its time: local replies, resets, the client that leaves; and what is refused.
#include "proxy/downstream/filter_chain_fixture.h"

namespace inlay::proxy::downstream {
namespace {

using testing::FilterChainTest;
using testing::kEnd;

// A local reply from each request callback passes all encoder filters, the sender's too, and ends the request.
TEST_F(FilterChainTest, LocalReplyFromRequestCallbacks) {
  const std::string answer =
      " r.encode_headers(403) b.encode_headers(403) a.encode_headers(403) HEAD(403) r.encode_data(no,end) "
      "b.encode_data(no,end) a.encode_data(no,end) BODY(no,end)";
  const struct {
    const char* callback;
    const char* before;
  } table[] = {
      {"decode_headers", "a.decode_headers b.decode_headers"},
      {"decode_data", "a.decode_headers b.decode_headers r.decode_headers a.decode_data(1) b.decode_data(1)"},
      {"decode_trailers",
       "a.decode_headers b.decode_headers r.decode_headers a.decode_data(1) b.decode_data(1) r.decode_data(1) "
       "a.decode_trailers b.decode_trailers"},
  };
  for (const auto& row : table) {
    b().inside = {{row.callback, [&] { b().callbacks->send_local_reply(reply(403)); }}};
    chain_->decode_headers(false);
    data("1");
    chain_->decode_trailers();
    EXPECT_EQ(heard(), row.before + answer + kEnd) << row.callback;
    begin();
  }
}

// As the router has it when the filters start.
TEST_F(FilterChainTest, ARefusedUpgradeReachesNoFilterButItsAnswerDoes) {
  chain_->info().upgrade = Upgrade::kRefused;
  chain_->decode_headers(false);
  EXPECT_EQ(heard(), std::string("NO_UPGRADE r.encode_headers(403,end) b.encode_headers(403,end) "
                                 "a.encode_headers(403,end) HEAD(403,end)") +
                         kEnd);
  EXPECT_EQ(chain_->info().response_code_details, "upgrade_failed");
}

TEST_F(FilterChainTest, AnUpgradeThatIsLetThroughIsToldBeforeTheFiltersSeeIt) {
  chain_->info().upgrade = Upgrade::kAccepted;
  chain_->decode_headers(false);
  EXPECT_EQ(heard(), "UPGRADE a.decode_headers b.decode_headers r.decode_headers");
}

TEST_F(FilterChainTest, LocalReplyFromResponseHeadersReplacesTheResponse) {
  b().inside["encode_headers"] = [&] {
    b().inside.clear();
    b().callbacks->send_local_reply(reply(502));
  };
  chain_->decode_headers(true);
  heard();
  respond();
  EXPECT_EQ(heard(), std::string("r.encode_headers(200) b.encode_headers(200) HEAD(502) BODY(no,end)") + kEnd);
}

TEST_F(FilterChainTest, LocalReplyAfterTheHeadResets) {
  b().inside["encode_data"] = [&] { b().callbacks->send_local_reply(reply(502)); };
  chain_->decode_headers(true);
  respond();
  heard();
  respond_data("x");
  EXPECT_EQ(heard(), std::string("r.encode_data(x) b.encode_data(x) RESET") + kEnd);
}

TEST_F(FilterChainTest, AReplyBeforeTheHeadIsLoggedByTheFilters) {
  chain_->send_local_reply(reply(400, ""));
  EXPECT_EQ(heard(), std::string("r.encode_headers(400,end) b.encode_headers(400,end) a.encode_headers(400,end) "
                                 "HEAD(400,end)") +
                         kEnd);
}

TEST_F(FilterChainTest, AResponseWithoutAStatusBecomesA502) {
  a().inside["encode_headers"] = [&] { chain_->response_headers().remove(":status"); };
  chain_->decode_headers(true);
  heard();
  respond(true);
  EXPECT_EQ(heard(), std::string("r.encode_headers(200,end) b.encode_headers(200,end) a.encode_headers(200,end) "
                                 "HEAD(502) BODY(missing required header: :status,end)") +
                         kEnd);
}

TEST_F(FilterChainTest, ALocalReplyCanBeHeldByAFilter) {
  a().on_encode_headers = {HeadersStatus::kStopAllIterationAndBuffer};
  b().inside["decode_headers"] = [&] { b().callbacks->send_local_reply(reply(403)); };
  chain_->decode_headers(true);
  heard();
  respond(true);  // a router that answers late changes nothing
  EXPECT_EQ(heard(), "");
  a().callbacks->continue_encoding();
  EXPECT_EQ(heard(), std::string("HEAD(403) a.encode_data(no,end) BODY(no,end)") + kEnd);
}

TEST_F(FilterChainTest, ResetFromEveryCallback) {
  for (const char* callback : {"decode_headers", "decode_data", "encode_headers", "encode_data", "encode_trailers"}) {
    b().inside = {{callback, [&] { b().callbacks->reset_stream("test"); }}};
    chain_->decode_headers(false);
    data("1", true);
    if (!chain_->finished()) respond();
    if (!chain_->finished()) respond_data("x");
    if (!chain_->finished()) router().callbacks->encode_trailers();
    const std::string all = heard();
    const std::string expected = std::string(" RESET") + kEnd;
    EXPECT_TRUE(all.ends_with(expected)) << callback << ": " << all;
    EXPECT_EQ(chain_->info().response_code_details, "test");
    begin();
  }
}

TEST_F(FilterChainTest, NothingHappensAfterTheEnd) {
  chain_->decode_headers(true);
  FilterCallbacks* callbacks = b().callbacks;
  b().inside["destroy"] = [&] {
    callbacks->continue_decoding();
    callbacks->send_local_reply(reply(500));
    callbacks->reset_stream("late");
    callbacks->resume_request();
  };
  respond(true);
  heard();
  callbacks->encode_headers(true);
  chain_->finish();
  EXPECT_EQ(heard(), "");
}

// As a guest does, which has let it go itself.
TEST_F(FilterChainTest, AHeadThatAnotherFilterHoldsIsLookedAtWhenItIsSent) {
  a().on_encode_headers = {HeadersStatus::kStopIteration};
  chain_->decode_headers(true);
  respond();
  heard();
  HeaderMap& headers = *b().callbacks->response_headers();
  headers.add("x-bad", "1\r\nx-evil: 2");
  headers.spoil();
  a().callbacks->continue_encoding();
  EXPECT_EQ(heard(), std::string("HEAD(503) BODY(invalid header value for: x-bad,end)") + kEnd);
  EXPECT_EQ(chain_->info().response_code_details,
            "filter_removed_required_response_headers{invalid_header_value_for:_x-bad}");
}

TEST_F(FilterChainTest, TheClientLeavesInTheMiddle) {
  a().on_decode_headers = {HeadersStatus::kStopAllIterationAndWatermark};
  chain_->decode_headers(false);
  data("held");
  heard();
  chain_->finish();
  EXPECT_EQ(heard(), std::string(kEnd).substr(1));
}

TEST_F(FilterChainTest, PausesNest) {
  chain_->decode_headers(false);
  heard();
  router().callbacks->pause_request();
  b().callbacks->pause_request();
  router().callbacks->resume_request();
  EXPECT_EQ(heard(), "PAUSE");
  b().callbacks->resume_request();
  EXPECT_EQ(heard(), "RESUME");
}

TEST_F(FilterChainTest, ABufferedBodyCanBeChanged) {
  b().on_decode_data = {DataStatus::kStopIterationAndBuffer};
  chain_->decode_headers(false);
  data("secret");
  heard();
  b().callbacks->buffered_request_body()->clear();
  b().callbacks->buffered_request_body();
  b().inside["decode_data"] = [&] { EXPECT_EQ(b().callbacks->buffered_request_body(), nullptr); };
  data("x", true);
  EXPECT_EQ(heard(), "a.decode_data(x,end) b.decode_data(x,end) r.decode_data(x,end)");
}

}  // namespace
}  // namespace inlay::proxy::downstream
