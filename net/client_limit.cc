// SPDX-License-Identifier: Apache-2.0
#include "net/client_limit.h"

#include <utility>

#include "net/descriptors.h"

namespace inlay::net {

bool ClientLimit::enter() {
  if (count_.fetch_add(1, std::memory_order_relaxed) < most()) return true;
  leave();
  return false;
}

ClientTicket& ClientTicket::operator=(ClientTicket&& other) noexcept {
  release();
  all_ = std::exchange(other.all_, nullptr);
  own_ = std::exchange(other.own_, nullptr);
  return *this;
}

void ClientTicket::release() {
  if (ClientLimit* all = std::exchange(all_, nullptr)) all->leave();
  if (ClientLimit* own = std::exchange(own_, nullptr)) own->leave();
}

// The listener's own limit first, as Envoy has it.
bool Admission::admit(int fd, ClientTicket& ticket) const {
  const auto refuse = [&](Refusal why) {
    if (on_refused) on_refused(why);
    return false;
  };
  if (own != nullptr && !own->enter()) return refuse(Refusal::kListener);
  const bool room = (!keep_descriptors || descriptor_may_be_used(fd)) && (all == nullptr || all->enter());
  if (!room) {
    if (own != nullptr) own->leave();
    return refuse(Refusal::kProcess);
  }
  ticket = ClientTicket(all, own);
  return true;
}

}  // namespace inlay::net
