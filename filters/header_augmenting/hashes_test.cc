// SPDX-License-Identifier: Apache-2.0
// The two hashes, against the standard's examples and what OpenSSL makes of others (`openssl mac`, with c-rounds:1 and
// d-rounds:3 for SipHash).
#include <gtest/gtest.h>

#include <cstring>
#include <string>

#include "filters/header_augmenting/sha256.h"
#include "filters/header_augmenting/siphash.h"

namespace inlay::header_augmenting {
namespace {

std::string hex(std::string_view bytes) {
  std::string text;
  for (const char c : bytes) {
    text += "0123456789abcdef"[static_cast<unsigned char>(c) >> 4];
    text += "0123456789abcdef"[c & 15];
  }
  return text;
}

std::string sip(const std::string& text) {
  const Hash128 hash = sip_hash({0x0706050403020100, 0x0f0e0d0c0b0a0908}, text);
  char bytes[16];
  std::memcpy(bytes, &hash, sizeof bytes);
  return hex({bytes, sizeof bytes});
}

std::string sha(std::string_view text) {
  Sha256 sha;
  sha.add(text);
  char digest[Sha256::kSize];
  sha.finish(digest);
  return hex({digest, sizeof digest});
}

std::string counting(size_t size) {
  std::string text;
  for (size_t i = 0; i < size; ++i) text += static_cast<char>(i);
  return text;
}

TEST(SipHash, IsThatOfOpenSsl) {
  EXPECT_EQ(sip(counting(0)), "e77ebcb22788a5befd62db6add303001");
  EXPECT_EQ(sip(counting(1)), "fc6f370460d3eda85e0573cc2b2ff063");
  EXPECT_EQ(sip(counting(7)), "1084b923f2aae0c3a62f2ec80848ab77");
  EXPECT_EQ(sip(counting(8)), "aa12fee1d5e3dab4724f16ab35f9c799");
  EXPECT_EQ(sip(counting(15)), "c17e5505b2bd526c2921cdec1e7e0109");
  EXPECT_EQ(sip(counting(16)), "d0a8d95715518eebb513b0f83d9e1793");
  EXPECT_EQ(sip(counting(63)), "4c5800e34efe426f079f6b0aa75260ad");
  EXPECT_EQ(sip(counting(200)), "59301d38dad5fb4a7d555582d6b70ee6");
}

TEST(SipHash, DependsOnTheKey) {
  EXPECT_NE(sip_hash({1, 2}, "text"), sip_hash({1, 3}, "text"));
  EXPECT_NE(sip_hash({1, 2}, "text"), sip_hash({2, 2}, "text"));
  EXPECT_EQ(sip_hash({1, 2}, "text"), sip_hash({1, 2}, std::string("text")));
}

TEST(Sha256, IsThatOfTheStandard) {
  EXPECT_EQ(sha(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(sha(counting(55)), "463eb28e72f82e0a96c0a4cc53690c571281131f672aa229e0d45ae59b598b59");
  EXPECT_EQ(sha(counting(56)), "da2ae4d6b36748f2a318f23e7ab1dfdf45acdc9d049bd80e59de82a60895f562");
  EXPECT_EQ(sha(counting(63)), "29af2686fd53374a36b0846694cc342177e428d1647515f078784d69cdb9e488");
  EXPECT_EQ(sha(counting(64)), "fdeab9acf3710362bd2658cdc9a29e8f9c757fcf9811603a8c447cd1d9151108");
  EXPECT_EQ(sha(counting(65)), "4bfd2c8b6f1eec7a2afeb48b934ee4b2694182027e6d0fc075074f2fabb31781");
  EXPECT_EQ(sha(counting(119)), "da18797ed7c3a777f0847f429724a2d8cd5138e6ed2895c3fa1a6d39d18f7ec6");
  EXPECT_EQ(sha(counting(120)), "f52b23db1fbb6ded89ef42a23ce0c8922c45f25c50b568a93bf1c075420bbb7c");
  EXPECT_EQ(sha(counting(200)), "1901da1c9f699b48f6b2636e65cbf73abf99d0441ef67f5c540a42f7051dec6f");
}

TEST(Sha256, DoesNotDependOnThePieces) {
  Sha256 pieces;
  pieces.add("ab");
  pieces.add(uint64_t{0x0807060504030201});
  pieces.add("");
  pieces.add(std::string(100, 'x'));
  char digest[Sha256::kSize];
  pieces.finish(digest);
  EXPECT_EQ(hex({digest, sizeof digest}), sha("ab\x01\x02\x03\x04\x05\x06\x07\x08" + std::string(100, 'x')));
}

}  // namespace
}  // namespace inlay::header_augmenting
