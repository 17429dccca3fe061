// SPDX-License-Identifier: Apache-2.0
#include "upstream/dns_resolver.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>

namespace inlay::upstream {
namespace {

using namespace std::chrono_literals;
using Addresses = std::vector<std::string>;

TEST(DnsResolver, AddressesResolveToThemselves) {
  EXPECT_EQ(system_resolve("127.0.0.1", DnsFamily::kAuto).value(), Addresses{"127.0.0.1"});
  EXPECT_EQ(system_resolve("::1", DnsFamily::kAll).value(), Addresses{"::1"});
}

TEST(DnsResolver, FamilyIsHonoured) {
  EXPECT_EQ(system_resolve("localhost", DnsFamily::kV4Only).value(), Addresses{"127.0.0.1"});
  auto wrong = system_resolve("127.0.0.1", DnsFamily::kV6Only);
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().code, ErrorCode::kNotFound);
}

TEST(DnsResolver, AFailureNamesTheName) {
  auto none = system_resolve("no-such-host.invalid", DnsFamily::kAuto);
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, ErrorCode::kUnavailable);
  EXPECT_NE(none.error().message.find("no-such-host.invalid"), std::string::npos);
}

TEST(DnsResolver, ResolvesAgainAfterTheRefreshTime) {
  std::atomic<int> calls{0};
  std::promise<std::string> third;
  DnsResolver resolver([&](const std::string& name, DnsFamily) -> Result<Addresses> {
    return Addresses{name + std::to_string(++calls)};
  });
  resolver.watch({"a", DnsFamily::kAuto, 10ms}, [&](Result<Addresses> answer) {
    if (answer->front() == "a3") third.set_value(answer->front());
  });
  EXPECT_EQ(third.get_future().get(), "a3");
}

TEST(DnsResolver, ASlowNameHoldsUpNoOtherAndNoEnd) {
  std::promise<void> release;
  auto released = release.get_future().share();
  std::promise<std::string> fast;
  {
    DnsResolver resolver([released](const std::string& name, DnsFamily) -> Result<Addresses> {
      if (name == "slow") released.wait();
      return Addresses{name};
    });
    resolver.watch({"slow", DnsFamily::kAuto, 1h}, [](Result<Addresses>) { FAIL() << "called after the end"; });
    resolver.watch({"fast", DnsFamily::kAuto, 1h}, [&](Result<Addresses> a) { fast.set_value(a->front()); });
    EXPECT_EQ(fast.get_future().get(), "fast");
  }
  release.set_value();
}

}  // namespace
}  // namespace inlay::upstream
