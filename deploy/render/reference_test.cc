// SPDX-License-Identifier: Apache-2.0
#include "deploy/render/reference.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "deploy/render/values_schema.h"

namespace inlay::deploy {
namespace {

// With INLAY_UPDATE=1 in the environment the page is rewritten.
TEST(Reference, TheCommittedPageIsUpToDate) {
  const std::string path = INLAY_SOURCE_DIR "/docs/reference/deploy_values.md";
  if (std::getenv("INLAY_UPDATE") != nullptr) {
    std::ofstream(path) << reference_page();
    return;
  }
  std::stringstream content;
  content << std::ifstream(path).rdbuf();
  EXPECT_TRUE(content.str() == reference_page()) << "docs/reference/deploy_values.md is out of date; run: inlay deploy "
                                                    "reference > docs/reference/deploy_values.md";
}

TEST(Schema, EveryTypeThatIsNamedIsThere) {
  for (const MessageSpec& message : value_messages()) {
    for (const FieldSpec& field : message.fields) {
      bool found = field.kind != FieldKind::kMessage && field.kind != FieldKind::kEnum;
      found = found || find_message_spec(field.type) != nullptr;
      for (const EnumSpec& spec : value_enums()) found = found || spec.name == field.type;
      EXPECT_TRUE(found) << field.name;
    }
  }
}

}  // namespace
}  // namespace inlay::deploy
