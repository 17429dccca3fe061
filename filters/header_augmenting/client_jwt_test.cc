// SPDX-License-Identifier: Apache-2.0
// Clients that authenticate themselves with a key (tests/test_oidc.py has the signatures judged).
#include "filters/header_augmenting/client_jwt.h"

#include <set>
#include <string>

#include "filters/header_augmenting/encoding.h"
#include "filters/header_augmenting/json.h"
#include "filters/header_augmenting/long_form_fixture.h"

namespace inlay::header_augmenting {
namespace {

using std::string_literals::operator""s;
using std::chrono_literals::operator""s;

// der: an ECDSA signature of two numbers.
std::string der(const std::string& r, const std::string& s) {
  const auto number = [](const std::string& bytes) {
    return "\x02" + std::string(1, static_cast<char>(bytes.size())) + bytes;
  };
  const std::string both = number(r) + number(s);
  return "\x30" + std::string(1, static_cast<char>(both.size())) + both;
}

std::string raw(const std::string& signature) {
  char out[64];
  return take_signature(signature, out) ? std::string(out, sizeof out) : "none";
}

TEST(ClientJwt, SignatureIsTakenOutOfItsDer) {
  const std::string a(32, 'a');
  const std::string b(32, 'b');
  EXPECT_EQ(raw(der(a, b)), a + b);
  EXPECT_EQ(raw(der("\0"s + a, "\0"s + b)), a + b) << "a first bit of 1 has a zero before it";
  EXPECT_EQ(raw(der("x", b.substr(1))), std::string(31, '\0') + "x" + "\0"s + b.substr(1));
  for (const std::string& other : {""s, "\x30"s, "\x30\x00"s, der(a + "a", b), der(a, b + "b"), der(a, b) + "x",
                                   der(a, b).substr(0, 69), der("", b), "\x31"s + der(a, b).substr(1),
                                   std::string(64, 'x'), "\x30\x05\x02\x01x\x03\x01y"s, "\x30\x04\x02\x7fxx"s}) {
    EXPECT_EQ(raw(other), "none");
  }
}

class ClientJwtTest : public LongFormTest {
 protected:
  ClientJwtTest() {
    host_.foreign_functions["sign"] = [this](std::string_view argument) -> sdk::Result<std::string> {
      signed_.emplace_back(argument);
      return result_;
    };
  }
  // configuration: with "signing" of these keys besides `audience`.
  static std::string configuration(const std::string& keys) {
    return R"({"sources": [{"name": "idp", "cluster": "idp", "authority": "login.local", "path": "/token",
      "format": "oauth2", "oauth2": {"client_id": "orders \"1\"", "auth_method": "private_key_jwt",
      "signing": {"audience": "https://login.local/token", )" +
           keys + "}}}]}";
  }
  // part: of the last assertion that was sent, decoded.
  std::string part(size_t index) const {
    std::string jwt = host_.calls.back().body;
    const size_t at = jwt.find("client_assertion=");
    if (at == std::string::npos) return "none";
    jwt = jwt.substr(at + 17);
    for (; index != 0; --index) jwt = jwt.substr(jwt.find('.') + 1);
    TextBuilder out;
    EXPECT_TRUE(add_from_base64url(out, jwt.substr(0, jwt.find('.')))) << jwt;
    return std::string(out.view());
  }
  std::string claim(const std::string& name) const {
    Json json;
    if (!json.parse(part(1))) return "no JSON";
    for (const Json::Node* n = json.first(json.root()); n != nullptr; n = json.next(*n)) {
      if (n->key == name) return std::string(n->text);
    }
    return "none";
  }

  std::vector<std::string> signed_;
  sdk::Result<std::string> result_ = "\x08\x01\x12\x03sig"s;  // SignResult{result: true, signature: "sig"}
};

TEST_F(ClientJwtTest, IsMadeForEachCallAndSignedByTheHost) {
  const auto root = start(configuration(R"("key": "PEM", "alg": "RS256", "kid": "k1")"));
  host_.advance(1s);
  EXPECT_EQ(token(root), "Bearer t1");
  EXPECT_EQ(host_.calls[0].body.substr(0, host_.calls[0].body.find("&client_assertion=")),
            "grant_type=client_credentials&client_id=orders+%221%22&client_assertion_type="
            "urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer");
  EXPECT_EQ(host_.calls[0].header("authorization"), "");
  EXPECT_EQ(part(0), R"({"typ":"JWT","alg":"RS256","kid":"k1"})");
  EXPECT_EQ(part(2), "sig");
  EXPECT_EQ(claim("iss"), "orders \"1\"");
  EXPECT_EQ(claim("sub"), "orders \"1\"");
  EXPECT_EQ(claim("aud"), "https://login.local/token");
  const std::string now = std::to_string(host_.calls[0].at_ms / 1000);
  EXPECT_EQ(claim("iat"), std::to_string(std::stoll(now) - 5));
  EXPECT_EQ(claim("exp"), std::to_string(std::stoll(now) + 60));
  std::set<std::string> numbers = {claim("jti")};
  reply_ = {.status = 500};
  host_.advance(200s);
  reply_ = {};
  host_.advance(31s);
  ASSERT_GE(host_.calls.size(), 5u);
  EXPECT_EQ(signed_.size(), host_.calls.size()) << "a new one for each try";
  EXPECT_TRUE(numbers.insert(claim("jti")).second);
  EXPECT_NE(signed_[0].find("\x0a\x06sha256"), std::string::npos);
  EXPECT_NE(signed_[0].find("\x22\x03PEM"), std::string::npos);
}

TEST_F(ClientJwtTest, SignatureByEs256IsNotDer) {
  const std::string signature = der(std::string(32, 'a'), "\0"s + std::string(32, 'b'));
  result_ = "\x08\x01\x12"s + static_cast<char>(signature.size()) + signature;
  start(configuration(R"("key": "PEM", "alg": "ES256", "lifetime": "90s")"));
  host_.advance(1s);
  EXPECT_EQ(part(2), std::string(32, 'a') + std::string(32, 'b'));
  EXPECT_EQ(part(0), R"({"typ":"JWT","alg":"ES256"})");
  EXPECT_EQ(std::stoll(claim("exp")) - std::stoll(claim("iat")), 95);
}

TEST_F(ClientJwtTest, HostThatCannotSignIsSaidOnce) {
  host_.foreign_functions.clear();
  start(configuration(R"("key": "hunter2", "alg": "ES256")"));
  host_.advance(20s);
  EXPECT_TRUE(host_.calls.empty());
  EXPECT_EQ(metric("idp.fetch_failed.not_signed"), 2) << "at the start, and after ten seconds";
  EXPECT_TRUE(
      host_.logged("fetch failed: the assertion could not be signed: this host does not sign, as Envoy does from "
                   "1.37 on: use client_secret_basic, or a file as client_assertion"));
  EXPECT_FALSE(host_.logged("hunter2"));
}

TEST_F(ClientJwtTest, KeyOfAnotherKindIsSaid) {
  for (const sdk::Result<std::string>& result :
       {sdk::Result<std::string>(""s), sdk::Result<std::string>(sdk::Status::kBadArgument),
        sdk::Result<std::string>("\x08\x01\x12\x03sig"s)}) {
    result_ = result;
    host_.logs.clear();
    const auto root = start(configuration(R"("key": "hunter2", "alg": "ES256")"));
    host_.advance(1s);
    EXPECT_TRUE(
        host_.logged("the assertion could not be signed: not with this key, which is to be a private one in PEM, "
                     "PKCS #8: of the curve P-256 for ES256, of RSA for RS256"));
    EXPECT_FALSE(host_.logged("hunter2"));
    worker_.stop(root);
    host_.shared_data.clear();
  }
}

TEST_F(ClientJwtTest, KeyMayBeAFileThatIsReplaced) {
  std::string key = "bad key";
  host_.services["files"] = [&](const FakeCall&) { return FakeReply{.body = "\n" + key + "\n"}; };
  host_.foreign_functions["sign"] = [&](std::string_view argument) -> sdk::Result<std::string> {
    return argument.find("good\nkey") != std::string_view::npos ? result_ : sdk::Result<std::string>(""s);
  };
  std::string text = configuration(R"("key": "${source:key}", "alg": "RS256")");
  text.replace(text.rfind("]}"), 2, R"(, {"name": "key", "cluster": "files", "path": "/key", "format": "text"}]})");
  const auto root = start(text);
  host_.advance(300s);
  EXPECT_EQ(get(root).reply_status, 503u);
  key = "good\nkey";
  host_.advance(11s);
  EXPECT_EQ(token(root), "Bearer t1");
}

TEST_F(ClientJwtTest, AnotherKeyIsAnotherSource) {
  std::set<uint64_t> digests;
  for (const char* keys :
       {R"("key": "a", "alg": "RS256")", R"("key": "b", "alg": "RS256")", R"("key": "a", "alg": "ES256")",
        R"("key": "a", "alg": "RS256", "kid": "k")", R"("key": "a", "alg": "RS256", "lifetime": "2m")"}) {
    Config config;
    ASSERT_TRUE(parse_config(configuration(keys), "", config));
    EXPECT_TRUE(digests.insert(config.sources[0].digest).second) << keys;
  }
}

TEST_F(ClientJwtTest, ConfigurationIsCheckedAsAWhole) {
  const auto error_of = [&](const std::string& text) {
    host_.logs.clear();
    Config config;
    (void)parse_config(text, "", config);
    std::string lines;
    for (const auto& log : host_.logs) lines += log.text.substr(15) + "\n";
    return lines;
  };
  EXPECT_EQ(error_of(configuration(R"("key": "a", "alg": "RS256")")), "");
  EXPECT_EQ(error_of(configuration(R"("key": "a", "alg": "EdDSA")")),
            "sources[0].oauth2.signing.alg: found EdDSA, expected ES256 or RS256\n");
  EXPECT_EQ(error_of(configuration(R"("alg": "RS256")")),
            "sources[0].oauth2.signing.key: found nothing, expected a string\n");
  const std::string rest = R"(, "oauth2": {"client_id": "c", "auth_method": "private_key_jwt"}}]})";
  EXPECT_EQ(
      error_of(R"({"sources": [{"path": "/t", "authority": "a", "format": "oauth2")" + rest),
      "sources[0].oauth2.signing: found nothing, expected an object, just if \"auth_method\" is \"private_key_jwt\"\n");
  const std::string signing = R"("signing": {"key": "k", "alg": "ES256", "audience": "a"})";
  EXPECT_EQ(
      error_of(R"({"sources": [{"path": "/t", "format": "oauth2", "oauth2": {"client_id": "c", )" + signing + "}}]}"),
      "sources[0].oauth2.signing: found an object, expected an object, just if \"auth_method\" is "
      "\"private_key_jwt\"\n");
  EXPECT_NE(error_of(R"({"sources": [{"path": "/t", "format": "oauth2", "oauth2": {"client_id": "c",
      "auth_method": "private_key_jwt", )" +
                     signing + "}}]}")
                .find("sources[0].authority: found nothing"),
            std::string::npos);
  EXPECT_NE(error_of(R"({"sources": [{"path": "/t", "authority": "a", "format": "oauth2", "oauth2": {"client_id": "",
      "auth_method": "private_key_jwt", )" +
                     signing + "}}]}")
                .find("sources[0].oauth2.client_id: found an empty string"),
            std::string::npos);
}

}  // namespace
}  // namespace inlay::header_augmenting
