// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <new>
#include <stdexcept>
#include <string>
#include <string_view>

#include "base/result.h"

namespace inlay::engine {

// within_memory returns what `work`, which returns a Result, does, or kResourceExhausted where an allocation in it
// fails: wabt's containers throw then, and how large they get is for a module to say. `what` is "load the module".
template <class Work>
auto within_memory(std::string_view what, Work&& work) -> decltype(work()) {
  try {
    return work();
  } catch (const std::bad_alloc&) {  // below
  } catch (const std::length_error&) {
  }
  return Error{ErrorCode::kResourceExhausted, "there is not enough memory to " + std::string(what), {}};
}

}  // namespace inlay::engine
