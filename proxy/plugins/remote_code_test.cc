// SPDX-License-Identifier: Apache-2.0
#include "proxy/plugins/remote_code.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <fstream>
#include <map>

#include "base/temporary_directory.h"
#include "engine/sha256.h"

namespace inlay::proxy::plugins {
namespace {

// Gives call-outs to the test.
class FakeUpstreams final : public host::Upstreams {
 public:
  struct Call {
    host::HttpCallRequest request;
    host::HttpCallHandler* handler;
  };
  Result<uint64_t> start_http_call(host::HttpCallRequest request, host::HttpCallHandler& handler) override {
    ++started;
    if (!reachable) return Error{ErrorCode::kUnavailable, "no healthy host", ""};
    calls.emplace(++last_id, Call{std::move(request), &handler});
    return last_id;
  }
  void cancel_http_call(uint64_t id) override { calls.erase(id); }
  void answer(const std::string& status, std::string_view body) {
    const auto call = calls.extract(calls.begin());
    host::HttpCallResponse response;
    response.headers.add(":status", status);
    response.body.append(body);
    call.mapped().handler->on_http_call_response(call.key(), std::move(response));
  }
  std::map<uint64_t, Call> calls;
  uint64_t last_id = 0;
  size_t started = 0;
  bool reachable = true;
};

class RemoteCodeTest : public ::testing::Test {
 protected:
  RemoteCodeTest() : log_(logging::Logger::create({"off", "", ""}).value()) {
    cache_.emplace(directory_.path());
    code_.uri = "http://m/a.wasm";
    code_.host = "m";
    code_.path = "/a.wasm";
    code_.cluster = "c";
    code_.sha256 = engine::sha256("module");
    code_.num_retries = 0;
    code_.back_off_base = config::Milliseconds(1);
    code_.back_off_max = config::Milliseconds(2);
    remote_.emplace(RemoteCode::Options{loop_, upstreams_, *cache_, *log_, metrics_});
  }

  // "module" or the error's message, once it is known.
  void fetch(std::string& into) {
    remote_->fetch(code_, [&into](const Result<Code>& code) {
      into = code ? std::string((*code)->begin(), (*code)->end()) : code.error().message;
    });
  }
  void run_until(const std::function<bool()>& reached) {
    for (int i = 0; i < 6000 && !reached(); ++i) loop_.run_once(std::chrono::milliseconds(10));
    ASSERT_TRUE(reached());
  }
  int64_t count(const std::string& name) {
    return stats::MetricStore::value(*metrics_.define(
        name == "cache_entries" ? abi::MetricType::kGauge : abi::MetricType::kCounter, "wasm.remote_load_" + name));
  }

  const TemporaryDirectory directory_{"inlay-code-"};
  std::unique_ptr<logging::Logger> log_;
  net::EventLoop loop_;
  FakeUpstreams upstreams_;
  stats::MetricStore metrics_;
  std::optional<CodeCache> cache_;
  config::RemoteCode code_;
  std::optional<RemoteCode> remote_;
};

TEST_F(RemoteCodeTest, WhoAsksMeanwhileWaitsForTheSameFetch) {
  std::string first, second, third;
  fetch(first);
  fetch(second);
  run_until([&] { return !upstreams_.calls.empty(); });
  const auto& request = upstreams_.calls.begin()->second.request;
  EXPECT_EQ(request.cluster, "c");
  EXPECT_EQ(request.headers.get(":authority"), "m");
  EXPECT_EQ(request.headers.get(":path"), "/a.wasm");
  upstreams_.answer("200", "module");
  EXPECT_EQ(first, "");  // from the loop, not from inside of the answer
  run_until([&] { return !second.empty(); });
  EXPECT_EQ(first, "module");
  EXPECT_EQ(second, "module");
  fetch(third);
  run_until([&] { return !third.empty(); });
  EXPECT_EQ(upstreams_.started, 1u);
  EXPECT_EQ(count("cache_misses"), 2);
  EXPECT_EQ(count("cache_hits"), 1);
  EXPECT_EQ(count("fetch_successes"), 1);
  EXPECT_EQ(count("cache_entries"), 1);
}

TEST_F(RemoteCodeTest, AFailureIsRememberedForAWhile) {
  std::string first, second;
  fetch(first);
  run_until([&] { return !upstreams_.calls.empty(); });
  upstreams_.answer("200", "another module");
  run_until([&] { return !first.empty(); });
  EXPECT_EQ(first, "the module's sha256 is " + engine::sha256("another module") + ", but " + engine::sha256("module") +
                       " is expected");
  fetch(second);
  run_until([&] { return !second.empty(); });
  EXPECT_EQ(second, first);
  EXPECT_EQ(upstreams_.started, 1u);
  EXPECT_EQ(count("cache_negative_hits"), 1);
  EXPECT_EQ(count("fetch_failures"), 1);
  EXPECT_EQ(cache_->find(code_.sha256), nullptr);
}

TEST_F(RemoteCodeTest, TriesOnceMoreThanThereAreRetries) {
  code_.num_retries = 3;
  upstreams_.reachable = false;
  std::string outcome;
  fetch(outcome);
  run_until([&] { return !outcome.empty(); });
  EXPECT_EQ(outcome, "no healthy host");
  EXPECT_EQ(upstreams_.started, 4u);
  EXPECT_EQ(count("fetch_failures"), 1);
}

TEST_F(RemoteCodeTest, AnEndCancelsWhatIsUnderWay) {
  std::string outcome;
  fetch(outcome);
  run_until([&] { return !upstreams_.calls.empty(); });
  remote_.reset();
  EXPECT_TRUE(upstreams_.calls.empty());
  loop_.run_once(std::chrono::milliseconds(1));
  EXPECT_EQ(outcome, "");
}

TEST_F(RemoteCodeTest, TheDiskCacheChecksWhatItReads) {
  ASSERT_TRUE(cache_->store(code_.sha256, "module"));
  ASSERT_NE(cache_->find(code_.sha256), nullptr);
  EXPECT_EQ(cache_->find(engine::sha256("other")), nullptr);
  std::ofstream(directory_.file(code_.sha256 + ".wasm")) << "modulE";
  EXPECT_EQ(cache_->find(code_.sha256), nullptr);
  chmod(directory_.path().c_str(), 0777);
  EXPECT_FALSE(cache_->store(code_.sha256, "module"));
}

}  // namespace
}  // namespace inlay::proxy::plugins
