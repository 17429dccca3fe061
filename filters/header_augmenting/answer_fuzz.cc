// SPDX-License-Identifier: Apache-2.0
// What a provider answers. The first byte says in which format it is read (h, o, t, x; e: of an exchange), the second
// which status comes with it; a line up to a NUL, if there is one, is its Cache-Control. Whatever it is: headers that
// come of it are safe to set, and when the provider answers well again, requests get what it says.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "abi/pairs.h"
#include "filters/header_augmenting/answer.h"
#include "filters/header_augmenting/config.h"
#include "filters/header_augmenting/duration.h"
#include "filters/header_augmenting/header_rules.h"
#include "filters/header_augmenting/header_set.h"
#include "filters/header_augmenting/root.h"
#include "sdk/register.h"
#include "sdk/testing/fake_host.h"

namespace inlay::header_augmenting {
namespace {

using namespace std::chrono_literals;
using sdk::testing::FakeReply;

INLAY_REGISTER("*", ExchangingRoot, AugmentingStream);

void require(bool holds) {
  if (!holds) std::abort();
}

struct Case {
  const char* configuration;
  SourceConfig::Format format;
  const char* good;  // an answer, and what comes of it
  const char* name;
  const char* value;
};

constexpr Case kHeaders = {R"({"sources": [{"allow": ["x-*"], "max_stale": "0s"}]})", SourceConfig::Format::kHeaders,
                           R"({"x-good": "1"})", "x-good", "1"};
constexpr Case kOAuth2 = {R"({"sources": [{"path": "/t", "format": "oauth2", "oauth2": {"client_id": "c"}}]})",
                          SourceConfig::Format::kOAuth2, R"({"access_token": "good"})", "authorization", "Bearer good"};
constexpr Case kTemplate = {
    R"({"sources": [{"format": "template", "max_stale": "0s", "headers": {"x": "{/a/0/b~1c}-{/x}"}}]})",
    SourceConfig::Format::kTemplate, R"({"a": [{"b/c": "A"}], "x": 7})", "x", "A-7"};

constexpr Case kPlain = {R"({"sources": [{"format": "text", "headers": {"x": "a {text}"}, "max_stale": "0s"}]})",
                         SourceConfig::Format::kText, " good\n", "x", "a good"};

constexpr const char* kExchange =
    R"({"sources": [{"path": "/t", "format": "oauth2", "oauth2": {"grant_type": "token_exchange", "client_id": "c",
        "requested_token_type": "jwt"}}]})";

// check_answer: reads `body` as such a source does.
void check_answer(const Case& what, std::string_view body) {
  Config config;
  require(parse_config(what.configuration, "", config));
  const SourceConfig& source = config.sources[0];
  Answer answer;
  FetchFailure failure{};
  if (!read_answer(body, source, answer, failure)) return;
  require(answer.lifetime_ms <= kMaxDurationMs && (answer.is_jwt || answer.lifetime_ms % 1000 == 0));
  HeaderSet headers;
  require(headers.assign(answer.pairs.view()));
  for (const abi::Pair& header : headers) {
    require(is_token(header.key) && !is_forbidden(header.key) && is_safe_value(header.value));
    require(std::none_of(header.key.begin(), header.key.end(), [](char c) { return c >= 'A' && c <= 'Z'; }));
    require(what.format != SourceConfig::Format::kHeaders || header.key.starts_with("x-"));
  }
}

// check_life: a worker whose provider answers `reply` first, and well from the fourth second on.
void check_life(const Case& what, const FakeReply& reply) {
  sdk::testing::FakeHost host;
  bool good = false;
  host.services["sidecar"] = [&](const auto&) { return good ? FakeReply{.body = what.good} : reply; };
  sdk::testing::FakeWorker& worker = host.add_worker();
  const auto root = worker.start("any", what.configuration);
  require(root != 0);
  host.advance(4s);
  const bool was_good = worker.request(root, {{":path", "/"}}).reply_status == 0;
  for (const auto& log : host.logs) {
    for (const char c : log.text) require(c < 0 || c >= ' ');
  }
  good = true;
  host.advance(31s);  // retry.max, and a little
  const auto stream = worker.request(root, {{":path", "/"}});
  require(stream.reply_status == 0);
  require(was_good || stream.header(what.name) == what.value);
  worker.stop(root);
}

// check_exchange: a request whose token is exchanged for `reply`, and another one when the provider answers well.
void check_exchange(const FakeReply& reply) {
  sdk::testing::FakeHost host;
  bool good = false;
  host.services["sidecar"] = [&](const auto&) { return good ? FakeReply{.body = kOAuth2.good} : reply; };
  sdk::testing::FakeWorker& worker = host.add_worker();
  const auto root = worker.start("any", kExchange);
  require(root != 0);
  const auto ask = [&](const char* token) -> auto& {
    auto& stream = worker.open(root, {{":path", "/"}, {"authorization", token}});
    host.advance(1s);
    require(!stream.request_held);
    return stream;
  };
  const auto& stream = ask("Bearer first");
  if (stream.reply_status == 0) {
    const std::string sent = stream.header("authorization");
    require(sent.starts_with("Bearer ") && is_safe_value(sent) && sent != "Bearer first");
  } else {
    require(stream.reply_status == 401 || stream.reply_status == 403 || stream.reply_status >= 502);
  }
  for (const auto& log : host.logs) {
    for (const char c : log.text) require(c < 0 || c >= ' ');
  }
  good = true;
  host.advance(301s);  // the longest that a client that is not accepted waits, and a little
  require(ask("Bearer second").header("authorization") == kOAuth2.value);
  require(host.misuses.empty());
  worker.stop(root);
}

}  // namespace
}  // namespace inlay::header_augmenting

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace inlay::header_augmenting;
  if (size < 2) return 0;
  const Case& what = data[0] == 'o' ? kOAuth2 : data[0] == 't' ? kTemplate : data[0] == 'x' ? kPlain : kHeaders;
  std::string_view body(reinterpret_cast<const char*>(data + 2), size - 2);
  FakeReply reply;
  if (data[1] < '0') reply.status = 100 + data[1] * 10u;
  if (const size_t end = body.find('\0'); end != std::string_view::npos) {
    reply.headers.emplace_back("cache-control", std::string(body.substr(0, end)));
    body.remove_prefix(end + 1);
    require(read_max_age(reply.headers[0].second) <= 999'999'999);
  }
  reply.body = body;
  if (data[0] == 'e') {
    check_exchange(reply);
    return 0;
  }
  HeaderSet headers;
  {
    inlay::sdk::testing::FakeHost host;
    (void)headers.assign(body);
    check_answer(what, body);
  }
  check_life(what, reply);
  return 0;
}
