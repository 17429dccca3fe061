// SPDX-License-Identifier: Apache-2.0
#include "http2/session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "http2/closed_streams.h"
#include "http2/field_list.h"
#include "http2/session_fixture.h"

namespace inlay::http2 {
namespace {

using ::testing::ElementsAre;
using testing::map_of;
using testing::RecordingStream;
using testing::SessionTest;
using testing::text_of;

TEST_F(SessionTest, ARequestAndItsAnswer) {
  RecordingStream stream;
  ASSERT_TRUE(get(stream));
  pump();
  ASSERT_EQ(server_sink_.streams.size(), 1u);
  EXPECT_THAT(served().events, ElementsAre("headers (end)"));
  EXPECT_EQ(text_of(served().headers), ":method: GET\n:scheme: http\n:authority: up\n:path: /p\n");
  server_->submit_response(served(), map_of({{":status", "200"}, {"x-a", "1"}}), false);
  send(*server_, served(), "hello", true);
  pump();
  EXPECT_THAT(stream.events, ElementsAre("headers", "data hello (end)", "closed"));
  EXPECT_EQ(text_of(stream.headers), ":status: 200\nx-a: 1\n");
  EXPECT_FALSE(stream.open());
  EXPECT_TRUE(served().saw("closed"));
  EXPECT_EQ(client_->open_streams(), 0u);
  EXPECT_TRUE(client_->failure().empty()) << client_->failure();
}

TEST_F(SessionTest, FieldsOfHttp1AreLeftOutAndValuesTrimmed) {
  RecordingStream stream;
  ASSERT_TRUE(client_->submit_request(stream,
                                      map_of({{":method", "GET"},
                                              {":scheme", "http"},
                                              {":authority", "up"},
                                              {":path", "/"},
                                              {":made-up", "x"},
                                              {"host", "other"},
                                              {"connection", "close"},
                                              {"keep-alive", "5"},
                                              {"transfer-encoding", "chunked"},
                                              {"upgrade", "h2c"},
                                              {"te", "gzip"},
                                              {"x-b", " two words\t"}}),
                                      true));
  pump();
  EXPECT_EQ(text_of(served().headers), ":method: GET\n:scheme: http\n:authority: up\n:path: /\nx-b: two words\n");
}

TEST_F(SessionTest, OnlyConnectNamesAProtocol) {
  const http::HeaderMap get =
      map_of({{":method", "GET"}, {":path", "/"}, {":scheme", "http"}, {":authority", "a"}, {":protocol", "x"}});
  FieldList list;
  list.fill(get);
  EXPECT_EQ(list.size(), 4u);
  http::HeaderMap connect = get;
  connect.set(":method", "CONNECT");
  list.fill(connect);
  EXPECT_EQ(list.size(), 5u);
}

TEST_F(SessionTest, TeTrailersIsSent) {
  RecordingStream stream;
  auto headers =
      map_of({{":method", "POST"}, {":scheme", "http"}, {":authority", "up"}, {":path", "/"}, {"te", "trailers"}});
  ASSERT_TRUE(client_->submit_request(stream, headers, true));
  pump();
  EXPECT_EQ(served().headers.get("te"), "trailers");
}

TEST_F(SessionTest, TrailersOfBothSides) {
  RecordingStream stream;
  ASSERT_TRUE(post(stream));
  send(*client_, stream, "body", false);
  client_->send_trailers(stream, map_of({{"x-end", "1"}}));
  pump();
  EXPECT_THAT(served().events, ElementsAre("headers", "data body", "trailers"));
  EXPECT_EQ(served().trailers.get("x-end"), "1");
  server_->submit_response(served(), map_of({{":status", "200"}}), false);
  server_->send_trailers(served(), map_of({{"grpc-status", "0"}}));
  pump();
  EXPECT_THAT(stream.events, ElementsAre("headers", "trailers", "closed"));
  EXPECT_EQ(text_of(stream.trailers), "grpc-status: 0\n");
}

TEST_F(SessionTest, TrailersOfWhichNothingCanBeSentEndTheStream) {
  RecordingStream stream;
  ASSERT_TRUE(post(stream));
  send(*client_, stream, "body", false);
  client_->send_trailers(stream, map_of({{"connection", "close"}}));
  pump();
  EXPECT_THAT(served().events, ElementsAre("headers", "data body (end)"));
}

TEST_F(SessionTest, InterimAnswersComeBeforeTheAnswer) {
  RecordingStream stream;
  ASSERT_TRUE(get(stream));
  pump();
  server_->submit_informational(served(), map_of({{":status", "103"}, {"link", "</a>"}}));
  server_->submit_response(served(), map_of({{":status", "204"}}), true);
  pump();
  EXPECT_THAT(stream.events, ElementsAre("interim 103", "headers (end)", "closed"));
  EXPECT_EQ(text_of(stream.headers), ":status: 204\n");
}

TEST_F(SessionTest, AMegabyteEachWayIsWhole) {
  const std::string large(3 << 20, 'x');
  RecordingStream stream;
  ASSERT_TRUE(post(stream));
  send(*client_, stream, large, true);
  pump();
  server_->submit_response(served(), map_of({{":status", "200"}}), false);
  send(*server_, served(), large, true);
  pump();
  EXPECT_EQ(served().body, large);
  EXPECT_EQ(stream.body, large);
  EXPECT_TRUE(stream.saw("closed"));
}

TEST_F(SessionTest, WatermarksOfWhatHasNotLeft) {
  Settings small;
  small.write_watermark = 100'000;
  Settings server;
  server.stream_window = 65'535;
  make(small, server);
  server_sink_.pause = true;
  RecordingStream stream;
  ASSERT_TRUE(post(stream));
  send(*client_, stream, std::string(250'000, 'x'), false);
  pump();
  EXPECT_THAT(stream.events, ElementsAre("above"));
  EXPECT_GE(stream.unsent(), 250'000u - 65'535);
  EXPECT_TRUE(server_->resume(served()));
  server_->deliver_held();
  pump();
  EXPECT_THAT(stream.events, ElementsAre("above", "below"));
  EXPECT_EQ(served().body.size(), 250'000u);
}

TEST_F(SessionTest, APausedStreamHoldsNoMoreThanItsWindowAndTheOthersGoOn) {
  Settings settings;
  settings.stream_window = 65'535;
  make(settings, {});
  RecordingStream slow, fast;
  slow.session = client_.get();
  slow.pause_at_headers = true;
  ASSERT_TRUE(get(slow));
  ASSERT_TRUE(get(fast));
  pump();
  for (size_t i = 0; i < 2; ++i) {
    server_->submit_response(served(i), map_of({{":status", "200"}}), false);
    send(*server_, served(i), std::string(200'000, 'y'), true);
  }
  pump();
  EXPECT_THAT(slow.events, ElementsAre("headers"));
  EXPECT_EQ(fast.body.size(), 200'000u);
  EXPECT_EQ(served(0).unsent(), 200'000u - 65'535);
  ASSERT_TRUE(client_->resume(slow));
  client_->deliver_held();
  pump();
  EXPECT_EQ(slow.body.size(), 200'000u);
  EXPECT_TRUE(slow.saw("closed"));
}

TEST_F(SessionTest, WhatEndedWhilePausedIsToldAfterwards) {
  RecordingStream stream;
  ASSERT_TRUE(get(stream));
  client_->pause(stream);
  pump();
  server_->submit_response(served(), map_of({{":status", "200"}}), false);
  send(*server_, served(), "late", false);
  server_->send_trailers(served(), map_of({{"x-t", "1"}}));
  pump();
  EXPECT_TRUE(stream.events.empty());
  EXPECT_TRUE(stream.open());
  ASSERT_TRUE(client_->resume(stream));
  client_->deliver_held();
  EXPECT_THAT(stream.events, ElementsAre("headers", "data late", "trailers", "closed"));
}

TEST_F(SessionTest, ResetsOfBothSides) {
  RecordingStream first, second;
  ASSERT_TRUE(get(first));
  ASSERT_TRUE(get(second));
  pump();
  server_->reset(served(0), ErrorCode::kInternalError);
  client_->reset(second, ErrorCode::kCancel);
  EXPECT_FALSE(second.open());
  pump();
  EXPECT_THAT(first.events, ElementsAre("reset 2 by peer"));
  EXPECT_TRUE(second.events.empty());
  EXPECT_THAT(served(1).events, ElementsAre("headers (end)", "reset 8 by peer"));
}

TEST_F(SessionTest, WhatIsBrokenOffIsResetBehindWhatWasSent) {
  RecordingStream stream;
  ASSERT_TRUE(get(stream));
  pump();
  server_->submit_response(served(), map_of({{":status", "200"}}), false);
  send(*server_, served(), "hel", false);
  server_->break_off(served());
  pump();
  EXPECT_THAT(stream.events, ElementsAre("headers", "data hel", "reset 2 by peer"));
  EXPECT_THAT(served().events, ElementsAre("headers (end)", "reset 2"));
}

TEST_F(SessionTest, AStreamThatIsDestroyedIsReset) {
  {
    RecordingStream stream;
    ASSERT_TRUE(get(stream));
    pump();
  }
  pump();
  EXPECT_THAT(served().events, ElementsAre("headers (end)", "reset 8 by peer"));
  EXPECT_EQ(client_->open_streams(), 0u);
}

TEST_F(SessionTest, BytesForAStreamThatWasResetGiveTheirWindowBack) {
  Settings settings;
  settings.connection_window = 65'535;
  settings.stream_window = 65'535;
  make(settings, {});
  for (int i = 0; i < 5; ++i) {
    RecordingStream gone;
    ASSERT_TRUE(get(gone));
    pump();
    server_->submit_response(*server_sink_.streams.back(), map_of({{":status", "200"}}), false);
    send(*server_, *server_sink_.streams.back(), std::string(60'000, 'z'), false);
    testing::SessionTest::carry(*server_, *client_);
  }
  RecordingStream stream;
  ASSERT_TRUE(get(stream));
  pump();
  server_->submit_response(*server_sink_.streams.back(), map_of({{":status", "200"}}), false);
  send(*server_, *server_sink_.streams.back(), std::string(300'000, 'z'), true);
  pump();
  EXPECT_EQ(stream.body.size(), 300'000u);
}

// HEADERS or DATA on stream 1, with a payload of no bytes.
std::string frame_on_first_stream(char type) {
  return std::string({0, 0, 0, type, 0, 0, 0, 0, 1});
}

TEST_F(SessionTest, AFrameForAStreamThatTheClientHasEndedEndsTheConnection) {
  for (const char type : {char{0}, char{1}}) {
    make({}, {});
    RecordingStream stream;
    ASSERT_TRUE(get(stream));
    pump();
    server_->submit_response(*server_sink_.streams.back(), map_of({{":status", "200"}}), true);
    pump();
    ASSERT_TRUE(stream.saw("closed"));
    Buffer late;
    late.append(frame_on_first_stream(type));
    server_->receive(late);
    pump();
    ASSERT_FALSE(client_sink_.goaways.empty());
    EXPECT_EQ(static_cast<uint32_t>(client_sink_.goaways.back()), 5u);  // STREAM_CLOSED
    EXPECT_EQ(server_->failure(), "a frame for a stream that is closed");
  }
}

TEST_F(SessionTest, ThatFrameIsFoundInWhateverPieces) {
  const auto receive_by_bytes = [&](std::string_view bytes) {
    for (const char byte : bytes) {
      EXPECT_EQ(server_->failure(), "");
      Buffer piece;
      piece.append(std::string_view(&byte, 1));
      server_->receive(piece);
    }
  };
  RecordingStream stream;
  ASSERT_TRUE(post(stream));
  send(*client_, stream, std::string(300, 'z'), true);
  Buffer bytes;
  client_->write(bytes, 1 << 20);
  receive_by_bytes(bytes.to_string());
  EXPECT_EQ(served().body.size(), 300u);
  server_->submit_response(served(), map_of({{":status", "200"}}), true);
  pump();
  ASSERT_TRUE(stream.saw("closed"));
  receive_by_bytes(frame_on_first_stream(0));
  pump();
  EXPECT_EQ(server_->failure(), "a frame for a stream that is closed");
}

TEST_F(SessionTest, ThatFrameIsFoundBehindTheResetInOnePiece) {
  RecordingStream stream;
  ASSERT_TRUE(post(stream));
  pump();
  client_->reset(stream, ErrorCode::kCancel);
  Buffer bytes;
  client_->write(bytes, 1 << 20);
  bytes.append(frame_on_first_stream(0));
  server_->receive(bytes);
  pump();
  EXPECT_THAT(served().events, ElementsAre("headers", "reset 8 by peer"));
  EXPECT_EQ(server_->failure(), "a frame for a stream that is closed");
}

TEST_F(SessionTest, DataOfTheConnectionIsAnotherMistake) {
  RecordingStream stream;
  ASSERT_TRUE(get(stream));
  pump();
  Buffer bytes;
  bytes.append(std::string(9, '\0'));
  server_->receive(bytes);
  pump();
  ASSERT_FALSE(client_sink_.goaways.empty());
  EXPECT_EQ(client_sink_.goaways.back(), ErrorCode::kProtocolError);
}

TEST_F(SessionTest, FramesForStreamsThatAreForgottenAreDropped) {
  for (size_t i = 0; i <= ClosedStreams::kMost; ++i) {
    RecordingStream stream;
    ASSERT_TRUE(get(stream));
    pump();
    server_->submit_response(*server_sink_.streams.back(), map_of({{":status", "200"}}), true);
    pump();
  }
  Buffer late;
  late.append(frame_on_first_stream(0));
  server_->receive(late);
  pump();
  EXPECT_EQ(server_->failure(), "");
  RecordingStream next;
  ASSERT_TRUE(get(next));
  pump();
  EXPECT_TRUE(server_sink_.streams.back()->saw("headers (end)"));
}

TEST_F(SessionTest, AFrameForAStreamThatTheServerHasResetMayHaveBeenOnItsWay) {
  RecordingStream stream;
  ASSERT_TRUE(post(stream));
  pump();
  server_->reset(served(), ErrorCode::kCancel);
  send(*client_, stream, "late", true);
  pump();
  EXPECT_EQ(server_->failure(), "");
  EXPECT_TRUE(client_sink_.goaways.empty());
  RecordingStream next;
  ASSERT_TRUE(get(next));
  pump();
  EXPECT_THAT(served(1).events, ElementsAre("headers (end)"));
}

TEST_F(SessionTest, ARefusedStreamSaysSo) {
  server_sink_.refuse = true;
  RecordingStream stream;
  ASSERT_TRUE(get(stream));
  pump();
  EXPECT_THAT(stream.events, ElementsAre("reset 7 by peer"));
}

TEST_F(SessionTest, GoawayLetsOpenStreamsEndAndRefusesNewOnes) {
  RecordingStream open, refused;
  ASSERT_TRUE(get(open));
  pump();
  server_->shut_down();
  ASSERT_TRUE(get(refused));
  testing::SessionTest::carry(*server_, *client_);
  EXPECT_THAT(client_sink_.goaways, ElementsAre(ErrorCode::kNoError));
  EXPECT_EQ(client_->streams_left(), 0u);
  pump();
  EXPECT_THAT(refused.events, ElementsAre("reset 7 by peer"));
  server_->submit_response(served(), map_of({{":status", "200"}}), true);
  pump();
  EXPECT_THAT(open.events, ElementsAre("headers (end)", "closed"));
  EXPECT_TRUE(client_->finished());
}

TEST_F(SessionTest, ThePeersLimitOfStreamsCounts) {
  Settings two;
  two.max_concurrent_streams = 2;
  make({}, two);
  EXPECT_EQ(client_->streams_left(), 1024u);
  pump();
  EXPECT_EQ(client_sink_.settings, 1);
  EXPECT_EQ(client_->streams_left(), 2u);
  RecordingStream first;
  ASSERT_TRUE(get(first));
  EXPECT_EQ(client_->streams_left(), 1u);
}

TEST_F(SessionTest, PingIsAnswered) {
  client_->ping();
  pump();
  EXPECT_EQ(client_sink_.ping_answers, 1);
}

TEST_F(SessionTest, ALargeHeadIsRefusedAndNamed) {
  RecordingStream stream;
  ASSERT_TRUE(get(stream));
  pump();
  auto headers = map_of({{":status", "200"}});
  for (int i = 0; i < 101; ++i) headers.add("x-" + std::to_string(i), "v");
  server_->submit_response(served(), headers, true);
  pump();
  ASSERT_EQ(stream.events.size(), 1u);
  EXPECT_EQ(stream.events[0].substr(0, 5), "reset");
  EXPECT_EQ(stream.events[0].find("by peer"), std::string::npos);
}

TEST_F(SessionTest, BytesThatAreNotHttp2FailTheSession) {
  RecordingStream stream;
  ASSERT_TRUE(get(stream));
  Buffer sent;
  client_->write(sent, 1 << 20);
  Buffer noise;
  noise.append("HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n");
  client_->receive(noise);
  EXPECT_TRUE(noise.empty());
  Buffer goaway;
  client_->write(goaway, 1 << 20);
  EXPECT_FALSE(client_->failure().empty());
  client_->close_all(ErrorCode::kProtocolError, false);
  EXPECT_THAT(stream.events, ElementsAre("reset 1"));
}

TEST_F(SessionTest, AServerTakesNothingButThePreface) {
  Buffer request;
  request.append("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
  server_->receive(request);
  EXPECT_FALSE(server_->failure().empty());
}

}  // namespace
}  // namespace inlay::http2
