// SPDX-License-Identifier: Apache-2.0
#include "host/context_table.h"

#include <gtest/gtest.h>

#include <memory>
#include <set>

#include "host/http_context_impl.h"

namespace inlay::host {
namespace {

std::unique_ptr<HttpContextImpl> make() {
  static FlowContext* unused = nullptr;
  return std::make_unique<HttpContextImpl>(unused);
}

TEST(ContextTable, CountsFromOneAndUsesNoIdTwice) {
  ContextTable table;
  auto root = make();
  EXPECT_EQ(table.add(*root), 1u);
  std::set<uint32_t> seen = {1};
  for (int i = 0; i < 10'000; ++i) {
    auto stream = make();
    const uint32_t id = table.add(*stream);
    EXPECT_TRUE(seen.insert(id).second) << id;
    EXPECT_EQ(table.find(id), stream.get());
    table.remove(id);
    EXPECT_EQ(table.find(id), nullptr);
  }
  EXPECT_EQ(table.find(1), root.get());
  EXPECT_EQ(table.find(0), nullptr);
  EXPECT_EQ(table.find(0xffffffff), nullptr);
}

TEST(ContextTable, TellsContextsApartThatHaveOneIdWhenTheyWrap) {
  constexpr uint64_t kWrap = uint64_t{1} << 32;
  ContextTable table(kWrap - 2);
  const auto add = [&] {
    auto context = make();
    const uint32_t id = table.add(*context);
    table.remove(id);
    return id;
  };
  EXPECT_EQ(add(), 0xffffffffu);
  EXPECT_EQ(table.serial_of(0xffffffff), kWrap - 1);
  EXPECT_EQ(table.serial_of(1), 1u);
  EXPECT_EQ(add(), 1u) << "0 is none";
  EXPECT_EQ(table.serial_of(1), kWrap + 1);
  EXPECT_EQ(table.serial_of(0xffffffff), kWrap - 1);
  EXPECT_EQ(table.serial_of(2), 2u);
}

TEST(ContextTable, GrowsWithWhatIsAlive) {
  ContextTable table;
  std::vector<std::unique_ptr<HttpContextImpl>> alive;
  for (int i = 0; i < 5000; ++i) {
    alive.push_back(make());
    table.add(*alive.back());
  }
  EXPECT_EQ(table.size(), 5000u);
  for (const auto& context : alive) EXPECT_EQ(table.find(context->id), context.get());
  size_t visited = 0;
  table.for_each([&](Context&) { ++visited; });
  EXPECT_EQ(visited, 5000u);
}

}  // namespace
}  // namespace inlay::host
