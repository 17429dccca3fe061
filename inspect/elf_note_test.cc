// SPDX-License-Identifier: Apache-2.0
#include "inspect/elf_note.h"

#include <elf.h>
#include <gtest/gtest.h>

#include <cstring>

namespace inlay::inspect {
namespace {

template <class T>
void append(std::vector<uint8_t>& to, const T& value) {
  const auto* bytes = reinterpret_cast<const uint8_t*>(&value);
  to.insert(to.end(), bytes, bytes + sizeof value);
}

// A file of a header, one section of notes, and its section header.
std::vector<uint8_t> file_with(std::string_view owner, uint32_t type, std::string_view content) {
  std::vector<uint8_t> file;
  Elf64_Ehdr header{};
  std::memcpy(header.e_ident, ELFMAG, SELFMAG);
  header.e_ident[EI_CLASS] = ELFCLASS64;
  header.e_shnum = 1;
  append(file, header);
  const uint64_t at = file.size();
  append(file, Elf64_Nhdr{static_cast<uint32_t>(owner.size() + 1), static_cast<uint32_t>(content.size()), type});
  for (std::string_view text : {owner, content}) {
    file.insert(file.end(), text.begin(), text.end());
    if (text == owner) file.push_back(0);
    while (file.size() % 4 != 0) file.push_back(0);
  }
  Elf64_Shdr section{};
  section.sh_type = SHT_NOTE;
  section.sh_offset = at;
  section.sh_size = file.size() - at;
  const uint64_t table = file.size();
  append(file, section);
  std::memcpy(file.data() + offsetof(Elf64_Ehdr, e_shoff), &table, sizeof table);
  return file;
}

TEST(ElfNote, NamesTheModules) {
  const auto file = file_with("Inlay", 1, "00ff one\nabcd two words\n");
  ASSERT_TRUE(is_elf(file));
  const auto modules = noted_modules(file);
  ASSERT_TRUE(modules);
  ASSERT_EQ(modules->size(), 2u);
  EXPECT_EQ((*modules)[0].name, "one");
  EXPECT_EQ((*modules)[0].sha256, "00ff");
  EXPECT_EQ((*modules)[1].name, "two words");
}

TEST(ElfNote, IsOfNobodyElse) {
  EXPECT_FALSE(noted_modules(file_with("GNU", 1, "00ff one\n")));
  EXPECT_FALSE(noted_modules(file_with("Inlay", 2, "00ff one\n")));
  EXPECT_FALSE(is_elf(std::vector<uint8_t>{0, 'a', 's', 'm'}));
}

TEST(ElfNote, EveryFileThatEndsEarlyIsRead) {
  const auto file = file_with("Inlay", 1, "00ff one\n");
  for (size_t size = 0; size < file.size(); ++size)
    EXPECT_FALSE(noted_modules(std::span(file).subspan(0, size))) << size;
}

}  // namespace
}  // namespace inlay::inspect
