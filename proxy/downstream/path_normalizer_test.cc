// SPDX-License-Identifier: Apache-2.0
// Every expectation but those of "StricterThanEnvoy" was seen in Envoy 1.40.
#include "proxy/downstream/path_normalizer.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace inlay::proxy::downstream {
namespace {

struct Row {
  const char* path;
  const char* becomes;
};

TEST(PathNormalizer, DotSegmentsAndEscapes) {
  const Row table[] = {
      {"/", "/"},
      {"/a/b", "/a/b"},
      {"/a/./b/", "/a/b/"},
      {"/a/../b", "/b"},
      {"/a/b/..", "/a/"},
      {"/a/.", "/a/"},
      {"/..", "/"},
      {"/../../x", "/x"},
      {"/a/%2e%2E/admin", "/admin"},
      {"/a/.%2e/b", "/b"},
      {"/a\\..\\b", "/b"},
      {"/a?/../%2e", "/a?/../%2e"},
      {"/a//b", "/a//b"},
      {"/a//../b", "/a/b"},
      {"/a/...", "/a/..."},
      {"/.a/..b/", "/.a/..b/"},
      {"*", "*"},
      {"/%61%2f%2F%5c%c0%3b", "/a%2f%2F%5c%c0%3b"},
      {"/%41%5A%7e%2D%30", "/AZ~-0"},
      {"/a%252fb", "/a%252fb"},
      {"/a\"<>^`{|}b", "/a%22%3C%3E%5E%60%7B%7C%7Db"},
      {"/%", "/%"},
      {"/a%2", "/a%2"},
      {"/a%zz", "/a%zz"},
      {"/a%u002fb", "/a%u002fb"},
  };
  for (const Row& row : table) EXPECT_EQ(normalize_path(row.path), row.becomes) << row.path;
  for (const char* bad : {"/%00", "/a/.%00", "/%00?x"}) EXPECT_EQ(normalize_path(bad), std::nullopt) << bad;
  EXPECT_EQ(normalize_path("/a?%00"), "/a?%00");
}

// Servers that know path parameters drop them before they look for dots.
TEST(PathNormalizer, DotSegmentsWithAParameter) {
  const Row table[] = {
      {"/a/..;/b", "/b"},
      {"/a/.;/b", "/a/b"},
      {"/a/..;x/b", "/b"},
      {"/a/..;", "/"},
      {"/a/.;x", "/a/"},
      {"/..;/admin", "/admin"},
      {"/a/...;/b", "/a/...;/b"},
      {"/a/b;/../c", "/a/c"},
      {"/a/b;x=../c", "/a/b;x=../c"},
      {"/a/..%3b/b", "/a/..%3b/b"},
      {"/a/..\\;/b", "/;/b"},
  };
  for (const Row& row : table) EXPECT_EQ(normalize_path(row.path), row.becomes) << row.path;
}

// Envoy 1.40 makes "/a/..;/b" of it, which such a server reads as "/b" behind the back of every rule.
TEST(PathNormalizer, StricterThanEnvoyWithEscapedDotsAndAParameter) {
  EXPECT_EQ(normalize_path("/a/%2e%2e;/b"), "/b");
}

// Whoever decodes the result once more must not find an escape that the client did not write as one.
TEST(PathNormalizer, DecodingMakesNoNewEscape) {
  const Row table[] = {
      {"/%2%65", "/%252e"},
      {"/%2%65%2%65/x", "/%252e%252e/x"},
      {"/%%32%65%%32%65/", "/%252e%252e/"},
      {"/%%32e/", "/%252e/"},
      {"/%2%65./", "/%252e./"},
      {"/%2%6", "/%2%6"},
      {"/%%%41", "/%%A"},
      {"/%a%61", "/%25aa"},
      {"/%%61a/b", "/%25aa/b"},
      {"/%%61%%61/", "/%a%a/"},
      {"/%4%31%2f", "/%2541%2f"},
      {"/a/%2%65%2e/b", "/a/%252e./b"},
      {"/%5%63", "/%255c"},
      {"/%%35%63", "/%255c"},
      {"/a%%41", "/a%A"},
  };
  for (const Row& row : table) EXPECT_EQ(normalize_path(row.path), row.becomes) << row.path;
}

TEST(PathNormalizer, MergesSlashes) {
  EXPECT_EQ(merge_slashes("//a///b?c//d"), "/a/b?c//d");
  EXPECT_EQ(merge_slashes("/a/b//"), "/a/b/");
}

TEST(PathNormalizer, UnescapesSlashesOnce) {
  const Row table[] = {
      {"/a%2Fb%2fc", "/a/b/c"},     {"/a%5cb%5C", "/a\\b\\"},
      {"/a%252fb", "/a%252fb"},     {"/a%25%32%66b", "/a%25%32%66b"},
      {"/a%2f?x=%2f", "/a/?x=%2f"}, {"/a%2", "/a%2"},
      {"/a%2?f", "/a%2?f"},         {"/%%2f", "/%/"},
  };
  for (const Row& row : table) EXPECT_EQ(unescape_slashes(row.path), row.becomes) << row.path;
}

using Action = config::HttpConnectionManager::EscapedSlashes;

std::string applied(std::string path, Action action, bool normalize, bool merge) {
  config::HttpConnectionManager config;
  config.escaped_slashes = action;
  config.normalize_path = normalize;
  config.merge_slashes = merge;
  if (!path_rules_concern(config, path)) return path;
  switch (apply_path_rules(config, path)) {
    case PathOutcome::kTake:
      return path;
    case PathOutcome::kRefuse:
      return "refused";
    case PathOutcome::kRedirect:
      return "to " + path;
  }
  return "";
}

TEST(PathRules, InEnvoysOrder) {
  const struct {
    const char* path;
    const char* alone;       // UNESCAPE_AND_FORWARD
    const char* normalized;  // and normalize_path
    const char* merged;      // and merge_slashes
  } table[] = {
      {"/x/..%2fadmin", "/x/../admin", "/admin", "/admin"},
      {"/x%2f..%2Fadmin", "/x/../admin", "/admin", "/admin"},
      {"/x/..%5cadmin", "/x/..\\admin", "/admin", "/admin"},
      {"/%2fadmin", "//admin", "//admin", "/admin"},
      {"//a%2f%2fb", "//a//b", "//a//b", "/a/b"},
      {"/%2e%2e%2f", "/%2e%2e/", "/", "/"},
      {"/%2E%2E%5C..%2fetc?a=../b", "/%2E%2E\\../etc?a=../b", "/etc?a=../b", "/etc?a=../b"},
      {"/a%00%2fb", "/a%00/b", "refused", "refused"},
      {"/a;b%2fc", "/a;b/c", "/a;b/c", "/a;b/c"},
      {"/a%zz%2f", "/a%zz/", "/a%zz/", "/a%zz/"},
      {"/?/../%2f", "/?/../%2f", "/?/../%2f", "/?/../%2f"},
  };
  for (const auto& row : table) {
    EXPECT_EQ(applied(row.path, Action::kForward, false, false), row.alone) << row.path;
    EXPECT_EQ(applied(row.path, Action::kForward, true, false), row.normalized) << row.path;
    EXPECT_EQ(applied(row.path, Action::kForward, true, true), row.merged) << row.path;
  }
}

TEST(PathRules, Actions) {
  for (const char* path : {"/a%2fb", "/a%2Fb", "/a%5cb", "/a%5Cb", "/a%2fb?x"}) {
    EXPECT_EQ(applied(path, Action::kReject, true, true), "refused") << path;
    EXPECT_EQ(applied(path, Action::kRedirect, true, true).substr(0, 7), "to /a/b") << path;
    EXPECT_EQ(applied(path, Action::kKeepUnchanged, true, true), path) << path;
  }
  for (const char* path : {"/a", "/a%252fb", "/a?%2f", "/a%2"})
    for (Action action : {Action::kReject, Action::kRedirect, Action::kForward})
      EXPECT_EQ(applied(path, action, true, true), path) << path;
  EXPECT_EQ(applied("/%61//b", Action::kRedirect, true, true), "/a/b") << "only escaped slashes are worth a redirect";
}

TEST(PathRules, APathThatIsNormalConcernsThemNot) {
  config::HttpConnectionManager config;
  EXPECT_FALSE(path_rules_concern(config, "//a/../%2f"));
  config.normalize_path = config.merge_slashes = true;
  config.escaped_slashes = Action::kRedirect;
  for (const char* path : {"/", "/a/b.c/d-e_f~g", "/a?x=%2f//../", "/a;b=c/d,e"})
    EXPECT_FALSE(path_rules_concern(config, path)) << path;
  for (const char* path : {"/%61", "//", "/a//b", "/.", "/a/..", "/a\\b", "/a{b", "/a%2f"})
    EXPECT_TRUE(path_rules_concern(config, path)) << path;
}

TEST(PathRules, ARedirectStaysOnItsServer) {
  EXPECT_EQ(same_server_reference("/a//b"), "/a//b");
  EXPECT_EQ(same_server_reference("//evil.test/x"), "/.//evil.test/x");
  EXPECT_EQ(same_server_reference("/\\evil.test"), "/./\\evil.test");
}

}  // namespace
}  // namespace inlay::proxy::downstream
