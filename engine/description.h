// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the host must know of a module before it can run it: its imports and exports. Read from the module when that is
// validated, and from the artifact ever after, so that a start from the cache parses nothing.
//
//     const std::string bytes = write_description(description);
//     Result<Description> again = read_description(bytes);

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "engine/engine.h"

namespace inlay::engine {

struct Description {
  std::vector<Import> imports;
  std::vector<Export> exports;
};

// The form in an artifact: the number of imports, each of them, the same for exports. A number is four bytes, the
// lowest first, a text its length and its bytes, a kind or a value type one byte. An import is module, name, kind,
// parameters, results; an export the same without the module; parameters and results are a number and as many value
// types.
std::string write_description(const Description& description);

// kInvalidArgument if `bytes` is not what write_description() wrote, to its last byte.
Result<Description> read_description(std::string_view bytes);

}  // namespace inlay::engine
