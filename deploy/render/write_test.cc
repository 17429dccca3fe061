// SPDX-License-Identifier: Apache-2.0
#include "deploy/render/write.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "deploy/render/testdata_modules.h"

namespace inlay::deploy {
namespace {

namespace fs = std::filesystem;

class Write : public ::testing::Test {
 protected:
  Write() {
    rendering_.files = {{"a.yaml", "a: 1\n"}, {"plugin.wasm", "module", true}};
    add_made_by(rendering_, "envoy", "values.yaml");
  }
  std::string folder() const { return modules_.path("out"); }
  std::string read(const std::string& name) const {
    std::stringstream content;
    content << std::ifstream(folder() + "/" + name).rdbuf();
    return content.str();
  }
  void put(const std::string& name, const std::string& content) const {
    fs::create_directories(folder());
    std::ofstream(folder() + "/" + name) << content;
  }

  TestModules modules_;
  Rendering rendering_;
};

TEST_F(Write, SaysHowEachTextFileWasMade) {
  ASSERT_TRUE(write_rendering(rendering_, folder(), {}));
  EXPECT_EQ(read("a.yaml"),
            "# Made by `inlay deploy render envoy -f values.yaml`; change the values and render again.\na: 1\n");
  EXPECT_EQ(read("plugin.wasm"), "module");
  EXPECT_EQ(std::distance(fs::directory_iterator(folder()), {}), 2) << "something temporary was left behind";
}

TEST_F(Write, KeepsTheHeadOnOneLine) {
  Rendering rendering;
  rendering.files = {{"a.yaml", "a: 1\n"}};
  add_made_by(rendering, "envoy", "bad\nname: x`.yaml");
  EXPECT_EQ(rendering.files[0].content,
            "# Made by `inlay deploy render envoy -f bad?name: x?.yaml`; change the values and render again.\na: 1\n");
}

TEST_F(Write, OverwritesItsOwnAndRemovesWhatIsNoLongerMade) {
  ASSERT_TRUE(write_rendering(rendering_, folder(), {}));
  Rendering next;
  next.files = {{"b.yaml", "b: 1\n"}, {"plugin.wasm", "another", true}};
  add_made_by(next, "envoy", "values.yaml");
  put("README.md", "mine");
  ASSERT_TRUE(write_rendering(next, folder(), {}));
  EXPECT_FALSE(fs::exists(folder() + "/a.yaml"));
  EXPECT_EQ(read("plugin.wasm"), "another");
  EXPECT_EQ(read("README.md"), "mine");
}

TEST_F(Write, LeavesFilesOfOthersAlone) {
  put("a.yaml", "mine: 1\n");
  put("plugin.wasm", "mine");
  const auto written = write_rendering(rendering_, folder(), {});
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().code, ErrorCode::kFailedPrecondition);
  EXPECT_NE(written.error().message.find("a.yaml"), std::string::npos);
  EXPECT_NE(written.error().message.find("plugin.wasm"), std::string::npos);
  EXPECT_NE(written.error().message.find("--force"), std::string::npos);
  EXPECT_EQ(read("a.yaml"), "mine: 1\n");
  ASSERT_TRUE(write_rendering(rendering_, folder(), {.force = true}));
  EXPECT_EQ(read("plugin.wasm"), "module");
}

TEST_F(Write, SaysWhereItCannotWrite) {
  modules_.write("file", "x");
  EXPECT_EQ(write_rendering(rendering_, modules_.path("file"), {}).error().code, ErrorCode::kIo);
  EXPECT_EQ(write_rendering(rendering_, modules_.path("file/below"), {}).error().code, ErrorCode::kIo);
}

TEST_F(Write, ComparesWithWhatIsThere) {
  EXPECT_EQ(compare_rendering(rendering_, folder()).size(), 2u);
  ASSERT_TRUE(write_rendering(rendering_, folder(), {}));
  EXPECT_TRUE(compare_rendering(rendering_, folder()).empty());
  put("old.yaml", std::string(kMadeBy) + "...\n");
  put("a.yaml", rendering_.files[0].content + "b: 2\n");
  const std::vector<std::string> expected = {folder() + "/a.yaml differs from line 3 on",
                                             folder() + "/old.yaml is no longer made"};
  EXPECT_EQ(compare_rendering(rendering_, folder()), expected);
}

}  // namespace
}  // namespace inlay::deploy
