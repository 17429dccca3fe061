// SPDX-License-Identifier: Apache-2.0
#include "proxy/http_filters/jwt_authn/filter.h"

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <map>

#include "base/base64.h"
#include "proxy/downstream/filter_chain.h"
#include "proxy/downstream/filter_chain_fixture.h"

namespace inlay::proxy::http_filters::jwt_authn {
namespace {

using downstream::testing::Factory;
using downstream::testing::Journal;
using downstream::testing::ScriptedFilter;
using downstream::testing::Sink;

constexpr std::string_view kKeys = R"({"keys":[{"kty":"oct","k":"c2VjcmV0"}]})";  // "secret"

std::string encoded(std::string_view bytes) {
  std::string out;
  append_base64(out, bytes);
  for (char& c : out) c = c == '+' ? '-' : c == '/' ? '_' : c;
  return out.substr(0, out.find('='));
}

std::string token(std::string_view claims, std::string_view secret = "secret") {
  std::string text = encoded(R"({"alg":"HS256"})") + "." + encoded(claims);
  unsigned char mac[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()),
       reinterpret_cast<const unsigned char*>(text.data()), text.size(), mac, &size);
  return text + "." + encoded({reinterpret_cast<const char*>(mac), size});
}

// Calls that the test answers.
class HeldUpstreams final : public host::Upstreams {
 public:
  Result<uint64_t> start_http_call(host::HttpCallRequest request, host::HttpCallHandler& handler) override {
    if (request.cluster == "none") return Error{ErrorCode::kNotFound, "no such cluster", ""};
    paths.emplace_back(request.headers.value(http::HeaderId::kPath));
    calls[++last_] = &handler;
    return last_;
  }
  void cancel_http_call(uint64_t id) override { calls.erase(id); }
  void answer(std::string_view status, std::string_view body) {
    const auto call = calls.extract(calls.begin());
    host::HttpCallResponse response;
    response.headers.add(":status", status);
    response.body.append(body);
    call.mapped()->on_http_call_response(call.key(), std::move(response));
  }
  std::map<uint64_t, host::HttpCallHandler*> calls;
  std::vector<std::string> paths;

 private:
  uint64_t last_ = 0;
};

struct Stream {
  Journal journal;
  Sink sink{journal};
  std::unique_ptr<Factory> last;
  std::unique_ptr<downstream::FilterChain> chain;
  bool passed() const { return journal.text().find("r.decode_headers") != std::string::npos; }
  std::string status() const { return std::string(chain->response_headers().value(http::HeaderId::kStatus)); }
};

class JwtAuthnFilterTest : public ::testing::Test {
 protected:
  using Kind = config::JwtRequirement::Kind;
  using Fields = std::vector<std::pair<std::string, std::string>>;

  JwtAuthnFilterTest() {
    routes_.virtual_hosts.resize(1);
    routes_.virtual_hosts[0].domains = {"*"};
    routes_.virtual_hosts[0].routes.resize(1);
    routes_.virtual_hosts[0].routes[0].match.value = "/";
    routes_.virtual_hosts[0].routes[0].action = config::RouteAction{};
  }

  config::JwtProvider& add_provider(std::string name, bool remote) {
    config::JwtProvider& out = settings_.providers.emplace_back();
    out.name = out.issuer = name;
    out.from_headers = {{"x-" + name, ""}};
    if (remote) {
      out.remote_jwks.emplace();
      out.remote_jwks->cluster = "keys";
      out.remote_jwks->path = "/" + name;
      out.remote_jwks->num_retries = 0;
      return out;
    }
    auto keys = std::make_shared<jwt::KeySet>();
    EXPECT_EQ(jwt::KeySet::read(kKeys, *keys), jwt::Status::kOk);
    out.local_jwks = keys;
    return out;
  }
  static config::JwtRequirement needs(std::string provider) {
    config::JwtRequirement out;
    out.kind = Kind::kProvider;
    out.provider = std::move(provider);
    return out;
  }
  static config::JwtRequirement group(Kind kind, std::vector<config::JwtRequirement> all) {
    config::JwtRequirement out;
    out.kind = kind;
    out.requirements = std::move(all);
    return out;
  }
  void require(config::JwtRequirement requirement) {
    config::JwtRule& rule = settings_.rules.emplace_back();
    rule.match.value = "/";
    rule.requirement = std::move(requirement);
  }
  void make() {
    auto table = router::RouteTable::compile(routes_, [](std::string_view) { return std::optional<size_t>(0); });
    ASSERT_TRUE(table);
    auto settings = std::make_shared<config::JwtAuthentication>(settings_);
    factory_ = std::make_unique<JwtAuthnFilterFactory>(
        JwtAuthnFilterFactory::Parts{"jwt", *table, false, std::move(settings)}, loop_, upstreams_, metrics_, "s");
  }
  std::unique_ptr<Stream> send(const Fields& fields) {
    if (!factory_) make();
    auto stream = std::make_unique<Stream>();
    stream->last = std::make_unique<Factory>(
        [journal = &stream->journal] { return std::make_unique<ScriptedFilter>("r", *journal); });
    stream->chain = std::make_unique<downstream::FilterChain>(
        loop_, listener_, std::vector<downstream::FilterFactory*>{factory_.get(), stream->last.get()});
    stream->sink.chain = stream->chain.get();
    stream->sink.finish_at_end = false;
    stream->chain->start(stream->sink);
    http::HeaderMap& request = stream->chain->request_headers();
    for (const auto& [name, value] :
         Fields{{":method", "GET"}, {":path", "/"}, {":authority", "h"}, {"x-forwarded-proto", "http"}})
      request.add(name, value);
    for (const auto& [name, value] : fields) request.add(name, value);
    stream->chain->decode_headers(true);
    return stream;
  }
  std::string ask(const Fields& fields) {
    const auto stream = send(fields);
    const std::string out = stream->passed() ? "passed" : stream->status();
    stream->chain->finish();
    return out;
  }
  void turn(int turns = 10) {
    for (int i = 0; i < turns; ++i) loop_.run_once(std::chrono::milliseconds(2));
  }
  void turn_until_call() {
    while (upstreams_.calls.empty()) loop_.run_once(std::chrono::milliseconds(10));
  }
  int64_t metric(std::string_view name) {
    int64_t out = -1;
    metrics_.for_each([&](const stats::MetricView& m) {
      if (m.name == "http.s.jwt_authn." + std::string(name)) out = m.value;
    });
    return out;
  }

