// SPDX-License-Identifier: Apache-2.0
#include "package/tar.h"

#include <gtest/gtest.h>

#include <cstring>

namespace inlay::package {
namespace {

std::string two_files() {
  const TarFile files[] = {{"plugin.wasm", "content"}, {"blobs/sha256/abc", std::string_view("\0\1", 2)}};
  return write_tar(files);
}

// Gives the header at `at` the type and a checksum to match.
void set_type(std::string& archive, size_t at, char type) {
  archive[at + 156] = type;
  std::memset(archive.data() + at + 148, ' ', 8);
  unsigned sum = 0;
  for (size_t i = 0; i < 512; ++i) sum += static_cast<unsigned char>(archive[at + i]);
  std::snprintf(archive.data() + at + 148, 8, "%06o", sum);
}

std::string entry(char type, const std::string& name, const std::string& content) {
  const TarFile file{name, content};
  std::string archive = write_tar(std::span(&file, 1));
  set_type(archive, 0, type);
  archive.resize(archive.size() - 1024);
  return archive;
}

TEST(Tar, RoundTrip) {
  const std::string archive = two_files();
  EXPECT_EQ(archive.size(), 4 * 512 + 1024u);
  const auto files = read_tar(archive);
  ASSERT_TRUE(files) << files.error().message;
  ASSERT_EQ(files->size(), 2u);
  EXPECT_EQ((*files)[0].name, "plugin.wasm");
  EXPECT_EQ((*files)[0].content, "content");
  EXPECT_EQ((*files)[1].content, std::string_view("\0\1", 2));
}

TEST(Tar, NothingInAHeaderDependsOnWhoWritesIt) {
  const std::string header = two_files().substr(0, 512);
  EXPECT_EQ(header.substr(100, 24), std::string("0000644\0"
                                                "0000000\0"
                                                "0000000\0",
                                                24));
  EXPECT_EQ(header.substr(124, 24), std::string("00000000007\0"
                                                "00000000000\0",
                                                24));
  EXPECT_EQ(header.substr(257, 8), std::string("ustar\0"
                                               "00",
                                               8));
  EXPECT_EQ(header.substr(265, 64), std::string(64, '\0'));  // no owner, no group
}

TEST(Tar, LongNamesOfGnuAndPax) {
  const std::string name(150, 'n');
  for (const std::string& ahead :
       {entry('L', "././@LongLink", name + '\0'), entry('x', "pax", "160 path=" + name + "\n")}) {
    const auto files = read_tar(ahead + entry('0', "short", "content") + std::string(1024, '\0'));
    ASSERT_TRUE(files) << files.error().message;
    ASSERT_EQ(files->size(), 1u);
    EXPECT_EQ((*files)[0].name.size(), 150u) << (*files)[0].name;
  }
}

TEST(Tar, FoldersAndLinksArePassedOver) {
  const auto files = read_tar(entry('5', "folder/", "") + entry('2', "link", "") + entry('0', "file", "x"));
  ASSERT_TRUE(files) << files.error().message;
  ASSERT_EQ(files->size(), 1u);
  EXPECT_EQ((*files)[0].name, "file");
}

TEST(Tar, DamageIsAnErrorWithItsPlace) {
  const std::string archive = two_files();
  const struct {
    std::string archive;
    const char* error;
  } cases[] = {
      {"short", "a header is cut off at offset 0"},
      {std::string(512, 'x'), "a wrong checksum at offset 0"},
      {archive.substr(0, 514), "a file is cut off at offset 512"},
      {archive.substr(0, 1100), "a header is cut off at offset 1024"},
      {"q" + archive.substr(1), "a wrong checksum at offset 0"},
  };
  for (const auto& one : cases) {
    const auto files = read_tar(one.archive);
    ASSERT_FALSE(files) << one.error;
    EXPECT_NE(files.error().message.find(one.error), std::string::npos) << files.error().message;
  }
  EXPECT_TRUE(read_tar(""));
}

TEST(Tar, ASizeInBinary) {
  std::string archive = entry('0', "file", "content");
  std::memcpy(archive.data() + 124, "\x80\0\0\0\0\0\0\0\0\0\0\7", 12);
  set_type(archive, 0, '0');
  const auto files = read_tar(archive);
  ASSERT_TRUE(files) << files.error().message;
  EXPECT_EQ(files->at(0).content, "content");
  std::memcpy(archive.data() + 124, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 12);
  set_type(archive, 0, '0');
  EXPECT_FALSE(read_tar(archive));
}

}  // namespace
}  // namespace inlay::package
