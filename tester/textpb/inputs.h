// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the tests of suite_file.h put into a stream: heads and bodies, from the file itself or from others beside it.

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "tester/textpb/suite_file.h"

namespace inlay::tester::textpb {

// A file that the suite names, beside it; up to 64 MiB. Errors: kNotFound, kIo.
Result<std::string> read_beside(const TestSuite& suite, const std::string& path);

// Of a phase of headers, and of one of a body. Errors: those of read_beside() and parse_headers().
Result<Fields> input_headers(const TestSuite& suite, const Input& input, bool request);
Result<std::string> input_body(const TestSuite& suite, const Input& input);

// Headers as HTTP/1 writes them, with the pseudo-headers that HTTP/2 has in the place of their first line. Errors:
// kInvalidArgument.
Result<Fields> parse_headers(std::string_view text, bool request);

// A body in the pieces that a test wants it in; one without.
std::vector<std::string> in_chunks(const std::string& body, const PhaseTest& test);

}  // namespace inlay::tester::textpb
