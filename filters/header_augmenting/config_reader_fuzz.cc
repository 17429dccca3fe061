// SPDX-License-Identifier: Apache-2.0
// The filter's configuration, and what a configuration that is accepted does to a worker: it fetches, requests pass,
// upstreams refuse. Whatever the text: it is accepted, or refused with a reason; a secret of the environment is in no
// reason.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "filters/header_augmenting/call.h"
#include "filters/header_augmenting/config.h"
#include "filters/header_augmenting/duration.h"
#include "filters/header_augmenting/header_rules.h"
#include "filters/header_augmenting/references.h"
#include "filters/header_augmenting/root.h"
#include "filters/header_augmenting/template.h"
#include "sdk/register.h"
#include "sdk/testing/fake_host.h"

namespace inlay::header_augmenting {
namespace {

using namespace std::chrono_literals;

INLAY_REGISTER("*", ExchangingRoot, AugmentingStream);

void require(bool holds) {
  if (!holds) std::abort();
}

void check_headers(Pairs headers) {
  for (const abi::Pair& header : headers) {
    const bool of_grpc = header.key == "te" && header.value == "trailers";
    require(header.key.starts_with(':') || of_grpc || (is_token(header.key) && !is_forbidden(header.key)));
    require(is_safe_value(header.value));
  }
}

// check_call: the call of a source, with values in the places of the others that it refers to.
void check_call(const Config& config, const SourceConfig& source) {
  Arena arena;
  const Pairs values = arena.array<abi::Pair>(source.refers_to.size());
  for (size_t i = 0; i < values.size(); ++i) {
    const SourceConfig& other = config.sources[source.refers_to[i]];
    require(other.is_referred_to && &other != &source);
    values[i] = {other.name, "value+1"};
  }
  require(is_made_anew(source) == source.call.empty());
  SourceConfig filled = source;
  if (is_made_anew(source))
    fill_in(filled, values, arena);  // any other is filled in already: once is right, twice is not
  require(prepare_call(filled, arena));
  check_headers(filled.call);
  require(source.call.empty() || (filled.body == source.body && filled.call.size() == source.call.size()));
  require(filled.call.size() >= 4 && filled.call[0].key == ":method" && filled.call[1].value.starts_with('/'));
}

void check_source(const SourceConfig& source) {
  require(!source.name.empty() && !source.cluster.empty());
  for (const abi::Pair& header : source.headers) require(is_template(header.value));
  for (const uint64_t ms : {source.timeout_ms, source.refresh.every_ms, source.refresh.retry_max_ms}) {
    require(ms >= 1 && ms <= kMaxDurationMs);
  }
  for (const uint64_t status : source.invalidate_on) require(status >= 200 && status <= 599);
}

void check(const Config& config) {
  require(!config.sources.empty() && !config.rules.empty());
  for (size_t i = 0; i < config.sources.size(); ++i) {
    check_source(config.sources[i]);
    check_call(config, config.sources[i]);
    for (size_t j = 0; j < i; ++j) require(config.sources[i].name != config.sources[j].name);
  }
  for (const Rule& rule : config.rules) {
    for (const uint32_t source : rule.sources) require(source < config.sources.size());
    require(rule.per_request == kNoSource || config.sources[rule.per_request].per_request);
    require(rule.with_digest == 0 || rule.per_request != kNoSource);
    for (const std::string_view name : rule.remove) require(is_token(name) && !is_forbidden(name));
  }
  require(config.max_body >= 1 && config.max_body <= 16 << 20);
}

// run: a worker with the configuration, its first seconds.
void run(sdk::testing::FakeHost& host, std::string_view text) {
  host.services["sidecar"] = [](const auto&) {
    return sdk::testing::FakeReply{.body = R"({"x-a":"1","access_token":"t","expires_in":1})", .delay_ms = 5};
  };
  sdk::testing::FakeWorker& worker = host.add_worker();
  const auto root = worker.start("any", text);
  require(root != 0);
  auto& held = worker.open(root, {{":authority", "a"}, {":method", "GET"}, {":path", "/"}, {"x-a", "forged"}});
  host.advance(300ms);
  auto& stream = worker.open(root, {{":authority", "A:80"}, {":method", "PUT"}, {":path", "/v1/x?q"}, {"cookie", "c"}});
  auto& own = worker.open(root, {{":authority", "A:80"}, {":path", "/v1/x?q"}, {"authorization", "Bearer t"}});
  worker.respond(stream, {{":status", "401"}});
  host.advance(2s);
  worker.close(stream);
  worker.close(held);
  worker.close(own);
  worker.stop(root);
}

}  // namespace
}  // namespace inlay::header_augmenting

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace inlay::header_augmenting;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  inlay::sdk::testing::FakeHost host;
  host.environment = {{"NAME", "value"}, {"SECRET", "hunter2\x01"}};
  Config config;
  const bool accepted = parse_config(text, std::string_view("NAME=value\0SECRET=hunter2\x01\0", 27), config);
  require(accepted == host.logs.empty());
  for (const auto& log : host.logs) {
    require(log.level == inlay::abi::LogLevel::kError);
    for (const char c : log.text) require(c < 0 || c >= ' ');
    require(text.find("hunter2") != std::string_view::npos || log.text.find("hunter2") == std::string::npos);
  }
  if (!accepted) return 0;
  check(config);
  Config again;
  require(parse_config(text, std::string_view("NAME=value\0SECRET=hunter2\x01\0", 27), again));
  for (size_t i = 0; i < config.sources.size(); ++i) require(config.sources[i].digest == again.sources[i].digest);
  run(host, text);
  return 0;
}
