// SPDX-License-Identifier: Apache-2.0
#pragma once

// Link: an element of a ring that takes itself out when it dies. A list is a Link of its own, the others stand behind
// it in order. Nothing is allocated.

namespace inlay::header_augmenting {

struct Link {
  Link* previous = this;
  Link* next = this;

  Link() = default;
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;
  ~Link() { unlink(); }

  void unlink() {
    previous->next = next;
    next->previous = previous;
    previous = next = this;
  }
  // link_before: stands before `other`; at the end, if that is the list.
  void link_before(Link& other) {
    previous = other.previous;
    next = &other;
    previous->next = this;
    other.previous = this;
  }
};

}  // namespace inlay::header_augmenting
