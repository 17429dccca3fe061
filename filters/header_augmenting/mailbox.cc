// SPDX-License-Identifier: Apache-2.0
#include "filters/header_augmenting/mailbox.h"

#include "sdk/shared_data.h"
#include "sdk/shared_queue.h"
#include "sdk/text.h"

namespace inlay::header_augmenting {
namespace {

constexpr std::string_view kCount = "inlay.header_augmenting.x.1.queues";

sdk::Line& add_name(sdk::Line& line, uint8_t number) {
  return line.add("inlay.header_augmenting.x.1.queue.").add(uint32_t{number});
}

// take_number: a byte that is counted on, from 1 to 255; 0: there are no shared data.
uint8_t take_number() {
  constexpr int kTries = 16;
  for (int i = 0; i < kTries; ++i) {
    const auto found = sdk::get_shared_data(kCount);
    char count = '\1';
    if (found && found->value.size() == 1 && *found->value.data() != '\xff')
      count = static_cast<char>(*found->value.data() + 1);
    const std::string_view value(&count, 1);
    if (found ? sdk::set_shared_data(kCount, value, found->cas) : sdk::create_shared_data(kCount, value))
      return static_cast<uint8_t>(count);
  }
  return 0;
}

}  // namespace

uint8_t Mailbox::number() {
  if (asked_) return number_;
  asked_ = true;
  const uint8_t number = take_number();
  if (number == 0) return 0;
  sdk::Line line;
  const auto opened = sdk::SharedQueue::open(add_name(line, number).view());
  if (!opened) return 0;
  queue_ = opened->id();
  return number_ = number;
}

void Mailbox::send(uint8_t number, std::string_view item) {
  sdk::Line line;
  if (const auto queue = sdk::SharedQueue::find({}, add_name(line, number).view())) (void)queue->enqueue(item);
}

sdk::Bytes Mailbox::take(uint32_t queue) const {
  if (number_ == 0 || queue != queue_) return {};
  auto item = sdk::SharedQueue(queue).dequeue();
  return item ? *std::move(item) : sdk::Bytes();
}

}  // namespace inlay::header_augmenting
