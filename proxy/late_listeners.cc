// SPDX-License-Identifier: Apache-2.0
#include "proxy/late_listeners.h"

#include <algorithm>
#include <utility>

namespace inlay::proxy {

LateListeners::LateListeners(net::EventLoop& loop, SharedState& shared, Workers& workers,
                             std::vector<Address>& addresses, Opened opened)
    : loop_(loop),
      shared_(shared),
      workers_(workers),
      addresses_(addresses),
      opened_(std::move(opened)),
      waiting_(shared.bootstrap.listeners.size()),
      opening_(waiting_.size(), false),
      alive_(std::make_shared<bool>(true)) {}

LateListeners::~LateListeners() {
  *alive_ = false;
}

void LateListeners::start() {
  for (size_t i = 0; i < waiting_.size(); ++i) {
    opening_[i] = waiting_[i].empty();
    if (!opening_[i]) ++unopened_;
  }
}

// The workers may read what belongs to a listener as soon as it opens; they are given the plugin themselves.
void LateListeners::on_plugin(const host::Plugin& placeholder, const std::shared_ptr<host::Plugin>& plugin) {
  for (size_t i = 0; i < waiting_.size(); ++i) {
    if (opening_[i]) continue;
    shared_.listeners[i].for_each_plugin([&](std::shared_ptr<host::Plugin>& known) {
      if (known.get() == &placeholder) known = plugin;
    });
  }
}

void LateListeners::on_settled(const host::Plugin& placeholder) {
  for (size_t i = 0; i < waiting_.size(); ++i) {
    if (waiting_[i].erase(&placeholder) == 0 || !waiting_[i].empty() || opening_[i] || stopped_) continue;
    opening_[i] = true;
    open(i, 0);
  }
}

// One worker after the other: the first one binds the port that the rest share.
void LateListeners::open(size_t listener, size_t worker) {
  if (worker == workers_.size()) {
    --unopened_;
    opened_(listener, Unit{});
    return;
  }
  workers_[worker]->open(listener, addresses_[listener],
                         [this, alive = alive_, listener, worker](const Result<Address>& bound) {
                           loop_.post([this, alive, listener, worker, bound] {
                             if (!*alive || stopped_) return;
                             if (!bound) return opened_(listener, bound.error());
                             addresses_[listener] = *bound;
                             open(listener, worker + 1);
                           });
                         });
}

}  // namespace inlay::proxy
