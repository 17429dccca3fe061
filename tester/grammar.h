// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace inlay::tester {

// docs/reference/case.tmLanguage.json: a TextMate grammar of *.case files, for editors, with the words of the
// vocabulary.
std::string textmate_grammar();

}  // namespace inlay::tester
