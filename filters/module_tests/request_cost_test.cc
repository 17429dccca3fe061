// SPDX-License-Identifier: Apache-2.0
// How often hosts call the modules for a request, and the modules the host: counted, and held to what
// docs/reference/header_augmenting.md says. INLAY_UPDATE=1 in the environment writes its table anew.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/recorder.h"
#include "testkit/guest_fixture.h"
#include "testkit/proxy.h"

namespace inlay::testkit {
namespace {

constexpr const char* kPage = INLAY_SOURCE_DIR "/docs/reference/header_augmenting.md";
constexpr std::string_view kHead =
    "| a request of | callbacks | allocations | host calls |\n| --- | --- | --- | --- |\n";

std::string text_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// What a request costs: how often which function is called.
struct Cost {
  std::map<std::string, uint64_t> callbacks;
  std::map<std::string, uint64_t> host_calls;
  uint64_t allocations = 0;
};

// A module with a configuration, and a request after the filter has what that needs.
struct Row {
  const char* name;
  const char* module;
  const char* configuration;
  HeaderList request = {};       // besides the four that each has
  const char* set = "Bearer t";  // what its authorization is then
};

const Row kRows[] = {
    {"the lean module, a source of `authorization` and `x-tenant`", "header_augmenting_lean", "{}"},
    {"the full module, the same", "header_augmenting", "{}"},
    {"the lean module, the same with `\"trace\": false`", "header_augmenting_lean", R"({"trace": false})"},
    {"the lean module, OAuth2, chosen by the request's cluster", "header_augmenting_lean",
     R"({"sources": [{"name": "idp", "cluster": "idp", "path": "/token", "format": "oauth2",
                      "oauth2": {"client_id": "c", "client_secret": "s"}}],
         "rules": [{"match": {"cluster": "other"}, "use": []}, {"match": {"cluster": "origin"}, "use": ["idp"]}]})"},
    {"the full module, the same", "header_augmenting",
     R"({"sources": [{"name": "idp", "cluster": "idp", "path": "/token", "format": "oauth2",
                      "oauth2": {"client_id": "c", "client_secret": "s"}}],
         "rules": [{"match": {"cluster": "other"}, "use": []}, {"match": {"cluster": "origin"}, "use": ["idp"]}]})"},
    {"the full module, a token that was exchanged before",
     "header_augmenting",
     R"({"sources": [{"name": "obo", "cluster": "idp", "path": "/token", "format": "oauth2",
                      "oauth2": {"grant_type": "token_exchange", "client_id": "c"}}]})",
     {{"authorization", "Bearer brought"}}},
};

class Counted {
 public:
  explicit Counted(const Row& row) : row_(row) {
    const std::string bytes = text_of(INLAY_BINARY_DIR "/wasm/" + std::string(row.module) + ".wasm");
    auto code = compiler::RecordableCode::load({reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()});
    EXPECT_TRUE(code) << code.error().to_string();
    if (!code) return;
    auto& upstreams = proxy_.worker().upstreams();
    upstreams.answer("sidecar", "/headers", {.body = R"({"authorization": "Bearer t", "x-tenant": "a"})"});
    upstreams.answer("idp", "/token", {.body = R"({"access_token": "t", "token_type": "Bearer", "expires_in": 3600})"});
    module_ = (*code)->module(recorder_);
    auto loaded = proxy_.load(module_, {.name = "augment", .configuration = row.configuration});
    EXPECT_TRUE(loaded) << loaded.error().to_string();
    if (loaded) plugin_ = *loaded;
    proxy_.advance(300ms);
  }

