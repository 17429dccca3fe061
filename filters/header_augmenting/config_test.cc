// SPDX-License-Identifier: Apache-2.0
#include "filters/header_augmenting/config.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "sdk/testing/fake_host.h"

namespace inlay::header_augmenting {
namespace {

class ConfigTest : public ::testing::Test {
 protected:
  // errors_of: the lines that are logged, joined; empty if the text is accepted.
  std::string errors_of(std::string_view text) {
    host_.logs.clear();
    Config config;
    const bool read = parse_config(text, std::string_view("ID=me\0SECRET=a+b c\0EMPTY=\0", 26), config);
    EXPECT_EQ(read, host_.logs.empty()) << text;
    std::string lines;
    for (const auto& log : host_.logs) {
      EXPECT_EQ(log.level, abi::LogLevel::kError);
      lines += (lines.empty() ? "" : "\n") + log.text;
    }
    return lines;
  }
  // error_of: the same without the word that each line begins with.
  std::string error_of(std::string_view text) {
    const std::string line = errors_of(text);
    return line.substr(0, 15) == "configuration: " ? line.substr(15) : line;
  }
  bool read(std::string_view text) { return errors_of(text).empty() && parse_config(text, "", config_); }

  sdk::testing::FakeHost host_;
  Config config_;
};

TEST_F(ConfigTest, DefaultsAreThoseOfTheFlatForm) {
  for (const char* text : {"", "  \n", "{}"}) {
    Config config;
    ASSERT_TRUE(parse_config(text, "", config)) << text;
    ASSERT_EQ(config.sources.size(), 1u);
    const SourceConfig& source = config.sources[0];
    EXPECT_EQ(source.name, "default");
    EXPECT_EQ(source.cluster, "sidecar");
    EXPECT_EQ(source.call[0].value, "GET");
    EXPECT_EQ(source.call[1].value, "/headers");
    EXPECT_EQ(source.call[2].value, "sidecar");
    EXPECT_EQ(source.refresh.every_ms, 360'000u);
    EXPECT_EQ(source.timeout_ms, 5'000u);
    EXPECT_EQ(source.max_stale_ms, kUnlimited);
    EXPECT_TRUE(source.invalidate_on.empty());
    EXPECT_EQ(config.max_body, 65'536u);
    EXPECT_EQ(config.trace, Presence::kAny);
    EXPECT_EQ(config.when_missing.action, WhenMissing::Action::kReject);
    EXPECT_EQ(config.when_missing.status, 503u);
    EXPECT_EQ(config.when_missing.retry_after, "");
    ASSERT_EQ(config.rules.size(), 1u);
    EXPECT_EQ(config.rules[0].sources.size(), 1u);
  }
}

TEST_F(ConfigTest, ReadsEveryKeyOfTheFlatForm) {
  ASSERT_TRUE(read(R"({
    "header_providing_service_cluster": "outbound|80||tokens", "header_providing_service_authority": "tokens.local",
    "header_providing_service_path": "/v1?x=1", "header_cache_expiry": "1h30m", "max_body": 1000, "trace": false,
    "when_missing": {"action": "pass", "status": 429, "body": "no", "retry-after": "1500ms"}})"));
  EXPECT_EQ(config_.sources[0].cluster, "outbound|80||tokens");
  EXPECT_EQ(config_.sources[0].authority, "tokens.local");
  EXPECT_EQ(config_.sources[0].path, "/v1?x=1");
  EXPECT_EQ(config_.sources[0].refresh.every_ms, 5'400'000u);
  EXPECT_EQ(config_.max_body, 1000u);
  EXPECT_EQ(config_.trace, Presence::kAbsent);
  EXPECT_EQ(config_.when_missing.action, WhenMissing::Action::kPass);
  EXPECT_EQ(config_.when_missing.status, 429u);
  EXPECT_EQ(config_.when_missing.body, "no");
  EXPECT_EQ(config_.when_missing.retry_after, "2");
}

TEST_F(ConfigTest, ReadsASource) {
  ASSERT_TRUE(read(R"({"sources": [{"name": "keys", "cluster": "c", "path": "/k", "method": "PUT", "body": "b",
    "request_headers": {"X-A": "1", "Accept": "text/json"}, "timeout": "1s", "format": "template",
    "headers": {"X-Key": "k {/key}"}, "allow": ["X-*"], "max_stale": "5m",
    "refresh": {"every": "1m", "early": "30s", "jitter": "5%", "retry": {"initial": "1s", "max": "8s"}}}],
    "invalidate_on": [401, 403]})"));
  const SourceConfig& source = config_.sources[0];
  EXPECT_EQ(source.name, "keys");
  std::string call;
  for (const auto& header : source.call) call += std::string(header.key) + "=" + std::string(header.value) + ";";
  EXPECT_EQ(call, ":method=PUT;:path=/k;:authority=c;x-a=1;accept=text/json;accept-encoding=identity;");
  EXPECT_EQ(source.body, "b");
  EXPECT_EQ(source.headers[0].key, "x-key");
  EXPECT_EQ(source.allow[0], "x-*");
  EXPECT_EQ(source.max_stale_ms, 300'000u);
  EXPECT_EQ(source.refresh.every_ms, 60'000u);
  EXPECT_EQ(source.refresh.early.of(100'000), 30'000u);
  EXPECT_EQ(source.refresh.jitter.of(100'000), 5'000u);
  EXPECT_EQ(source.refresh.retry_initial_ms, 1'000u);
  EXPECT_EQ(source.refresh.retry_max_ms, 8'000u);
  ASSERT_EQ(source.invalidate_on.size(), 2u);
  EXPECT_EQ(source.invalidate_on[1], 403u);
}

TEST_F(ConfigTest, ReadsRules) {
  ASSERT_TRUE(read(R"({"sources": [{"name": "a"}, {"name": "b"}], "rules": [
    {"match": {"cluster": "outbound|80||A.b", "authority": "*.Example.com", "path_prefix": "/v1", "path": "/v1/x", "methods": ["GET"],
               "headers": [{"name": "X-A", "exact": "1"}, {"name": "x-b", "present": false}]},
     "use": ["b"], "mode": "if_absent", "remove": ["Cookie"]}, {"use": []}, {"mode": "append"}]})"));
  ASSERT_EQ(config_.rules.size(), 3u);
  const Rule& rule = config_.rules[0];
  EXPECT_EQ(rule.match.cluster, "outbound|80||A.b");
  EXPECT_EQ(rule.match.authority, "*.example.com");
  EXPECT_EQ(rule.match.methods[0], "GET");
  EXPECT_EQ(rule.match.headers[0].name, "x-a");
  EXPECT_EQ(rule.match.headers[0].exact, "1");
  EXPECT_EQ(rule.match.headers[1].present, Presence::kAbsent);
  EXPECT_EQ(rule.sources[0], 1u);
  EXPECT_EQ(rule.mode, Mode::kIfAbsent);
  EXPECT_EQ(rule.remove[0], "cookie");
  EXPECT_TRUE(config_.rules[1].sources.empty());
  EXPECT_EQ(config_.rules[2].sources.size(), 2u);
}

TEST_F(ConfigTest, OAuth2BringsItsOwnDefaults) {
  ASSERT_TRUE(read(R"({"sources": [{"path": "/token", "format": "oauth2", "oauth2": {"client_id": "id"}}]})"));
  const SourceConfig& source = config_.sources[0];
  EXPECT_EQ(source.max_stale_ms, 0u);
  EXPECT_EQ(source.invalidate_on[0], 401u);
  EXPECT_EQ(source.headers[0].value, "Bearer {/access_token}");
  EXPECT_EQ(source.call[0].value, "POST");
  ASSERT_FALSE(read(R"({"sources": [{"format": "oauth2"}]})"));
}

TEST_F(ConfigTest, InvalidateOnMayBeSwitchedOff) {
  ASSERT_TRUE(read(R"({"invalidate_on": [],
    "sources": [{"path": "/token", "format": "oauth2", "oauth2": {"client_id": "id"}}]})"));
  EXPECT_TRUE(config_.sources[0].invalidate_on.empty());
}

TEST_F(ConfigTest, VariablesAreReplacedInAnyString) {
  EXPECT_EQ(errors_of(R"({"header_providing_service_authority": "${env:ID}.${env:ID}"})"), "");
  Config config;
  ASSERT_TRUE(parse_config(R"({"header_providing_service_authority": "a-${env:ID}-$-${env:ID}"})",
                           std::string_view("IDX=no\0ID=me\0", 13), config));
  EXPECT_EQ(config.sources[0].authority, "a-me-$-me");
  EXPECT_EQ(error_of(R"({"header_providing_service_authority": "${env:MISSING}"})"),
            "header_providing_service_authority: found ${env:MISSING}, which is not set, expected a variable of the "
            "VM's environment (vm_config.environment_variables)");
  EXPECT_NE(error_of(R"({"header_providing_service_authority": "${env:ID"})"), "");
  EXPECT_NE(error_of(R"({"header_providing_service_authority": "${env:SECRET}"})"), "") << "it has a space";
  EXPECT_EQ(error_of(R"({"header_providing_service_authority": "${env:SECRET}"})").find("a+b"), std::string::npos);
}

TEST_F(ConfigTest, ErrorsNameThePathWhatWasFoundAndWhatIsExpected) {
  EXPECT_EQ(error_of(R"({"header_cache_expiry": 360})"),
            "header_cache_expiry: found a number \"360\", expected a duration such as \"250ms\", \"10s\", \"5m\", "
            "\"1h30m\" or \"1d\"");
  EXPECT_EQ(error_of(R"({"when_missing": {"status": 99}})"),
            "when_missing.status: found a number \"99\", expected a status from 200 to 599");
  EXPECT_EQ(error_of(R"({"when_missing": []})"), "when_missing: found an array, expected an object");
  EXPECT_EQ(error_of(R"({"when_missing": {"action": "wait"}})"),
            "when_missing.action: found \"wait\", expected one of reject pass hold");
  EXPECT_EQ(error_of(R"({"header_providing_service_path": "headers"})"),
            "header_providing_service_path: found a string, expected a path that starts with \"/\", a string without "
            "white space");
  EXPECT_EQ(error_of("[]"), "found an array, expected a JSON object");
  EXPECT_EQ(error_of("{\"a\": "), "found no valid JSON (line 1, column 7), expected a JSON object");
  EXPECT_EQ(error_of("{\n  \"a\": 1,\n  b\n}"), "found no valid JSON (line 3, column 3), expected a JSON object");
  EXPECT_EQ(error_of(R"({"sources": [{}, {"name": "b", "refresh": {"retry": {"max": "1x"}}}]})"),
            "sources[1].refresh.retry.max: found a string \"1x\", expected a duration such as \"250ms\", \"10s\", "
            "\"5m\", \"1h30m\" or \"1d\"");
}

TEST_F(ConfigTest, UnknownKeysAreRefusedWithASuggestion) {
  EXPECT_EQ(error_of(R"({"header_cache_expirey": "1s"})"),
            "header_cache_expirey: found an unknown key, expected \"header_cache_expiry\"?");
  EXPECT_EQ(error_of(R"({"when_missing": {"elephant": 503}})"),
            "when_missing.elephant: found an unknown key, expected one of action status body retry-after hold_for "
            "max_held");
  EXPECT_EQ(error_of(R"({"sources": [{"refresh": {"evry": "1s"}}]})"),
            "sources[0].refresh.evry: found an unknown key, expected \"every\"?");
  EXPECT_EQ(error_of(R"({"sources": [{"name": "tokens"}], "rules": [{"use": ["token"]}]})"),
            "rules[0].use[0]: found the name of no source, expected \"tokens\"?");
  EXPECT_EQ(error_of("{\"a\\nforged line\": 1}").find('\n'), std::string::npos);
}

TEST_F(ConfigTest, AllErrorsComeInOnePass) {
  EXPECT_EQ(errors_of(R"({"sources": [{"nme": 1, "timeout": 5, "path": "x"}, {"name": "b", "format": "xml"}],
                          "rules": [{"use": ["c"]}], "max_body": 0})"),
            "configuration: sources[0].nme: found an unknown key, expected \"name\"?\n"
            "configuration: sources[0].timeout: found a number \"5\", expected a duration such as \"250ms\", \"10s\", "
            "\"5m\", \"1h30m\" or \"1d\"\n"
            "configuration: sources[0].path: found a string, expected a path that starts with \"/\", a string without "
            "white space\n"
            "configuration: sources[1].format: found \"xml\", expected one of headers oauth2 template text jwt_svid\n"
            "configuration: max_body: found a number \"0\", expected a number of bytes from 1 to 16777216\n"
            "configuration: rules[0].use[0]: found the name of no source, expected one of default b");
}

TEST_F(ConfigTest, MissingKeyIsSaidOnce) {
  EXPECT_EQ(errors_of(R"({"sources": [{"format": "oauth2", "path": "/t", "oauth2": {"client_secret": "s"}}]})"),
            "configuration: sources[0].oauth2.client_id: found nothing, expected a string without control characters");
}

TEST_F(ConfigTest, KeysThatDoNotGoTogetherAreRefused) {
  for (const char* text : {
           R"({"sources": [{}], "header_cache_expiry": "1s"})",
           R"({"sources": []})",
           R"({"sources": [{}, {}]})",
           R"({"sources": [{"name": "a"}, {"name": "a"}]})",
           R"({"sources": [{"oauth2": {"client_id": "x"}}]})",
           R"({"sources": [{"format": "oauth2", "path": "/t"}]})",
           R"({"sources": [{"format": "oauth2", "oauth2": {"client_id": "x"}}]})",
           R"({"sources": [{"format": "oauth2", "path": "/t", "oauth2": {}}]})",
           R"({"sources": [{"format": "oauth2", "path": "/t", "body": "b", "oauth2": {"client_id": "x"}}]})",
           R"({"sources": [{"format": "oauth2", "path": "/t", "method": "GET", "oauth2": {"client_id": "x"}}]})",
           R"({"sources": [{"format": "oauth2", "path": "/t",
                            "oauth2": {"client_id": "x", "grant_type": "password", "username": "u"}}]})",
           R"({"sources": [{"format": "template"}]})",
           R"({"sources": [{"headers": {"x": "{/y}"}}]})",
           R"({"sources": [{"format": "template", "headers": {"x": "{/y"}}]})",
           R"({"sources": [{"format": "template", "headers": {"host": "{/y}"}}]})",
           R"({"rules": [{"use": ["other"]}]})",
           R"({"rules": [{"remove": ["content-length"]}]})",
           R"({"rules": [{"match": {"headers": [{"exact": "x"}]}}]})",
       }) {
    EXPECT_NE(error_of(text), "") << text;
  }
}

TEST_F(ConfigTest, RefusesBadValues) {
  for (const char* text : {
           R"({"header_cache_expiry": "10x"})",
           R"({"header_cache_expiry": "0s"})",
           R"({"header_cache_expiry": null})",
           R"({"header_providing_service_cluster": ""})",
           R"({"header_providing_service_cluster": 1})",
           R"({"header_providing_service_authority": "a b"})",
           R"({"header_providing_service_authority": "a\r\nx: y"})",
           R"({"header_providing_service_path": "/a\nb"})",
           R"({"max_body": 0})",
           R"({"max_body": -1})",
           R"({"max_body": 1e3})",
           R"({"max_body": "64KiB"})",
           R"({"max_body": 99999999999999999999})",
           R"({"when_missing": {"status": "503"}})",
           R"({"when_missing": {"status": 600}})",
           R"({"when_missing": {"status": 503.5}})",
           R"({"when_missing": {"body": 1}})",
           R"({"when_missing": {"retry-after": "soon"}})",
           R"({"when_missing": {"action": true}})",
           R"({"when_missing": {"max_held": 0}})",
           R"({"header_cache_expiry": "1s", "header_cache_expiry": "2s"})",
           R"({"invalidate_on": 401})",
           R"({"invalidate_on": ["401"]})",
           R"({"sources": {}})",
           R"({"sources": [1]})",
           R"({"sources": [{"name": "a b"}]})",
           R"({"sources": [{"method": ""}]})",
           R"({"sources": [{"request_headers": {"x": 1}}]})",
           R"({"sources": [{"request_headers": {"x y": "1"}}]})",
           R"({"sources": [{"request_headers": {"x": "a\nb"}}]})",
           R"({"sources": [{"allow": ["a b"]}]})",
           R"({"sources": [{"refresh": {"early": "101%"}}]})",
           R"({"sources": [{"refresh": {"early": "%"}}]})",
           R"({"sources": [{"refresh": {"jitter": 5}}]})",
           R"({"sources": [{"max_stale": "for ever"}]})",
           R"({"rules": [{"match": {"path_prefix": "x"}}]})",
           R"({"rules": [{"match": {"cluster": ""}}]})",
           R"({"rules": [{"match": {"cluster": ["a", "b"]}}]})",
           R"({"rules": [{"match": {"headers": [{"name": "x", "present": 1}]}}]})",
       }) {
    EXPECT_NE(error_of(text), "") << text;
  }
}

// Files, editors and `echo` end a secret with a line break, which would be sent as %0A.
TEST_F(ConfigTest, LineBreakAtTheEndOfASecretIsDropped) {
  const std::string_view environment("LF=s3\n\0CRLF=s3\r\n\0IN=a\nb\0TOP=\ns3\n\0", 33);
  const auto oauth2 = [](const std::string& keys) {
    return R"({"sources": [{"format": "oauth2", "path": "/t", "oauth2": {"client_id": "id\n", "auth_method": "none",
        "grant_type": "password", "username": "u", "password": "p\n\r\n", )" +
           keys + "}}]}";
  };
  Config config;
  ASSERT_TRUE(parse_config(oauth2(R"("client_secret": "${env:LF}", "audience": "${env:CRLF}",
      "endpoint_params": {"assertion": "${env:LF}"})"),
                           environment, config));
  const OAuth2& read = config.sources[0].oauth2;
  EXPECT_EQ(read.client_id, "id");
  EXPECT_EQ(read.client_secret, "s3");
  EXPECT_EQ(read.password, "p");
  EXPECT_EQ(read.audience[0], "s3");
  EXPECT_EQ(read.endpoint_params[0].value, "s3");
  Config header;
  ASSERT_TRUE(parse_config(R"({"sources": [{"request_headers": {"x": "k ${env:LF}"}, "body": "${env:IN}"}]})",
                           environment, header));
  EXPECT_EQ(header.sources[0].request_headers[0].value, "k s3");
  EXPECT_EQ(header.sources[0].body, "a\nb") << "a body may have lines";

  const char* const wanted = ": found a string, expected a string without control characters";
  for (const auto& [keys, place] : std::vector<std::pair<std::string, std::string>>{
           {R"("client_secret": "${env:IN}")", "client_secret"},
           {R"("client_secret": "${env:TOP}")", "client_secret"},
           {R"("client_secret": "a\tb")", "client_secret"},
           {R"("client_secret": "a\u007f")", "client_secret"},
           {R"("client_secret": "s", "scopes": ["a", "b\u0000"])", "scopes[1]"},
           {R"("client_secret": "s", "endpoint_params": {"assertion": "${env:IN}"})", "endpoint_params.assertion"}}) {
    host_.logs.clear();
    Config refused;
    EXPECT_FALSE(parse_config(oauth2(keys), environment, refused)) << keys;
    ASSERT_EQ(host_.logs.size(), 1u) << keys;
    EXPECT_EQ(host_.logs[0].text, "configuration: sources[0].oauth2." + place + wanted);
  }
}

TEST_F(ConfigTest, DollarAndBraceBeginAVariableOrAreWrittenAsSuch) {
  const auto body = [&](const std::string& text) { return R"({"when_missing": {"body": ")" + text + "\"}}"; };
  for (const char* wrong :
       {"${SECRET}", "${env:SECRET", "a ${", "${}", "${env:}", "${ENV:ID}", "${env:hunter2 x}", "${hunter2",
        "$${x} ${hunter2}", "${env:hunter2\\n}", "${source:}", "${source:hunter2 x}", "${source:idp"}) {
    EXPECT_EQ(
        error_of(body(wrong)),
        "when_missing.body: found \"${\" that begins no ${env:NAME} or ${source:NAME}, expected one of these, or $${ "
        "for ${ itself")
        << wrong;
  }
  const auto read_body = [&](const std::string& text) {
    Config config;
    EXPECT_TRUE(parse_config(body(text), std::string_view("ID=me\0", 6), config)) << text;
    return std::string(config.when_missing.body);
  };
  EXPECT_EQ(read_body("$${env:ID}"), "${env:ID}");
  EXPECT_EQ(read_body("$$${env:ID}"), "$${env:ID}");
  EXPECT_EQ(read_body("$ $$ {x} $x ${env:ID}$"), "$ $$ {x} $x me$");
  EXPECT_EQ(read_body("$${${env:ID}}"), "${me}");
}

TEST_F(ConfigTest, TokenEndpointIsAskedWithPostWhetherOrNotItIsSaid) {
  const auto method = [](const std::string& name) {
    return R"({"sources": [{"format": "oauth2", "path": "/t", "method": ")" + name +
           R"(", "oauth2": {"client_id": "x"}}]})";
  };
  ASSERT_TRUE(read(method("POST")));
  EXPECT_EQ(config_.sources[0].call[0].value, "POST");
  for (const char* other : {"GET", "post", "PUT"}) {
    EXPECT_EQ(error_of(method(other)),
              "sources[0].method: found " + std::string(other) + ", expected POST (RFC 6749 section 3.2), or none");
  }
}

