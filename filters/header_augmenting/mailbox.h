// SPDX-License-Identifier: Apache-2.0
#pragma once

// Mailbox: a shared queue of a worker's own, by which other workers of the process tell it that something has come. It
// has a number, so that who is to be told can be written down in a byte: numbers come from a count in the shared data,
// "inlay.header_augmenting.x.1.queues", and begin anew after 255, since queues stay as long as their vm_id. Where two
// have one number, the later one gets what is sent; so whoever waits looks by itself now and then.

#include <cstdint>
#include <string_view>

#include "sdk/bytes.h"

namespace inlay::header_augmenting {

class Mailbox {
 public:
  // number: this worker's; 0: it has none, since the host does not give one. Opened when it is first asked for, in a
  // callback of the root context or of one of its streams.
  uint8_t number();

  // send: to the worker of that number, if it is still there.
  static void send(uint8_t number, std::string_view item);

  // take: the next item, if `queue`, which the host has named, is this one; empty if there is none.
  sdk::Bytes take(uint32_t queue) const;

 private:
  uint32_t queue_ = 0;
  uint8_t number_ = 0;
  bool asked_ = false;
};

}  // namespace inlay::header_augmenting
