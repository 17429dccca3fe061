// SPDX-License-Identifier: Apache-2.0
#include "proxy/router/header_edits.h"

#include <algorithm>

#include "base/ascii.h"

namespace inlay::proxy::router {
Result<HeaderEdits> HeaderEdits::compile(std::span<const config::HeaderEdits* const> levels) {
  HeaderEdits edits;
  for (const config::HeaderEdits* level : levels) {
    for (const std::string& name : level->remove) {
      Step step;
      step.remove = true;
      step.name = lower(name);
      edits.steps_.push_back(std::move(step));
    }
    for (const config::HeaderToAdd& add : level->add) {
      Step step;
      step.name = lower(add.name);
      step.action = add.action;
      step.keep_empty_value = add.keep_empty_value;
      auto value = Formatter::compile(add.value);
      if (!value) return Error{value.error().code, value.error().message, "header '" + add.name + "'"};
      step.value = *std::move(value);
      edits.steps_.push_back(std::move(step));
    }
  }
  return edits;
}

void HeaderEdits::apply(http::HeaderMap& headers, const FormatContext& context, std::string& scratch) const {
  using Action = config::HeaderToAdd::Action;
  for (const Step& step : steps_) {
    if (step.remove) {
      headers.remove(step.name);
      continue;
    }
    std::string_view value = step.value.static_text();
    if (!step.value.is_static()) {
      scratch.clear();
      step.value.append(context, scratch);
      value = scratch;
    }
    // Operators copy what others have sent: a value that would break the message is left out.
    if ((value.empty() && !step.keep_empty_value) || !http::is_header_value(value)) continue;
    switch (step.action) {
      case Action::kAppendIfExistsOrAdd:
        headers.add(step.name, value);
        break;
      case Action::kAddIfAbsent:
        if (!headers.get(step.name)) headers.add(step.name, value);
        break;
      case Action::kOverwriteIfExistsOrAdd:
        headers.set(step.name, value);
        break;
      case Action::kOverwriteIfExists:
        if (headers.get(step.name)) headers.set(step.name, value);
        break;
    }
  }
}

}  // namespace inlay::proxy::router
