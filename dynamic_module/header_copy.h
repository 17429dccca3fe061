// SPDX-License-Identifier: Apache-2.0
#pragma once

// HeaderCopy: one of a stream's four header maps, in the form that host/ has it in. Read from Envoy when a guest first
// asks for it in a hook, and written back, what the guest has changed of it, before the hook returns. While a stream is
// stopped it keeps the copy, so that what a guest does elsewhere (in a tick, in the answer to a call) has a map to read
// and to edit; that is written back when Envoy next calls.

#include <string>
#include <vector>

#include "abi/types.h"
#include "dynamic_module/envoy_abi.h"
#include "http/header_map.h"

namespace inlay::dynamic_module {

class HeaderCopy {
 public:
  // In a hook: the map as Envoy has it, unless it was read before. nullptr: there is none.
  http::HeaderMap* read(envoy::Filter* filter, abi::MapType type);
  // Anywhere: what was read, or nullptr.
  http::HeaderMap* kept() { return loaded_ ? &map_ : nullptr; }
  // Somebody gets it to write to.
  void mark_written() { written_ = true; }
  // In a hook: tells Envoy of each name whose values are not what Envoy has now. The copy stays. Where a guest has put
  // in what cannot be sent (http/header_fault.h): in a request's headers it is written, since Envoy looks at them when
  // they are sent and answers, unless the route sends nothing and may make a response of it; of trailers it is left
  // out; else it is what this returns, and nothing is written then: Envoy does not look.
  std::string write_back(envoy::Filter* filter, abi::MapType type);
  // The next read asks Envoy anew. It must have been written back.
  void forget() { loaded_ = written_ = false; }

 private:
  bool fetch(envoy::Filter* filter, abi::MapType type);

  http::HeaderMap map_;
  std::vector<envoy::Field> fields_;  // Envoy's, of the last fetch()
  bool loaded_ = false;
  bool written_ = false;
};

}  // namespace inlay::dynamic_module
