// SPDX-License-Identifier: Apache-2.0
// The matrix of filter statuses (Envoy's filter manager), on a chain of two scripted filters and a scripted router.
#include "proxy/http/filter_chain.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "proxy/http/scripted_filter.h"

namespace inlay::proxy::http {
namespace {

using testing::Factory;
using testing::Journal;
using testing::ScriptedFilter;

// The codec's side: writes into the same journal.
struct Sink : ResponseSink {
  explicit Sink(Journal& j) : journal(j) {}
  void encode_informational(HeaderMap& headers) override {
    journal.add(std::string(headers.value(host::HeaderId::kStatus)));
  }
  void encode_headers(HeaderMap& headers, bool end) override {
    journal.add("HEAD(" + std::string(headers.value(host::HeaderId::kStatus)) + (end ? ",end)" : ")"));
    if (end) ended();
  }
  void encode_data(Buffer& data, bool end) override {
    journal.add("BODY(" + (data.size() <= 32 ? data.to_string() : std::to_string(data.size()) + "B") +
                (end ? ",end)" : ")"));
    if (end) ended();
  }
  void encode_trailers(HeaderMap& trailers) override {
    journal.add("TRAILERS(" + std::to_string(trailers.size()) + ")");
    ended();
  }
  void pause_request(bool paused) override { journal.add(paused ? "PAUSE" : "RESUME"); }
  void on_reset() override {
    journal.add("RESET");
    ended();
  }
  void on_finished() override { journal.add("FINISHED"); }
  void ended() {
    if (finish_at_end) chain->finish();
  }
  Journal& journal;
  FilterChain* chain = nullptr;
  bool finish_at_end = true;
};

class FilterChainTest : public ::testing::Test {
 protected:
  FilterChainTest() {
    listener_.per_connection_buffer_limit_bytes = 100;
    const char* names[] = {"a", "b", "r"};
    for (size_t i = 0; i < 3; ++i) {
      factories_.push_back(std::make_unique<Factory>([this, i, name = names[i]] {
        auto filter = std::make_unique<ScriptedFilter>(name, journal_);
        filters_[i] = filter.get();
        return filter;
      }));
    }
    chain_ = std::make_unique<FilterChain>(
        loop_, listener_, std::vector<FilterFactory*>{factories_[0].get(), factories_[1].get(), factories_[2].get()});
    sink_.chain = chain_.get();
    begin();
  }
  void begin() {
    chain_->start(sink_);
    chain_->request_headers().add(":method", "POST");
  }
  ScriptedFilter& a() { return *filters_[0]; }
  ScriptedFilter& b() { return *filters_[1]; }
  ScriptedFilter& router() { return *filters_[2]; }

  void data(std::string_view text, bool end = false) {
    Buffer buffer;
    buffer.append(text);
    chain_->decode_data(buffer, end);
  }
  void respond(bool end = false) {
    router().callbacks->response_storage().add(":status", "200");
    router().callbacks->encode_headers(end);
  }
  void respond_data(std::string_view text, bool end = false) {
    Buffer buffer;
    buffer.append(text);
    router().callbacks->encode_data(buffer, end);
  }
  static host::LocalReply reply(uint32_t status, std::string body = "no") {
    host::LocalReply result;
    result.status = status;
    result.body = std::move(body);
    return result;
  }
  // What was heard since the last call.
  std::string heard() {
    std::string text = journal_.text();
    journal_.lines.clear();
    return text;
  }

  net::EventLoop loop_;
  config::Listener listener_;
  Journal journal_;
  Sink sink_{journal_};
  ScriptedFilter* filters_[3] = {};
  std::vector<std::unique_ptr<Factory>> factories_;
  std::unique_ptr<FilterChain> chain_;
};

constexpr const char* kEnd = " a.log b.log r.log a.destroy b.destroy r.destroy FINISHED";

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
}  // namespace inlay::proxy::http
