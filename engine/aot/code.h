// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/aot/runtime.h"

namespace inlay::engine::aot {

// Code is an artifact in memory, ready to run.
class Code {
 public:
  // Takes the library over; nullptr for code that is linked in.
  Code(void* library, const Descriptor& descriptor) : library_(library), descriptor_(descriptor) {}
  Code(const Code&) = delete;
  Code& operator=(const Code&) = delete;
  ~Code();

  const Descriptor& descriptor() const { return descriptor_; }

 private:
  void* library_;
  const Descriptor& descriptor_;
};

}  // namespace inlay::engine::aot