  config::RouteConfiguration routes_;
  config::Listener listener_;
  config::JwtAuthentication settings_;
  stats::MetricStore metrics_;
  net::EventLoop loop_;
  HeldUpstreams upstreams_;
  std::unique_ptr<JwtAuthnFilterFactory> factory_;
  const std::string a_ = token(R"({"iss":"a"})");
  const std::string b_ = token(R"({"iss":"b"})");
};

TEST_F(JwtAuthnFilterTest, LetsGoodTokensPass) {
  add_provider("a", false);
  require(needs("a"));
  EXPECT_EQ(ask({{"x-a", a_}}), "passed");
  EXPECT_EQ(ask({}), "401");
  EXPECT_EQ(ask({{"x-a", b_}}), "401");
  EXPECT_EQ(ask({{"x-a", token(R"({"iss":"a"})", "other")}}), "401");
  EXPECT_EQ(ask({{"x-a", a_}, {"x-a", "x"}}), "401") << "all have to be good";
  EXPECT_EQ(metric("allowed"), 1);
  EXPECT_EQ(metric("denied"), 4);
}

TEST_F(JwtAuthnFilterTest, RequestsWaitForTheSameKeys) {
  add_provider("a", true);
  require(needs("a"));
  const auto one = send({{"x-a", a_}});
  const auto two = send({{"x-a", a_}});
  const auto bad = send({{"x-a", token(R"({"iss":"a"})", "other")}});
  turn_until_call();
  EXPECT_FALSE(one->passed());
  EXPECT_EQ(upstreams_.paths, std::vector<std::string>{"/a"});
  upstreams_.answer("200", kKeys);
  EXPECT_TRUE(one->passed() && two->passed());
  EXPECT_EQ(bad->status(), "401");
  EXPECT_EQ(ask({{"x-a", a_}}), "passed") << "they are kept";
  EXPECT_EQ(metric("jwks_fetch_success"), 1);
  for (const auto* stream : {&one, &two, &bad}) (*stream)->chain->finish();
}

TEST_F(JwtAuthnFilterTest, AStreamThatIsOverIsForgotten) {
  add_provider("a", true);
  require(needs("a"));
  auto gone = send({{"x-a", a_}});
  const auto stays = send({{"x-a", a_}});
  turn_until_call();
  gone->chain->finish();
  turn();
  gone.reset();
  upstreams_.answer("200", kKeys);
  EXPECT_TRUE(stays->passed());
  stays->chain->finish();
}

TEST_F(JwtAuthnFilterTest, WithoutKeysNobodyPasses) {
  add_provider("a", true);
  require(needs("a"));
  for (const auto& [status, body] : Fields{{"500", std::string(kKeys)}, {"200", "{}"}, {"204", ""}}) {
    const auto stream = send({{"x-a", a_}});
    turn_until_call();
    upstreams_.answer(status, body);
    EXPECT_EQ(stream->status(), "401");
    stream->chain->finish();
  }
  EXPECT_EQ(metric("jwks_fetch_failed"), 3);
}

TEST_F(JwtAuthnFilterTest, AClusterThatIsNotThere) {
  add_provider("a", true).remote_jwks->cluster = "none";
  require(needs("a"));
  const auto stream = send({{"x-a", a_}});
  while (stream->status().empty()) loop_.run_once(std::chrono::milliseconds(10));
  EXPECT_EQ(stream->status(), "401");
  stream->chain->finish();
}

TEST_F(JwtAuthnFilterTest, AFailedTryIsMadeAgain) {
  config::RemoteKeys& remote = *add_provider("a", true).remote_jwks;
  remote.has_retry_policy = true;
  remote.num_retries = 2;
  remote.back_off_base = remote.back_off_max = std::chrono::milliseconds(1);
  require(needs("a"));
  const auto stream = send({{"x-a", a_}});
  for (const char* status : {"503", "500"}) {
    turn_until_call();
    upstreams_.answer(status, "");
  }
  turn_until_call();
  upstreams_.answer("200", kKeys);
  EXPECT_TRUE(stream->passed());
  EXPECT_EQ(metric("jwks_fetch_failed"), 0);
  stream->chain->finish();
}

TEST_F(JwtAuthnFilterTest, OneOfSeveralIsEnough) {
  add_provider("a", true);
  add_provider("b", false).claim_to_headers = {{"x-iss", {"iss"}}};
  require(group(Kind::kAny, {needs("a"), needs("b")}));
  const auto stream = send({{"x-a", a_}, {"x-b", b_}});
  EXPECT_TRUE(stream->passed()) << "the keys of the other are not waited for";
  turn_until_call();
  upstreams_.answer("200", kKeys);
  EXPECT_EQ(stream->chain->request_headers().get("x-a"), a_) << "what is sent already is not changed";
  EXPECT_EQ(stream->chain->request_headers().get("x-iss"), "b");
  stream->chain->finish();
}

TEST_F(JwtAuthnFilterTest, AllTogether) {
  add_provider("a", true);
  add_provider("b", true);
  require(group(Kind::kAll, {needs("a"), needs("b")}));
  const auto stream = send({{"x-a", a_}, {"x-b", b_}});
  while (upstreams_.calls.size() < 2) loop_.run_once(std::chrono::milliseconds(10));
  upstreams_.answer("200", kKeys);
  EXPECT_FALSE(stream->passed());
  upstreams_.answer("200", kKeys);
  EXPECT_TRUE(stream->passed());
  stream->chain->finish();
  EXPECT_EQ(ask({{"x-a", a_}}), "401");
}

TEST_F(JwtAuthnFilterTest, AnyOfNothingButMissing) {
  add_provider("a", false);
  config::JwtRequirement missing;
  missing.kind = Kind::kAllowMissing;
  config::JwtRequirement failed;
  failed.kind = Kind::kAllowMissingOrFailed;
  require(group(Kind::kAny, {missing, missing}));
  EXPECT_EQ(ask({}), "passed");
  EXPECT_EQ(ask({{"x-a", "x"}}), "401");
  settings_.rules.clear();
  factory_.reset();
  require(group(Kind::kAny, {missing, failed}));
  EXPECT_EQ(ask({{"x-a", "x"}}), "passed");
}

TEST_F(JwtAuthnFilterTest, TheRouteSaysMore) {
  add_provider("a", false);
  settings_.requirement_map = {{"free", config::JwtRequirement{}}};
  require(needs("a"));
  auto& settings = routes_.virtual_hosts[0].routes[0].jwt_settings;
  routes_.jwt_settings = {{"jwt", true, ""}};
  EXPECT_EQ(ask({}), "passed");
  settings = {{"other", true, ""}};
  routes_.jwt_settings = {{"jwt", false, "none"}};
  factory_.reset();
  EXPECT_EQ(ask({{"x-a", a_}}), "403");
  settings = {{"jwt", false, "free"}};
  factory_.reset();
  EXPECT_EQ(ask({}), "passed");
}

TEST_F(JwtAuthnFilterTest, TellsWhatItHasFoundOut) {
  config::JwtProvider& provider = add_provider("a", false);
  provider.payload_in_metadata = "claims";
  provider.header_in_metadata = "head";
  provider.failed_status_in_metadata = "why";
  provider.space_delimited_claims = {"scope"};
  require(needs("a"));
  auto stream = send({{"x-a", token(R"({"iss":"a","scope":"r  w","n":1.5})")}});
  config::Metadata& metadata = stream->chain->info().dynamic_metadata;
  ASSERT_EQ(metadata.size(), 1u);
  EXPECT_EQ(metadata[0].first, kMetadataName);
  EXPECT_EQ(metadata[0].second, R"({"head":{"alg":"HS256"},"claims":{"iss":"a","scope":["r","w"],"n":1.5}})");
  stream->chain->finish();
  stream = send({});
  EXPECT_EQ(stream->chain->info().dynamic_metadata[0].second, R"({"why":{"code":1,"message":"Jwt is missing"}})");
  stream->chain->finish();
}

}  // namespace
}  // namespace inlay::proxy::http_filters::jwt_authn
