// SPDX-License-Identifier: Apache-2.0
#pragma once

// Google's test files (suite_file.h) in YAML, and in JSON, which is a part of it: maps for messages, lists for what may
// come several times. Read as plugins/test/yaml_proto_converter.cpp of GoogleCloudPlatform/service-extensions at
// e9fcee7a35ea does: a scalar is what its field wants, in quotation marks or without.

#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "tester/textpb/schema.h"
#include "tester/textpb/text_format.h"

namespace inlay::tester::textpb {

// The tree that read_text_format() makes of the same in the text format, for check(). `schema`: the fields of the
// whole. Any bytes may be given. Errors: kInvalidArgument; in its message each mistake on a line of its own, after the
// first with its place before it, and the first one's place as where.
Result<TextMessage> read_yaml_format(std::string_view text, const std::string& path, std::span<const FieldRow> schema);

}  // namespace inlay::tester::textpb
