// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a run says: to a person, and as the files that CI systems read.

#include <chrono>
#include <string>
#include <vector>

#include "tester/suite.h"

namespace inlay::tester {

// One case that did not pass, in some lines; of others nothing, but that a snapshot was written. `colour`: for a
// terminal. What the case showed is fit to be shown there.
std::string describe(const TestResult& result, bool colour);

// How often a case's guests were called and called the host, as one line; empty where that was not counted.
std::string calls_of(const TestResult& result);

// "3 passed, 1 failed, 1 skipped, 1 file wrong in 0.12 s", with a line for each reason to skip before it.
std::string summary(const std::vector<TestResult>& results, std::chrono::nanoseconds took, bool colour);

// JUnit's XML, as CI systems read it: a test suite for each file.
std::string junit(const std::vector<TestResult>& results);
// The Test Anything Protocol, version 14.
std::string tap(const std::vector<TestResult>& results);

}  // namespace inlay::tester
