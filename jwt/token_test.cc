// SPDX-License-Identifier: Apache-2.0
#include "jwt/token.h"

#include <gtest/gtest.h>

#include "base/base64.h"

namespace inlay::jwt {
namespace {

std::string encoded(std::string_view text) {
  std::string out;
  append_base64(out, text);
  for (char& c : out) c = c == '+' ? '-' : c == '/' ? '_' : c;
  return out.substr(0, out.find('='));
}

std::string made(std::string_view payload, std::string_view header = R"({"alg":"HS256"})") {
  return encoded(header) + "." + encoded(payload) + ".c2ln";
}

Status status_of(std::string_view text) {
  Token token;
  return Token::read(text, token);
}

TEST(Token, ReadsWhatItHas) {
  Token token;
  ASSERT_EQ(Token::read(made(R"({"iss":"i","sub":"s","aud":["a","b"],"nbf":1,"exp":2.5,"n":{"m":"x"}})",
                             R"({"alg":"RS256","kid":"k"})"),
                        token),
            Status::kOk);
  EXPECT_EQ(token.alg, "RS256");
  EXPECT_EQ(token.kid, "k");
  EXPECT_EQ(token.iss, "i");
  EXPECT_EQ(token.sub, "s");
  EXPECT_EQ(token.aud, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(token.nbf, 1u);
  EXPECT_EQ(token.exp, 2u);
  EXPECT_EQ(token.signature, "sig");
  const std::string path[] = {"n", "m"};
  ASSERT_NE(token.claim(path), nullptr);
  EXPECT_STREQ(token.claim(path)->GetString(), "x");
  const std::string beyond[] = {"n", "m", "o"};
  EXPECT_EQ(token.claim(beyond), nullptr);
}

TEST(Token, OneAudienceIsAText) {
  Token token;
  ASSERT_EQ(Token::read(made(R"({"aud":"a"})"), token), Status::kOk);
  EXPECT_EQ(token.aud, std::vector<std::string>{"a"});
}

TEST(Token, KnowsWhatIsWrong) {
  const struct {
    std::string text;
    Status status;
  } rows[] = {
      {"", Status::kBadFormat},
      {"a.b", Status::kBadFormat},
      {"a.b.", Status::kBadFormat},
      {".b.c", Status::kBadFormat},
      {"a..c", Status::kBadFormat},
      {"a.b.c.d", Status::kBadFormat},
      {"a+.b.c", Status::kHeaderBadBase64},
      {encoded("{") + ".b.c", Status::kHeaderBadJson},
      {encoded("[]") + ".b.c", Status::kHeaderBadJson},
      {made("{}", "{}"), Status::kHeaderBadAlg},
      {made("{}", R"({"alg":1})"), Status::kHeaderBadAlg},
      {made("{}", R"({"alg":"none"})"), Status::kHeaderUnknownAlg},
      {made("{}", R"({"alg":"hs256"})"), Status::kHeaderUnknownAlg},
      {made("{}", R"({"alg":"HS256","kid":1})"), Status::kHeaderBadKid},
      {encoded(R"({"alg":"HS256"})") + ".=.c2ln", Status::kPayloadBadBase64},
      {made("x"), Status::kPayloadBadJson},
      {made(R"({"iss":1})"), Status::kIssNoString},
      {made(R"({"sub":null})"), Status::kSubNoString},
      {made(R"({"iat":"1"})"), Status::kIatNoInteger},
      {made(R"({"iat":-1})"), Status::kIatOutOfRange},
      {made(R"({"nbf":[]})"), Status::kNbfNoInteger},
      {made(R"({"nbf":18446744073709551616})"), Status::kNbfOutOfRange},
      {made(R"({"exp":"x"})"), Status::kExpNoInteger},
      {made(R"({"exp":-0.5})"), Status::kExpOutOfRange},
      {made(R"({"jti":1})"), Status::kJtiNoString},
      {made(R"({"aud":1})"), Status::kAudNoString},
      {made(R"({"aud":["a",1]})"), Status::kAudNoString},
      {encoded(R"({"alg":"HS256"})") + "." + encoded("{}") + ".!", Status::kSignatureBadBase64},
  };
  for (const auto& row : rows) EXPECT_EQ(status_of(row.text), row.status) << row.text << ": " << text(row.status);
}

TEST(Token, LastsAsLongAsItSays) {
  Token token;
  ASSERT_EQ(Token::read(made(R"({"nbf":1000,"exp":2000})"), token), Status::kOk);
  EXPECT_EQ(token.check_time(939, 60), Status::kNotYetValid);
  EXPECT_EQ(token.check_time(940, 60), Status::kOk);
  EXPECT_EQ(token.check_time(2060, 60), Status::kOk);
  EXPECT_EQ(token.check_time(2061, 60), Status::kExpired);
  Token never;
  ASSERT_EQ(Token::read(made("{}"), never), Status::kOk);
  EXPECT_EQ(never.check_time(UINT64_MAX, 0), Status::kOk);
  Token last;
  ASSERT_EQ(Token::read(made(R"({"exp":18446744073709549568})"), last), Status::kOk);
  EXPECT_EQ(last.check_time(1, UINT64_MAX), Status::kOk) << "no sum of the two overflows";
}

TEST(Token, ClaimsAsHeaders) {
  Token token;
  ASSERT_EQ(Token::read(made(R"({"a":"x","b":true,"c":7,"d":-1.5,"e":{"f":[1]},"g":null,"h":"","i":1e30})"), token),
            Status::kOk);
  const auto header = [&](const char* name) {
    const std::string path[] = {name};
    return as_header_value(*token.claim(path)).value_or("none");
  };
  EXPECT_EQ(header("a"), "x");
  EXPECT_EQ(header("b"), "true");
  EXPECT_EQ(header("c"), "7");
  EXPECT_EQ(header("d"), "-1.500000");
  EXPECT_EQ(header("e"), "eyJmIjpbMV19");
  EXPECT_EQ(header("g"), "none");
  EXPECT_EQ(header("h"), "none");
  EXPECT_EQ(header("i"), "1000000000000000019884624838656.000000");
}

}  // namespace
}  // namespace inlay::jwt