  // A request from beginning to end, answered with 200.
  Cost request() {
    if (plugin_ == nullptr) return {};
    const compiler::Recorder before = *recorder_;
    HeaderList headers = {{":method", "GET"}, {":path", "/"}, {":authority", "a"}, {":scheme", "http"}};
    headers.insert(headers.end(), row_.request.begin(), row_.request.end());
    auto stream = proxy_.stream(*plugin_, headers);
    stream->properties["xds.cluster_name"] = "origin";
    const auto status = stream->request_headers();
    if (status != abi::HeadersStatus::kContinue) proxy_.advance(300ms);  // a first token is fetched
    last_ = stream->request.get("authorization").value_or("");
    stream->response_headers({{":status", "200"}});
    stream->finish();
    return since(before);
  }
  const std::string& last() const { return last_; }

 private:
  Cost since(const compiler::Recorder& before) const {
    Cost cost;
    for (size_t i = 0; i < module_->exports().size(); ++i) {
      const uint64_t count = recorder_->exports[i] - before.exports[i];
      const std::string& name = module_->exports()[i].name;
      if (name == "proxy_on_memory_allocate")
        cost.allocations = count;
      else if (count > 0)
        cost.callbacks[name] = count;
    }
    for (size_t i = 0; i < module_->imports().size(); ++i) {
      const uint64_t count = recorder_->imports[i] - before.imports[i];
      if (count > 0) cost.host_calls[module_->imports()[i].name] = count;
    }
    return cost;
  }

  const Row& row_;
  TestProxy proxy_{ProxyOptions{.engine = engine::EngineKind::kInterp}};
  std::shared_ptr<compiler::Recorder> recorder_ = std::make_shared<compiler::Recorder>();
  std::shared_ptr<engine::Module> module_;
  host::WorkerPlugin* plugin_ = nullptr;
  std::string last_;
};

// "5: `context_create`, 2 `request_headers`", in the order of the ABI's names, without their prefix.
std::string listed(const std::map<std::string, uint64_t>& counts, std::string_view prefix) {
  uint64_t sum = 0;
  std::string names;
  for (const auto& [name, count] : counts) {
    sum += count;
    names += (names.empty() ? " " : ", ") + (count > 1 ? std::to_string(count) + " " : std::string()) + "`" +
             (name.starts_with(prefix) ? name.substr(prefix.size()) : name) + "`";
  }
  return std::to_string(sum) + (names.empty() ? "" : ":" + names);
}

std::string table() {
  std::string rows(kHead);
  for (const Row& row : kRows) {
    Counted counted(row);
    (void)counted.request();  // the first may wait, and fetch
    const Cost cost = counted.request();
    EXPECT_EQ(counted.last(), row.set) << row.name;
    rows += std::string("| ") + row.name + " | " + listed(cost.callbacks, "proxy_on_") + " | " +
            std::to_string(cost.allocations) + " | " + listed(cost.host_calls, "proxy_") + " |\n";
  }
  return rows;
}

TEST(RequestCost, IsWhatTheReferenceSays) {
  const std::string made = table();
  std::string page = text_of(kPage);
  const size_t begin = page.find(kHead);
  ASSERT_NE(begin, std::string::npos) << made;
  size_t end = begin;
  while (end < page.size() && page[end] == '|') end = page.find('\n', end) + 1;
  if (std::getenv("INLAY_UPDATE") != nullptr) {
    page.replace(begin, end - begin, made);
    std::ofstream(kPage, std::ios::binary) << page;
    return;
  }
  EXPECT_EQ(page.substr(begin, end - begin), made) << "INLAY_UPDATE=1 writes it anew";
}

// Nothing that a request costs depends on how many there were.
TEST(RequestCost, IsTheSameForEachRequest) {
  for (const Row& row : kRows) {
    Counted counted(row);
    (void)counted.request();
    const Cost second = counted.request();
    for (int i = 0; i < 100; ++i) {
      const Cost other = counted.request();
      ASSERT_EQ(other.callbacks, second.callbacks) << row.name;
      ASSERT_EQ(other.host_calls, second.host_calls) << row.name;
      ASSERT_EQ(other.allocations, second.allocations) << row.name;
    }
  }
}

}  // namespace
}  // namespace inlay::testkit
