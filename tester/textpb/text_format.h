// SPDX-License-Identifier: Apache-2.0
#pragma once

// The text format of protocol buffers (protobuf.dev/reference/protobuf/textformat-spec), read into a tree of fields
// with their lines. What fields there may be is somebody else's (tester/textpb/schema.h).
//
//     INLAY_TRY(const TextMessage suite, read_text_format("name: 'a' test { benchmark: true }", "x.textpb"));
//     suite.fields[1].message.fields[0].line;   // 1
//
// Any bytes may be given; time and memory are bounded by their number.

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace inlay::tester::textpb {

struct TextField;

struct TextMessage {
  std::vector<TextField> fields;  // in their order; of a list, one for each of its items
};

struct TextField {
  enum class Kind : uint8_t { kString, kNumber, kWord, kMessage };
  std::string name;
  size_t line = 0;
  Kind kind = Kind::kWord;
  std::string text;  // a string's bytes; a number or a word as it is written, with its sign
  TextMessage message;
};

// Errors: kInvalidArgument, with "path:line" as where and what would be right; the first mistake only. Messages may
// nest up to 100 deep.
Result<TextMessage> read_text_format(std::string_view text, const std::string& path);

}  // namespace inlay::tester::textpb