TEST_F(ConfigTest, AssertionsAreCheckedAsAWhole) {
  const auto error = [&](const std::string& oauth2, const std::string& authority = R"("authority": "a", )") {
    return error_of(R"({"sources": [{"path": "/t", )" + authority +
                    R"("format": "oauth2", "oauth2": {"client_id": "x", )" + oauth2 + "}}]}");
  };
  const std::string method = R"("auth_method": "client_assertion")";
  EXPECT_EQ(error(method + R"(, "client_assertion": "a.b.c")"), "");
  EXPECT_EQ(error(method + R"(, "client_assertion": "a.b.c", "client_assertion_type": "urn:x")"), "");
  EXPECT_EQ(error(method),
            "sources[0].oauth2.client_assertion: found nothing, expected a JWT such as ${source:NAME}, just if "
            "\"auth_method\" is \"client_assertion\"");
  EXPECT_EQ(error(R"("client_assertion": "hunter2")"),
            "sources[0].oauth2.client_assertion: found a string, expected a JWT such as ${source:NAME}, just if "
            "\"auth_method\" is \"client_assertion\"");
  EXPECT_EQ(error(method + R"(, "client_assertion": "a", "client_assertion_type": "jwt_bearer")"),
            "sources[0].oauth2.client_assertion_type: found a string, expected \"jwt-bearer\", \"jwt-spiffe\", or a "
            "URN (urn:...)");
  EXPECT_EQ(error(method + R"(, "client_assertion": "a", "client_secret": "hunter2")"),
            "sources[0].oauth2.client_secret: found a string, expected none beside an assertion");
  EXPECT_EQ(error(method + R"(, "client_assertion": "a")", ""),
            "sources[0].authority: found nothing, expected the token endpoint's own host: providers hold an "
            "assertion's audience against it");
}

