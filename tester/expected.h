// SPDX-License-Identifier: Apache-2.0
#pragma once

// What stands below `#### expect` in a case's file: its transcript, the one by HTTP/2 if that is another, those in
// versions of Envoy, and, of a case with a table, one for each row, behind "==== ROW".

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "tester/case.h"

namespace inlay::tester {

// Takes it off `text`, which then is what stands above, and gives the cases theirs. Errors: kInvalidArgument for a row
// that is none.
Result<Unit> take_expectations(std::string_view text, std::vector<Case>& cases);

// What stands above.
std::string_view input_of(std::string_view text);

}  // namespace inlay::tester
