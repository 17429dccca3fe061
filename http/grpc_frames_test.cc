// SPDX-License-Identifier: Apache-2.0
#include "http/grpc_frames.h"

#include <gtest/gtest.h>

#include <string>

#include "base/grpc_prefix.h"

namespace inlay::http {
namespace {

using Next = GrpcFrames::Next;
using std::string_literals::operator""s;

std::string frame(std::string_view message, char flags = 0) {
  char prefix[kGrpcPrefix];
  write_grpc_prefix(prefix, message.size());
  prefix[0] = flags;
  return std::string(prefix, kGrpcPrefix).append(message);
}

void add(GrpcFrames& frames, std::string_view bytes) {
  Buffer data;
  data.append(bytes);
  frames.add(data);
  EXPECT_TRUE(data.empty());
}

TEST(GrpcPrefix, IsReadAsItIsWritten) {
  char bytes[kGrpcPrefix];
  for (const size_t size : {size_t{0}, size_t{1}, size_t{0x01020304}, size_t{0xffffffff}}) {
    write_grpc_prefix(bytes, size);
    EXPECT_EQ(read_grpc_prefix(bytes).size, size);
    EXPECT_EQ(read_grpc_prefix(bytes).flags, 0);
  }
  write_grpc_prefix(bytes, 0x01020304);
  EXPECT_EQ(std::string(bytes, kGrpcPrefix), "\0\1\2\3\4"s);
}

TEST(GrpcFrames, GivesMessagesInOrder) {
  GrpcFrames frames(100);
  add(frames, frame("one") + frame("") + frame("three"));
  Buffer message;
  message.append("what was there");
  for (const char* const expected : {"one", "", "three"}) {
    ASSERT_EQ(frames.next(message), Next::kMessage);
    EXPECT_EQ(message.to_string(), expected);
  }
  EXPECT_EQ(frames.next(message), Next::kMore);
  EXPECT_EQ(frames.waiting(), 0u);
}

// Wherever the body is cut, and when it comes byte by byte.
TEST(GrpcFrames, TakesAnyPieces) {
  const std::string body = frame("hello") + frame(std::string(300, 'x')) + frame("");
  for (size_t cut = 0; cut <= body.size(); ++cut) {
    GrpcFrames frames(1000);
    Buffer message;
    std::string seen;
    for (const std::string& piece : {body.substr(0, cut), body.substr(cut)}) {
      add(frames, piece);
      while (frames.next(message) == Next::kMessage) seen += message.to_string() + "|";
    }
    EXPECT_EQ(seen, "hello|" + std::string(300, 'x') + "||") << cut;
  }
  GrpcFrames frames(1000);
  Buffer message;
  size_t messages = 0;
  for (const char c : body) {
    add(frames, {&c, 1});
    while (frames.next(message) == Next::kMessage) ++messages;
  }
  EXPECT_EQ(messages, 3u);
}

TEST(GrpcFrames, BoundsMessagesByTheirPrefix) {
  GrpcFrames frames(10);
  Buffer message;
  add(frames, frame("0123456789"));
  EXPECT_EQ(frames.next(message), Next::kMessage);
  add(frames, "\0\0\0\0\x0b"s);
  EXPECT_EQ(frames.next(message), Next::kTooLarge);
  EXPECT_EQ(frames.next(message), Next::kTooLarge);
}

TEST(GrpcFrames, RefusesFlags) {
  Buffer message;
  for (const char flags : {'\1', '\2', '\x80'}) {
    GrpcFrames frames(10);
    add(frames, frame("x", flags));
    EXPECT_EQ(frames.next(message), Next::kBadFlags) << int{flags};
  }
  GrpcFrames empty(10);
  add(empty, frame("", 1));
  EXPECT_EQ(empty.next(message), Next::kMessage);
}

// What is no gRPC at all, as in Envoy: its flags are looked at before its size.
TEST(GrpcFrames, TextHasBadFlags) {
  GrpcFrames frames(10);
  Buffer message;
  add(frames, "hello there");
  EXPECT_EQ(frames.next(message), Next::kBadFlags);
}

TEST(GrpcFrames, KnowsWhatIsUnfinished) {
  GrpcFrames frames(10);
  Buffer message;
  add(frames, frame("abc").substr(0, 7));
  EXPECT_EQ(frames.next(message), Next::kMore);
  EXPECT_EQ(frames.waiting(), 7u);
}

}  // namespace
}  // namespace inlay::http
