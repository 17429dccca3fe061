// SPDX-License-Identifier: Apache-2.0
#include "host/shared_data.h"

#include <gtest/gtest.h>

#include "host/guest_limits.h"

#include <thread>
#include <vector>

namespace inlay::host {
namespace {

using abi::Status;

TEST(SharedData, CompareAndSwap) {
  SharedData data;
  SharedValue value;
  EXPECT_EQ(data.get("k", value), Status::kNotFound);
  EXPECT_EQ(data.set("k", "1", 77), Status::kOk);  // A new key takes any cas.
  ASSERT_EQ(data.get("k", value), Status::kOk);
  EXPECT_EQ(*value.bytes, "1");
  EXPECT_NE(value.cas, 0u);
  const uint32_t first = value.cas;
  EXPECT_EQ(data.set("k", "2", first), Status::kOk);
  EXPECT_EQ(data.set("k", "3", first), Status::kCasMismatch);
  EXPECT_EQ(data.set("k", "4", 0), Status::kOk);
  ASSERT_EQ(data.get("k", value), Status::kOk);
  EXPECT_EQ(*value.bytes, "4");
}

TEST(SharedData, IsBounded) {
  SharedData data;
  const std::string large(limits::kSharedDataBytes / 2, 'x');
  EXPECT_EQ(data.set("a", large, 0), Status::kOk);
  EXPECT_EQ(data.set("b", large, 0), Status::kInternalFailure);
  EXPECT_EQ(data.set("a", "small", 0), Status::kOk);
  EXPECT_EQ(data.set("b", large, 0), Status::kOk);
}

TEST(SharedData, NoIncrementIsLostBetweenThreads) {
  auto data = std::make_shared<SharedData>();
  ASSERT_EQ(data->set("n", "0", 0), Status::kOk);
  auto work = [&] {
    SharedDataReader reader(data);
    for (int done = 0; done < 500;) {
      const SharedValue* value = reader.get("n");
      const auto next = std::to_string(std::stoi(*value->bytes) + 1);
      if (data->set("n", next, value->cas) == Status::kOk) ++done;
    }
  };
  std::thread a(work);
  std::thread b(work);
  a.join();
  b.join();
  SharedDataReader reader(data);
  EXPECT_EQ(*reader.get("n")->bytes, "1000");
}

TEST(SharedDataReader, SeesEveryChange) {
  auto data = std::make_shared<SharedData>();
  SharedDataReader reader(data);
  EXPECT_EQ(reader.get("k"), nullptr);
  for (int i = 0; i < 5; ++i) {
    ASSERT_EQ(data->set("k", std::to_string(i), 0), Status::kOk);
    EXPECT_EQ(*reader.get("k")->bytes, std::to_string(i));
    EXPECT_EQ(*reader.get("k")->bytes, std::to_string(i));
  }
  for (int i = 0; i < 1000; ++i) ASSERT_EQ(data->set("m" + std::to_string(i), "v", 0), Status::kOk);
  for (int i = 0; i < 1000; ++i) EXPECT_NE(reader.get("m" + std::to_string(i)), nullptr);
  EXPECT_EQ(*reader.get("k")->bytes, "4");
}

}  // namespace
}  // namespace inlay::host
