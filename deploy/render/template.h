// SPDX-License-Identifier: Apache-2.0
#pragma once

// Templates: files of templates/, which read like what is made of them.
//
//     - name: {{name}}              a text, as a YAML scalar that is safe for any reader
//       port: {{=port}}             as it is: numbers, lists, names that were checked
//       data: |
//         {{>json}}                 a block: its further lines get the column of the tag; an empty one takes its line
//         along
//     {{#services}}                 a section, for each of the contexts that it was given; alone on its line
//     - {{=host}}
//     {{/services}}
//     {{^services}}                 the same, once, when there is none
//
// A name that the innermost context does not have is looked up in those around it; one that none has is an error of
// ours, which a test finds. A first line with SPDX is the template's own and is left out.

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace inlay::deploy {

class Context {
 public:
  // The values of {{name}} and {{=name}}, and the text of {{>name}}.
  Context& set(std::string name, std::string text);
  Context& set(std::string name, uint64_t number) { return set(std::move(name), std::to_string(number)); }
  // One more turn of the section; the reference lives until the next add() to that section.
  Context& add(const std::string& section);
  // A section that stands once, or not at all.
  Context& flag(const std::string& section, bool stands);

  const std::string* text(const std::string& name) const;
  const std::vector<Context>* section(const std::string& name) const;

 private:
  std::map<std::string, std::string> texts_;
  std::map<std::string, std::vector<Context>> sections_;
};

// Fills the template called `name` ("envoy/envoy.yaml"). Errors are kInternal: no such template, tag or section.
Result<std::string> fill_template(std::string_view name, const Context& context);
// The same for a text.
Result<std::string> fill_text(std::string_view text, const Context& context);

}  // namespace inlay::deploy
