// SPDX-License-Identifier: Apache-2.0
#pragma once

// The fields of Google's test files (suite_file.h) as a table, and a check of what was read against it.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "tester/textpb/text_format.h"

namespace inlay::tester::textpb {

enum class Type : uint8_t { kString, kBytes, kBool, kSigned, kUnsigned32, kUnsigned64, kSeconds, kLogLevel, kMessage };

struct FieldRow {
  std::string_view name;
  Type type = Type::kString;
  bool repeated = false;
  std::span<const FieldRow> message{};  // kMessage: its fields
  int choice = 0;                       // of the fields of one number above 0 only one may be set
};

// Of a TestSuite.
std::span<const FieldRow> suite_schema();

// The mistakes in a message that has these fields: what is not there, is of another type or comes too often.
std::vector<Error> check(const TextMessage& message, std::span<const FieldRow> schema, const std::string& path);

// A number as the text format writes it: decimal, hexadecimal with 0x, octal with 0. False for what is none, or is not
// between the two.
bool read_integer(const std::string& text, int64_t least, uint64_t most, uint64_t& number);
bool read_bool(const std::string& text, bool& value);
// UNDEFINED to CRITICAL, or its number from 0 to 6; -1 for what is none.
int read_log_level(const std::string& text);

}  // namespace inlay::tester::textpb
