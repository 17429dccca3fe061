// SPDX-License-Identifier: Apache-2.0
// Better code that comes while calls are in each other: an instance takes it over at its own next outermost call, not
// before, whatever calls of other instances are around it.
#include <pthread.h>
#include <signal.h>

#include <set>

#include "compiler/tier_fixture.h"
#include "engine/aot/traps.h"

namespace inlay::compiler {
namespace {

using namespace engine;

using Count = Function<uint32_t()>;
using Host = Function<uint32_t(uint32_t)>;

// Guest is an instance of kState, whose code changes when where() does.
struct Guest {
  explicit Guest(std::unique_ptr<Instance> made)
      : instance(std::move(made)),
        count(*instance->function<uint32_t()>("count")),
        host(*instance->function<uint32_t(uint32_t)>("host")) {}

  // Calls `count`, which is one more each time.
  void step() { EXPECT_EQ(*instance->call(count), ++counted); }
  uint32_t call_host(uint32_t depth) { return *instance->call(host, depth); }
  // The native code that the next call would run, or would have, and the memory, which the interpreter has elsewhere.
  std::pair<NativeFunction, const uint8_t*> where() const { return {*count.native, instance->memory().data()}; }

  std::unique_ptr<Instance> instance;
  Count count;
  Host host;
  uint32_t counted = 100;
};

class NestedSwitchTest : public TierTest {
 protected:
  static constexpr Limits kNoBudget{.call_budget = std::chrono::milliseconds(0)};

  // Has `code_comes` bring better code in a call of `outer` within one of `inner` within one of `outer`, and looks at
  // what each runs all the way back.
  void switch_in_the_middle(Guest& outer, Guest& inner, const std::function<void()>& code_comes) {
    const auto outer_before = outer.where();
    const auto inner_before = inner.where();
    const auto stay = [&] {
      outer.step();
      EXPECT_EQ(outer.where(), outer_before);
      inner.step();
      EXPECT_EQ(inner.where(), inner_before);
    };
    std::set<uint32_t> seen;
    env_.on_call = [&](uint32_t depth) -> uint32_t {
      seen.insert(depth);
      if (depth == 3) {
        code_comes();
        stay();
      } else if (depth == 2) {
        EXPECT_EQ(outer.call_host(3), 30u);
        stay();
      } else {
        EXPECT_EQ(inner.call_host(2), 20u);
        EXPECT_EQ(inner.where(), inner_before) << "not before a call";
        inner.step();
        EXPECT_NE(inner.where(), inner_before) << "this is its outermost call";
        outer.step();
        EXPECT_EQ(outer.where(), outer_before);
      }
      return depth * 10;
    };
    EXPECT_EQ(outer.call_host(1), 10u);
    EXPECT_EQ(seen, (std::set<uint32_t>{1, 2, 3}));
    EXPECT_EQ(outer.where(), outer_before);
    outer.step();
    EXPECT_NE(outer.where(), outer_before);
    inner.step();
  }
};

TEST_F(NestedSwitchTest, OptimisedCodeWaitsForTheOutermostCallOfEachInstance) {
  auto module = load_quick(kState, options());
  Guest outer(instantiate(module, kNoBudget));
  Guest inner(instantiate(module, kNoBudget));
  switch_in_the_middle(outer, inner, [&] {
    release();
    EXPECT_EQ(wait_optimized().error, "");
  });
}

TEST_F(NestedSwitchTest, TheFirstNativeCodeWaitsForTheOutermostCallOfEachInstance) {
  auto module = load(kState, options(Step::kWaits, Step::kWaits));
  Guest outer(instantiate(module, kNoBudget));
  Guest inner(instantiate(module, kNoBudget));
  switch_in_the_middle(outer, inner, [&] {
    release_quick();
    EXPECT_EQ(wait_quick().error, "");
  });
}

TEST_F(NestedSwitchTest, BothKindsOfCodeThatComeInOneCallAreTakenAtOnce) {
  auto module = load(kState, options(Step::kWaits, Step::kWaits));
  Guest outer(instantiate(module, kNoBudget));
  Guest inner(instantiate(module, kNoBudget));
  switch_in_the_middle(outer, inner, [&] {
    release_quick();
    EXPECT_EQ(wait_quick().error, "");
    release();
    EXPECT_EQ(wait_optimized().error, "");
  });
  const auto optimized = outer.where();
  outer.step();
  EXPECT_EQ(outer.where(), optimized);
}

// What the interrupted call is to end with is its own: the instance that goes over within it neither takes it for its
// own nor takes it away.
TEST_F(NestedSwitchTest, AMoveWithinACallThatIsOverItsTimeLeavesThatToIt) {
  auto module = load(kState, options(Step::kWaits, Step::kWaits));
  Guest inner(instantiate(module));
  release_quick();
  EXPECT_EQ(wait_quick().error, "");
  Guest outer(instantiate(module, {.call_budget = std::chrono::milliseconds(5)}));
  const auto interpreted = inner.where();
  env_.on_call = [&](uint32_t a) {
    const auto& pending = detail::thread_state.top->context->pending;
    while ((pending & detail::kPendingDeadline) == 0) std::this_thread::yield();
    // From here on no more signals, which would end the inner call too.
    sigset_t interrupt;
    sigset_t before;
    sigemptyset(&interrupt);
    sigaddset(&interrupt, aot::interrupt_signal());
    pthread_sigmask(SIG_BLOCK, &interrupt, &before);
    inner.step();
    EXPECT_NE(inner.where(), interpreted);
    inner.step();
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    return a;
  };
  const auto late = outer.instance->call(outer.host, 1u);
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().kind, TrapKind::kDeadlineExceeded);
  EXPECT_TRUE(outer.instance->dead());
  EXPECT_FALSE(inner.instance->dead());
  inner.step();
}

}  // namespace
}  // namespace inlay::compiler
