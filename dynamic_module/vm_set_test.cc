// SPDX-License-Identifier: Apache-2.0
#include "dynamic_module/vm_set.h"

#include <gmock/gmock.h>

#include "dynamic_module/fake_envoy_fixture.h"
#include "testkit/guest_fixture.h"

namespace inlay::dynamic_module {
namespace {

using testing::ElementsAre;
using testkit::guest;
using testkit::import_proxy;

// Each request adds 1 to a number in the VM, and is answered with it; on its path /trap it traps instead. The root
// context's end sets a flag that makes that number 400.
constexpr std::string_view kCounting = R"(
  (global $count (mut i32) (i32.const 200))
  (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
    (if (i32.eq (local.get 1) (i32.const 3)) (then (unreachable)))
    (global.set $count (i32.add (global.get $count) (i32.const 1)))
    (drop (call $send_local_response (global.get $count) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0)
      (i32.const 0) (i32.const 0) (i32.const -1)))
    (i32.const 1))
  (func (export "proxy_on_done") (param i32) (result i32)
    (if (i32.lt_u (local.get 0) (i32.const 3)) (then (global.set $count (i32.const 400))))
    (i32.const 1))
)";

class VmSetTest : public testing::Test {
 protected:
  void SetUp() override {
    const auto bytes = compiler::wat_to_wasm(guest(import_proxy("send_local_response", 8), std::string(kCounting)));
    ASSERT_TRUE(bytes) << bytes.error().to_string();
    auto module = compiler::load_module(*bytes, {.kind = engine::EngineKind::kInterp});
    ASSERT_TRUE(module) << module.error().to_string();
    module_ = *module;
  }
  std::unique_ptr<Configuration> configure(const std::string& name, const std::string& vm_id) {
    Settings settings;
    settings.plugin.name = name;
    settings.plugin.vm_id = vm_id;
    settings.plugin.configuration = name;
    auto made = Configuration::start(&config_, std::move(settings), module_);
    EXPECT_TRUE(made) << made.error().to_string();
    return *std::move(made);
  }
  static std::vector<std::string> request(Configuration& configuration, bool trap = false) {
    envoy::Filter filter(configuration);
    filter.maps[0] = {{":method", "GET"}, {":path", "/"}};
    if (trap) filter.maps[0].emplace_back("trap", "1");
    (void)filter.stream->request_headers(true);
    return filter.done;
  }

  envoy::FilterConfig config_;
  std::shared_ptr<engine::Module> module_;
};

TEST_F(VmSetTest, ConfigurationsOfOneKeyShareTheirVms) {
  const auto one = configure("one", "v");
  const auto two = configure("two", "v");
  const auto other = configure("other", "w");
  EXPECT_THAT(request(*one), ElementsAre("reply 201 "));
  EXPECT_THAT(request(*two), ElementsAre("reply 202 "));
  EXPECT_THAT(request(*other), ElementsAre("reply 201 "));
}

TEST_F(VmSetTest, ATrapEndsThemAll) {
  const auto one = configure("one", "v");
  const auto two = configure("two", "v");
  EXPECT_THAT(request(*one, true), ElementsAre("reply 503 "));
  EXPECT_THAT(request(*two), ElementsAre("reply 503 "));
}

TEST_F(VmSetTest, TheVmStaysAsLongAsOneOfThem) {
  auto one = configure("one", "v");
  auto two = configure("two", "v");
  EXPECT_THAT(request(*one), ElementsAre("reply 201 "));
  one.reset();  // its root context ends
  EXPECT_THAT(request(*two), ElementsAre("reply 401 "));
  const auto three = configure("three", "v");
  two.reset();
  EXPECT_THAT(request(*three), ElementsAre("reply 401 "));
  const auto anew = configure("three", "v");  // the same root context
  EXPECT_THAT(request(*anew), ElementsAre("reply 402 "));
}

TEST_F(VmSetTest, TheLastOneTakesTheVmsAlong) {
  auto one = configure("one", "v");
  EXPECT_THAT(request(*one), ElementsAre("reply 201 "));
  one.reset();
  one = configure("one", "v");
  EXPECT_THAT(request(*one), ElementsAre("reply 201 "));
}

// What a call comes to, without a guest.
class Handler final : public host::HttpCallHandler {
 public:
  void on_http_call_response(uint64_t, host::HttpCallResponse response) override {
    const std::lock_guard lock(mutex_);
    ended_ = response.reset ? "reset" : "answered";
    changed_.notify_all();
  }
  std::string wait() {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, std::chrono::minutes(1), [&] { return !ended_.empty(); });
    return ended_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::string ended_;
};

TEST_F(VmSetTest, ACallThatWentByOneWhoLeavesIsReset) {
  const auto one = configure("one", "v");
  auto two = configure("two", "v");
  envoy::Filter filter(*one);
  Handler handler;
  {
    const std::lock_guard lock(filter.vm->mutex());
    host::HttpCallRequest call;
    call.cluster = "auth";
    ASSERT_TRUE(filter.vm->upstreams().start_http_call(std::move(call), handler));
  }
  config_.run_main(*two);
  EXPECT_EQ(config_.calls.size(), 1u);
  filter.destroy();
  two.reset();
  EXPECT_EQ(handler.wait(), "reset");
}

}  // namespace
}  // namespace inlay::dynamic_module
