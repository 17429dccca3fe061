// SPDX-License-Identifier: Apache-2.0
// The matrix of filter statuses (Envoy's filter manager): what goes on, what waits, what is buffered.
#include "proxy/downstream/filter_chain_fixture.h"

namespace inlay::proxy::downstream {
namespace {

using testing::FilterChainTest;
using testing::kEnd;

TEST_F(FilterChainTest, AllContinue) {
  chain_->decode_headers(false);
  data("1");
  data("2", true);
  EXPECT_EQ(heard(),
            "a.decode_headers b.decode_headers r.decode_headers a.decode_data(1) b.decode_data(1) r.decode_data(1) "
            "a.decode_data(2,end) b.decode_data(2,end) r.decode_data(2,end)");
  respond();
  respond_data("x");
  respond_data("y", true);
  EXPECT_EQ(heard(), std::string("r.encode_headers(200) b.encode_headers(200) a.encode_headers(200) HEAD(200) "
                                 "r.encode_data(x) b.encode_data(x) a.encode_data(x) BODY(x) r.encode_data(y,end) "
                                 "b.encode_data(y,end) a.encode_data(y,end) BODY(y,end)") +
                         kEnd);
}

TEST_F(FilterChainTest, TrailersPassInBothDirections) {
  chain_->decode_headers(false);
  chain_->request_trailers().add("t", "1");
  chain_->decode_trailers();
  respond();
  router().callbacks->response_trailers_storage().add("u", "2");
  router().callbacks->encode_trailers();
  EXPECT_EQ(heard(),
            std::string("a.decode_headers b.decode_headers r.decode_headers a.decode_trailers b.decode_trailers "
                        "r.decode_trailers r.encode_headers(200) b.encode_headers(200) a.encode_headers(200) HEAD(200) "
                        "r.encode_trailers b.encode_trailers a.encode_trailers TRAILERS(1)") +
                kEnd);
}

TEST_F(FilterChainTest, AFilterThatTakesNoPartHearsNothing) {
  a().takes_part = false;
  chain_->decode_headers(true);
  respond(true);
  EXPECT_EQ(heard(),
            "b.decode_headers(end) r.decode_headers(end) r.encode_headers(200,end) b.encode_headers(200,end) "
            "HEAD(200,end) b.log r.log b.destroy r.destroy FINISHED");
}

TEST_F(FilterChainTest, StopIterationStillHearsTheBody) {
  a().on_decode_headers = {HeadersStatus::kStopIteration};
  a().on_decode_data = {DataStatus::kStopIterationAndBuffer, DataStatus::kContinue};
  chain_->decode_headers(false);
  data("1");
  EXPECT_EQ(heard(), "a.decode_headers a.decode_data(1)");
  data("2", true);
  EXPECT_EQ(heard(),
            "a.decode_data(1+2,end) b.decode_headers r.decode_headers b.decode_data(12,end) "
            "r.decode_data(12,end)");
}

TEST_F(FilterChainTest, StopIterationWithoutBodyWaits) {
  b().on_decode_headers = {HeadersStatus::kStopIteration};
  chain_->decode_headers(true);
  EXPECT_EQ(heard(), "a.decode_headers(end) b.decode_headers(end)");
  b().callbacks->continue_decoding();
  b().callbacks->continue_decoding();
  EXPECT_EQ(heard(), "r.decode_headers(end)");
}

TEST_F(FilterChainTest, StopAllResumesAtTheSameFiltersBody) {
  for (auto status : {HeadersStatus::kStopAllIterationAndBuffer, HeadersStatus::kStopAllIterationAndWatermark}) {
    a().on_decode_headers = {status};
    chain_->decode_headers(false);
    data("1");
    data("2");
    chain_->request_trailers().add("t", "1");
    chain_->decode_trailers();
    EXPECT_EQ(heard(), "a.decode_headers");
    a().callbacks->continue_decoding();
    EXPECT_EQ(heard(),
              "b.decode_headers r.decode_headers a.decode_data(12) b.decode_data(12) r.decode_data(12) "
              "a.decode_trailers b.decode_trailers r.decode_trailers");
    chain_->finish();
    heard();
    begin();
  }
}

TEST_F(FilterChainTest, ASecondFilterStopsAfterTheFirst) {
  a().on_decode_data = {DataStatus::kStopIterationAndBuffer};
  b().on_decode_headers = {HeadersStatus::kStopAllIterationAndWatermark};
  chain_->decode_headers(false);
  data("1");
  EXPECT_EQ(heard(), "a.decode_headers b.decode_headers a.decode_data(1)");
  a().callbacks->continue_decoding();
  EXPECT_EQ(heard(), "");
  data("2", true);
  EXPECT_EQ(heard(), "a.decode_data(2,end)");
  b().callbacks->continue_decoding();
  EXPECT_EQ(heard(), "r.decode_headers b.decode_data(12,end) r.decode_data(12,end)");
}

TEST_F(FilterChainTest, WatermarkShowsOnlyNewBytesAndKeepsAll) {
  a().on_decode_data = {DataStatus::kStopIterationAndWatermark, DataStatus::kContinue};
  chain_->decode_headers(false);
  heard();
  data("1");
  EXPECT_EQ(heard(), "a.decode_data(1)");
  data("2");
  EXPECT_EQ(heard(), "a.decode_data(1+2) b.decode_data(12) r.decode_data(12)");
}

TEST_F(FilterChainTest, NoBufferDropsWhatTheFilterLeft) {
  a().on_decode_data = {DataStatus::kStopIterationNoBuffer, DataStatus::kContinue};
  chain_->decode_headers(false);
  heard();
  data("1");
  data("2", true);
  EXPECT_EQ(heard(), "a.decode_data(1) a.decode_data(2,end) b.decode_data(2,end) r.decode_data(2,end)");
}

TEST_F(FilterChainTest, TooMuchBufferedIs413OrTheResponses500) {
  a().on_decode_data = {DataStatus::kStopIterationAndBuffer, DataStatus::kStopIterationAndBuffer};
  chain_->decode_headers(false);
  data(std::string(60, 'x'));
  heard();
  data(std::string(60, 'x'));
  EXPECT_EQ(heard(), std::string("a.decode_data(60B+60B) r.encode_headers(413) b.encode_headers(413) "
                                 "a.encode_headers(413) HEAD(413) r.encode_data(Payload Too Large,end) "
                                 "b.encode_data(Payload Too Large,end) a.encode_data(Payload Too Large,end) "
                                 "BODY(Payload Too Large,end)") +
                         kEnd);
  begin();
  a().on_encode_headers = {HeadersStatus::kStopIteration};
  a().on_encode_data = {DataStatus::kStopIterationAndBuffer};
  chain_->decode_headers(true);
  respond();
  heard();
  respond_data(std::string(101, 'x'));
  EXPECT_EQ(heard(), std::string("r.encode_data(101B) b.encode_data(101B) a.encode_data(101B) HEAD(500) "
                                 "BODY(Internal Server Error,end)") +
                         kEnd);
}

TEST_F(FilterChainTest, TooMuchBufferedAfterTheHeadResets) {
  a().on_encode_data = {DataStatus::kStopIterationAndBuffer};
  chain_->decode_headers(true);
  respond();
  heard();
  respond_data(std::string(101, 'x'));
  EXPECT_EQ(heard(), std::string("r.encode_data(101B) b.encode_data(101B) a.encode_data(101B) RESET") + kEnd);
}

TEST_F(FilterChainTest, WatermarkPausesTheSender) {
  a().on_decode_headers = {HeadersStatus::kStopAllIterationAndWatermark};
  a().on_encode_headers = {HeadersStatus::kStopAllIterationAndWatermark};
  chain_->decode_headers(false);
  data(std::string(101, 'x'));
  data(std::string(101, 'x'));
  EXPECT_EQ(heard(), "a.decode_headers PAUSE");
  a().callbacks->continue_decoding();
  EXPECT_EQ(heard(),
            "RESUME b.decode_headers r.decode_headers a.decode_data(202B) b.decode_data(202B) "
            "r.decode_data(202B)");
  respond();
  heard();
  respond_data(std::string(101, 'x'));
  EXPECT_EQ(heard(), "r.encode_data(101B) b.encode_data(101B) a.above b.above r.above");
  a().callbacks->continue_encoding();
  EXPECT_EQ(heard(), "a.below b.below r.below HEAD(200) a.encode_data(101B) BODY(101B)");
}

TEST_F(FilterChainTest, FiltersAddTrailersAtTheEndOfTheBody) {
  a().inside["decode_data"] = [&] { a().callbacks->add_request_trailers()->add("t", "1"); };
  chain_->decode_headers(false);
  heard();
  data("1", true);
  EXPECT_EQ(heard(), "a.decode_data(1,end) b.decode_data(1) r.decode_data(1) b.decode_trailers r.decode_trailers");
  a().inside.clear();
  b().inside["encode_data"] = [&] { b().callbacks->add_response_trailers()->add("t", "1"); };
  b().on_encode_data = {DataStatus::kStopIterationAndBuffer};
  respond();
  respond_data("x", true);
  b().inside.clear();
  heard();
  b().callbacks->continue_encoding();
  EXPECT_EQ(heard(), std::string("a.encode_data(x) BODY(x) a.encode_trailers TRAILERS(1)") + kEnd);
}

// As Envoy 1.40: the next filters see the empty piece, which is no longer the end.
TEST_F(FilterChainTest, TrailersAddedToAnEmptyLastPiecePassBehindIt) {
  a().inside["decode_data"] = [&] { a().callbacks->add_request_trailers()->add("t", "1"); };
  chain_->decode_headers(false);
  heard();
  data("", true);
  EXPECT_EQ(heard(), "a.decode_data(,end) b.decode_data r.decode_data b.decode_trailers r.decode_trailers");
}

TEST_F(FilterChainTest, TrailersCanBeAddedOnlyAtTheEnd) {
  HeaderMap* added = &chain_->request_headers();
  a().inside["decode_data"] = [&] { added = a().callbacks->add_request_trailers(); };
  chain_->decode_headers(false);
  EXPECT_EQ(a().callbacks->add_request_trailers(), nullptr);
  data("1");
  EXPECT_EQ(added, nullptr);
}

TEST_F(FilterChainTest, StoppedTrailersHoldTheBufferedBody) {
  a().on_decode_data = {DataStatus::kStopIterationAndBuffer};
  a().on_decode_trailers = {TrailersStatus::kStopIteration};
  chain_->decode_headers(false);
  data("1");
  chain_->decode_trailers();
  EXPECT_EQ(heard(), "a.decode_headers b.decode_headers r.decode_headers a.decode_data(1) a.decode_trailers");
  a().callbacks->continue_decoding();
  EXPECT_EQ(heard(), "b.decode_data(1) r.decode_data(1) b.decode_trailers r.decode_trailers");
}

TEST_F(FilterChainTest, ContinuingTrailersReleaseWhatWasHeld) {
  a().on_decode_headers = {HeadersStatus::kStopIteration};
  a().on_decode_data = {DataStatus::kStopIterationAndBuffer};
  chain_->decode_headers(false);
  data("1");
  chain_->decode_trailers();
  EXPECT_EQ(heard(),
            "a.decode_headers a.decode_data(1) a.decode_trailers b.decode_headers r.decode_headers "
            "b.decode_data(1) r.decode_data(1) b.decode_trailers r.decode_trailers");
}

TEST_F(FilterChainTest, ContinueInsideOfTheOwnCallbackUndoesTheStop) {
  a().on_decode_headers = {HeadersStatus::kStopAllIterationAndWatermark};
  a().inside["decode_headers"] = [&] { a().callbacks->continue_decoding(); };
  chain_->decode_headers(true);
  EXPECT_EQ(heard(), "a.decode_headers(end) b.decode_headers(end) r.decode_headers(end)");
}

TEST_F(FilterChainTest, ATimerContinues) {
  a().on_decode_headers = {HeadersStatus::kStopAllIterationAndWatermark};
  chain_->decode_headers(true);
  net::Timer timer(loop_, [&] { a().callbacks->continue_decoding(); });
  timer.arm(std::chrono::milliseconds(1));
  while (timer.armed()) loop_.run_once(std::chrono::milliseconds(50));
  EXPECT_EQ(heard(), "a.decode_headers(end) b.decode_headers(end) r.decode_headers(end)");
}

}  // namespace
}  // namespace inlay::proxy::downstream