TEST_F(ConfigTest, TextsHeadersAreMadeOfItAlone) {
  Config config;
  ASSERT_TRUE(parse_config(R"({"sources": [{"format": "text", "headers": {"x": "a {text}"}}]})", "", config));
  EXPECT_EQ(config.sources[0].refresh.every_ms, 10'000u);
  EXPECT_EQ(
      error_of(R"({"sources": [{"format": "text", "headers": {"x": "{/token}"}}]})"),
      "sources[0].headers: found {/json/pointer} with \"text\", expected {text}, which stands for all of the answer");
  EXPECT_EQ(error_of(R"({"sources": [{"format": "text"}]})"),
            "sources[0].headers: found nothing, expected an object of header name to template, or ${source:NAME} with "
            "its name in another source");
}

TEST_F(ConfigTest, SecretsAreNotRepeated) {
  for (const char* text : {
           R"({"header_providing_service_authority": "hunter2 hunter2"})",
           R"({"when_missing": {"body": ["hunter2"]}})",
           R"({"sources": [{"request_headers": {"x": "hunter2\n"}}]})",
           R"({"sources": [{"format": "oauth2", "path": "hunter2", "oauth2": {"client_secret": ["hunter2"]}}]})",
           R"({"sources": [{"format": "template", "headers": {"x": "hunter2 {/"}}]})",
       }) {
    const std::string errors = errors_of(text);
    EXPECT_NE(errors, "") << text;
    EXPECT_EQ(errors.find("hunter2"), std::string::npos) << errors;
  }
}

}  // namespace
}  // namespace inlay::header_augmenting
