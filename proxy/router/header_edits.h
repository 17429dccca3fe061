// SPDX-License-Identifier: Apache-2.0
#pragma once

// HeaderEdits: the *_headers_to_add and *_headers_to_remove of a route and all the levels above it, in the order in
// which Envoy applies them, as one list of steps. Immutable; any thread.

#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "config/model.h"
#include "proxy/router/formatter.h"

namespace inlay::proxy::router {

class HeaderEdits {
 public:
  // `levels` in the order of application. At each level names are removed before headers are added.
  static Result<HeaderEdits> compile(std::span<const config::HeaderEdits* const> levels);
  bool empty() const { return steps_.empty(); }
  // `scratch` is working space that the caller keeps, so that nothing is allocated.
  void apply(http::HeaderMap& headers, const FormatContext& context, std::string& scratch) const;

 private:
  struct Step {
    bool remove = false;
    std::string name;
    config::HeaderToAdd::Action action = config::HeaderToAdd::Action::kAppendIfExistsOrAdd;
    bool keep_empty_value = false;
    Formatter value;
  };
  std::vector<Step> steps_;
};

}  // namespace inlay::proxy::router
