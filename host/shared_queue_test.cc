// SPDX-License-Identifier: Apache-2.0
#include "host/shared_queue.h"

#include <gtest/gtest.h>

#include "host/guest_limits.h"

namespace inlay::host {
namespace {

using abi::Status;

TEST(SharedQueues, FirstInFirstOut) {
  SharedQueues queues;
  const uint32_t q = queues.register_queue("vm", "q", nullptr, nullptr);
  EXPECT_NE(q, 0u);
  EXPECT_EQ(queues.register_queue("vm", "q", nullptr, nullptr), q);
  EXPECT_NE(queues.register_queue("other", "q", nullptr, nullptr), q);
  EXPECT_EQ(queues.resolve("vm", "q"), q);
  EXPECT_EQ(queues.resolve("vm", "none"), 0u);
  EXPECT_EQ(queues.enqueue(q, "a"), Status::kOk);
  EXPECT_EQ(queues.enqueue(q, ""), Status::kOk);
  std::string item;
  EXPECT_EQ(queues.dequeue(q, item), Status::kOk);
  EXPECT_EQ(item, "a");
  EXPECT_EQ(queues.dequeue(q, item), Status::kOk);
  EXPECT_EQ(item, "");
  EXPECT_EQ(queues.dequeue(q, item), Status::kEmpty);
  EXPECT_EQ(queues.dequeue(99, item), Status::kNotFound);
  EXPECT_EQ(queues.enqueue(99, ""), Status::kNotFound);
}

TEST(SharedQueues, TheLastRegistrarIsTold) {
  SharedQueues queues;
  int first = 0;
  int second = 0;
  const uint32_t q = queues.register_queue("vm", "q", &first, [&](uint32_t) { ++first; });
  queues.register_queue("vm", "q", &second, [&](uint32_t queue) { second += queue == q ? 1 : 0; });
  EXPECT_EQ(queues.enqueue(q, "x"), Status::kOk);
  queues.unregister(&first);  // owns nothing any more
  EXPECT_EQ(queues.enqueue(q, "x"), Status::kOk);
  queues.unregister(&second);
  EXPECT_EQ(queues.enqueue(q, "x"), Status::kOk);
  EXPECT_EQ(first, 0);
  EXPECT_EQ(second, 2);
}

TEST(SharedQueues, IsBoundedAndRemovedWithItsVmId) {
  SharedQueues queues;
  const uint32_t q = queues.register_queue("vm", "q", nullptr, nullptr);
  const std::string large(limits::kQueueBytes / 2, 'x');
  EXPECT_EQ(queues.enqueue(q, large), Status::kOk);
  EXPECT_EQ(queues.enqueue(q, large), Status::kInternalFailure);
  queues.remove("vm");
  EXPECT_EQ(queues.enqueue(q, "x"), Status::kNotFound);
  EXPECT_EQ(queues.resolve("vm", "q"), 0u);
}

}  // namespace
}  // namespace inlay::host
