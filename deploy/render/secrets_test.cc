// SPDX-License-Identifier: Apache-2.0
#include "deploy/render/secrets.h"

#include <gtest/gtest.h>

namespace inlay::deploy {
namespace {

TEST(LiteralSecret, IsFoundByItsKey) {
  for (const char* key : {"client_secret", "clientSecret", "PASSWORD", "db-password", "api_key", "apiKey",
                          "private_key", "client_assertion"})
    EXPECT_TRUE(is_literal_secret("", key, "hunter2")) << key;
  for (const char* key : {"authorization", "x-api-key", "x-vault-token", "cookie"}) {
    EXPECT_TRUE(is_literal_secret("request_headers", key, "hunter2")) << key;
    EXPECT_TRUE(is_literal_secret("headers", key, "hunter2")) << key;
  }
}

TEST(LiteralSecret, IsFoundByItsText) {
  EXPECT_TRUE(is_literal_secret("", "x", "Bearer abc"));
  EXPECT_TRUE(is_literal_secret("", "x", "eyJhbGciOiJub25lIn0.e30."));
  EXPECT_TRUE(is_literal_secret("", "x", "-----BEGIN PRIVATE KEY-----"));
}

TEST(LiteralSecret, IsWhatIsWrittenAsNoVariable) {
  EXPECT_TRUE(is_literal_secret("", "client_secret", "$${env:hunter2}"));
  EXPECT_TRUE(is_literal_secret("", "client_secret", "$${source:hunter2}"));
}

TEST(LiteralSecret, IsNothingElse) {
  EXPECT_FALSE(is_literal_secret("", "client_secret", "${env:CLIENT_SECRET}"));
  EXPECT_FALSE(is_literal_secret("", "client_secret", ""));
  EXPECT_FALSE(is_literal_secret("headers", "authorization", "Bearer {/access_token}"));
  EXPECT_FALSE(is_literal_secret("request_headers", "authorization", "Bearer ${env:TOKEN}"));
  EXPECT_FALSE(is_literal_secret("request_headers", "authorization", "Bearer ${source:login}"));
  EXPECT_FALSE(is_literal_secret("oauth2", "client_assertion", "${source:sa}"));
  EXPECT_FALSE(is_literal_secret("headers", "authorization", "Bearer {text}"));
  for (const char* key : {"auth_method", "token_endpoint", "path", "allow", "monkey", "keys_path", "secret_name"})
    EXPECT_FALSE(is_literal_secret("", key, "client_secret_basic")) << key;
  EXPECT_FALSE(is_literal_secret("", "allow", "authorization"));
  EXPECT_FALSE(is_literal_secret("", "prefix", "Bearer "));
}

}  // namespace
}  // namespace inlay::deploy
