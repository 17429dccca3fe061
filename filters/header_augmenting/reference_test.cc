// SPDX-License-Identifier: Apache-2.0
// The reference is held to the tables that the parser and the metrics are made from.
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <set>
#include <string>

#include "filters/header_augmenting/config_schema.h"
#include "filters/header_augmenting/fetch_failure.h"

namespace inlay::header_augmenting {
namespace {

std::string reference() {
  std::ifstream file(INLAY_SOURCE_DIR "/docs/reference/header_augmenting.md");
  return {std::istreambuf_iterator<char>(file), {}};
}

// add_keys: the paths of all keys that take a value, as the reference writes them: sources[].refresh.every.
void add_keys(const Schema& schema, const std::string& path, std::set<std::string>& out) {
  for (const Field& field : schema.fields) {
    const std::string key = path + field.key;
    if (field.kind == Kind::kObject)
      add_keys(*field.more.schema, key + ".", out);
    else if (field.kind == Kind::kObjects)
      add_keys(*field.more.schema, key + "[].", out);
    else
      out.insert(key);
  }
}

TEST(Reference, HasARowForEveryKeyAndNoOther) {
  std::set<std::string> keys;
  add_keys(kConfigSchema, "", keys);
  std::set<std::string> rows;
  const std::string text = reference();
  const size_t end = text.find("## The answer");
  ASSERT_NE(end, std::string::npos);
  for (size_t at = text.find("\n| `"); at < end; at = text.find("\n| `", at + 1)) {
    rows.insert(text.substr(at + 4, text.find('`', at + 4) - at - 4));
  }
  EXPECT_EQ(rows, keys);
}

TEST(Reference, NamesEveryChoice) {
  const std::string text = reference();
  const auto check = [&](const auto& self, const Schema& schema) -> void {
    for (const Field& field : schema.fields) {
      if (field.kind == Kind::kObject || field.kind == Kind::kObjects) self(self, *field.more.schema);
      if (field.kind != Kind::kChoice) continue;
      for (const char* const* choice = field.more.choices; *choice != nullptr; ++choice) {
        EXPECT_NE(text.find("`" + std::string(*choice) + "`"), std::string::npos) << field.key << ": " << *choice;
      }
    }
  };
  check(check, kConfigSchema);
}

TEST(Reference, NamesEveryReasonOfFailure) {
  const std::string text = reference();
  for (const FetchFailureText& failure : kFetchFailures) {
    EXPECT_NE(text.find("fetch_failed." + std::string(failure.metric) + "`"), std::string::npos) << failure.metric;
  }
}

}  // namespace
}  // namespace inlay::header_augmenting
