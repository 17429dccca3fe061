// SPDX-License-Identifier: Apache-2.0
#include "filters/header_augmenting/encoding.h"

#include <gtest/gtest.h>

#include <string>

namespace inlay::header_augmenting {
namespace {

std::string form(std::string_view text) {
  TextBuilder out;
  add_form_encoded(out, text);
  return std::string(out.view());
}

std::string base64(std::string_view text) {
  TextBuilder out;
  add_base64(out, text);
  return std::string(out.view());
}

std::string from_base64url(std::string_view text) {
  TextBuilder out;
  return add_from_base64url(out, text) ? std::string(out.view()) : "none";
}

TEST(FormEncoding, IsThatOfTheRfc) {
  EXPECT_EQ(form(" %&+\xc2\xa3\xe2\x82\xac"), "+%25%26%2B%C2%A3%E2%82%AC");  // RFC 6749 appendix B
  EXPECT_EQ(form("azAZ09*-._"), "azAZ09*-._");
  EXPECT_EQ(form(std::string_view("~/:=\0\x7f", 6)), "%7E%2F%3A%3D%00%7F");
  EXPECT_EQ(form(""), "");
}

TEST(Base64, IsThatOfTheRfc) {
  // RFC 4648 section 10
  EXPECT_EQ(base64(""), "");
  EXPECT_EQ(base64("f"), "Zg==");
  EXPECT_EQ(base64("fo"), "Zm8=");
  EXPECT_EQ(base64("foo"), "Zm9v");
  EXPECT_EQ(base64("foob"), "Zm9vYg==");
  EXPECT_EQ(base64("fooba"), "Zm9vYmE=");
  EXPECT_EQ(base64("foobar"), "Zm9vYmFy");
  EXPECT_EQ(base64("\xff\xfe\xfd"), "//79");
}

TEST(Base64Url, IsThatOfTheRfc) {
  TextBuilder out;
  add_base64url(out, "\xfb\xff\xfe\xfd");
  EXPECT_EQ(out.view(), "-__-_Q");
}

TEST(Base64Url, IsDecoded) {
  EXPECT_EQ(from_base64url(""), "");
  EXPECT_EQ(from_base64url("Zg"), "f");
  EXPECT_EQ(from_base64url("Zm8"), "fo");
  EXPECT_EQ(from_base64url("Zm9v"), "foo");
  EXPECT_EQ(from_base64url("Zm9vYmFy"), "foobar");
  EXPECT_EQ(from_base64url("__79"), "\xff\xfe\xfd");
  EXPECT_EQ(from_base64url("--79"), "\xfb\xee\xfd");
  for (const char* other : {"Zg==", "//79", "++79", "Z", "Zm9vY", "Zh", "Zm9", "Zm 9v", "Zm9v\n", "Zm9v\xc3"}) {
    EXPECT_EQ(from_base64url(other), "none") << other;
  }
}

}  // namespace
}  // namespace inlay::header_augmenting
