// SPDX-License-Identifier: Apache-2.0
#include "coverage/source_lines.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "base/temporary_directory.h"
#include "compiler/wat.h"
#include "coverage/counted_module.h"
#include "coverage/report.h"

namespace inlay::coverage {
namespace {

TEST(SourceLines, AModuleWithoutDwarfHasNone) {
  const auto bytes = compiler::wat_to_wasm("(module (func))");
  const auto lines = source_lines(*bytes);
  ASSERT_TRUE(lines) << lines.error().to_string();
  EXPECT_TRUE(lines->empty());
  EXPECT_FALSE(source_lines({}));
}

TEST(SourceLines, FilesOfTheSystemAreNotOwn) {
  const TemporaryDirectory folder("inlay-lines-");
  std::ofstream(folder.file("a.cc")) << "x";
  EXPECT_TRUE(is_own_source(folder.file("a.cc")));
  EXPECT_FALSE(is_own_source(folder.file("b.cc")));
  EXPECT_FALSE(is_own_source("/usr/include/stdio.h"));
}

TEST(SourceLines, ReportsHaveThem) {
  const TemporaryDirectory folder("inlay-lines-");
  std::ofstream(folder.file("a.cc")) << "int f() {\n  return 1;\n}\n";
  ModuleCoverage module{"m", {}, {}, true, {{"f()", 2}}, {{folder.file("a.cc"), {{1, 2, "f()"}, {2, 0}}}}};
  EXPECT_NE(text({module}).find("  lines                                     50.0%  1 of 2 run\n"), std::string::npos)
      << text({module});
  EXPECT_EQ(lcov({module, module}), "TN:\nSF:" + folder.file("a.cc") +
                                        "\nFN:1,f()\nFNDA:4,f()\nFNF:1\nFNH:1\nDA:1,4\nDA:2,0\nLF:2\nLH:1\n"
                                        "end_of_record\n");
  EXPECT_NE(html({module}).find("<tr class=\"never\"><td>0</td><td>2</td><td>  return 1;</td></tr>"),
            std::string::npos);
  EXPECT_NE(json({module}).find("\"times\": 2"), std::string::npos);
}

}  // namespace
}  // namespace inlay::coverage
