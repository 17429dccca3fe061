// SPDX-License-Identifier: Apache-2.0
#include "config/merge.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "config/load.h"

namespace inlay::config {
namespace {

class MergeTest : public testing::Test {
 protected:
  MergeTest() : path_(testing::TempDir() + "inlay_merge_test." + std::to_string(getpid()) + ".yaml") {}
  ~MergeTest() override { std::remove(path_.c_str()); }
  Result<Bootstrap> load(std::string_view file, std::string_view text) {
    std::ofstream(path_) << file;
    diagnostics_ = {};
    return load_file_and_text(path_, text, "--config-yaml", {}, diagnostics_);
  }

  const std::string path_;
  document::Diagnostics diagnostics_;
};

// What Envoy 1.40 was seen to make of it, but for the map and the oneof, which protobuf's MergeFrom() says.
TEST_F(MergeTest, TheTextCountsAndListsAreAppended) {
  const auto merged = load(R"(
node: {id: base, cluster: c0, metadata: {kept: 1, replaced: 2}}
admin: {address: {socket_address: {address: 127.0.0.1, port_value: 20001}}}
static_resources: {clusters: [{name: a, type: STATIC, connect_timeout: 1s}]}
)",
                           R"(
node: {id: over, cluster: "", metadata: {replaced: 3, added: 4}}
admin: {address: {socketAddress: {port_value: 20002}}}
static_resources: {clusters: [{name: b, type: STATIC, connect_timeout: 2s}]}
)");
  ASSERT_TRUE(merged) << diagnostics_.to_string();
  EXPECT_EQ(merged->node.id, "over");
  EXPECT_EQ(merged->node.cluster, "c0") << "a default replaces nothing";
  EXPECT_EQ(merged->node.metadata, (Metadata{{"kept", "1"}, {"replaced", "3"}, {"added", "4"}}));
  EXPECT_EQ(merged->admin->address.to_string(), "127.0.0.1:20002");
  ASSERT_EQ(merged->clusters.size(), 2u);
  EXPECT_EQ(merged->clusters[0].name + merged->clusters[1].name, "ab");
  EXPECT_NE(merged->redacted_json.find("\"port_value\":20002"), std::string::npos) << merged->redacted_json;
}

TEST_F(MergeTest, EitherMayBeAll) {
  constexpr std::string_view kAll = "{node: {id: me}}";
  EXPECT_EQ(load(kAll, "{}").value().node.id, "me");
  EXPECT_EQ(load("{}", kAll).value().node.id, "me");
}

TEST_F(MergeTest, EachFaultIsInItsOwnText) {
  EXPECT_FALSE(load("node: {idd: x}\n", "\n\nadmin: {adress: {}}"));
  EXPECT_NE(diagnostics_.to_string().find(path_ + ":1:8: error: node.idd"), std::string::npos);
  EXPECT_NE(diagnostics_.to_string().find("--config-yaml:3:9: error: admin.adress"), std::string::npos)
      << diagnostics_.to_string();
  EXPECT_FALSE(load("node: {id: x}", "static_resources: {clusters: [{name: a, type: EDS}]}"));
  EXPECT_NE(diagnostics_.to_string().find("--config-yaml:1:"), std::string::npos) << diagnostics_.to_string();
  EXPECT_FALSE(load("{}", "node: ["));
}

}  // namespace
}  // namespace inlay::config
