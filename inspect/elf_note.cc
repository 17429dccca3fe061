// SPDX-License-Identifier: Apache-2.0
#include "inspect/elf_note.h"

#include <elf.h>

#include <algorithm>
#include <cstring>

#include "engine/aot/linked.h"

namespace inlay::inspect {
namespace {

// A structure at an offset; nullopt where the file ends before.
template <class T>
std::optional<T> read(std::span<const uint8_t> bytes, uint64_t offset) {
  if (offset > bytes.size() || bytes.size() - offset < sizeof(T)) return std::nullopt;
  T value;
  std::memcpy(&value, bytes.data() + offset, sizeof value);
  return value;
}

std::optional<std::span<const uint8_t>> part(std::span<const uint8_t> bytes, uint64_t offset, uint64_t size) {
  if (offset > bytes.size() || bytes.size() - offset < size) return std::nullopt;
  return bytes.subspan(offset, size);
}

// The content of our note among those of a section; each has a head, its owner and its content, filled up to 4 bytes.
std::optional<std::string_view> find_note(std::span<const uint8_t> section) {
  constexpr uint64_t kAlign = 4;
  const auto up = [](uint64_t size) { return (size + kAlign - 1) / kAlign * kAlign; };
  uint64_t at = 0;
  while (const auto head = read<Elf64_Nhdr>(section, at)) {
    at += sizeof *head;
    const auto owner = part(section, at, head->n_namesz);
    const auto content = part(section, at + up(head->n_namesz), head->n_descsz);
    if (!owner || !content) return std::nullopt;
    const std::string_view name(reinterpret_cast<const char*>(owner->data()), owner->size());
    if (head->n_type == engine::aot::kNoteModules && name.substr(0, name.find('\0')) == engine::aot::kNoteOwner)
      return std::string_view(reinterpret_cast<const char*>(content->data()), content->size());
    at += up(head->n_namesz) + up(head->n_descsz);
  }
  return std::nullopt;
}

// Lines "SHA256 NAME".
std::vector<NotedModule> modules_of(std::string_view lines) {
  std::vector<NotedModule> modules;
  while (!lines.empty()) {
    const std::string_view line = lines.substr(0, lines.find('\n'));
    lines.remove_prefix(std::min(lines.size(), line.size() + 1));
    const size_t space = line.find(' ');
    if (space != std::string_view::npos)
      modules.push_back({std::string(line.substr(space + 1)), std::string(line.substr(0, space))});
  }
  return modules;
}

}  // namespace

bool is_elf(std::span<const uint8_t> bytes) {
  return bytes.size() >= SELFMAG && std::memcmp(bytes.data(), ELFMAG, SELFMAG) == 0;
}

std::optional<std::vector<NotedModule>> noted_modules(std::span<const uint8_t> bytes) {
  const auto header = read<Elf64_Ehdr>(bytes, 0);
  if (!is_elf(bytes) || !header || header->e_ident[EI_CLASS] != ELFCLASS64) return std::nullopt;
  for (uint64_t i = 0; i < header->e_shnum; ++i) {
    const auto section = read<Elf64_Shdr>(bytes, header->e_shoff + i * sizeof(Elf64_Shdr));
    if (!section) return std::nullopt;
    if (section->sh_type != SHT_NOTE) continue;
    const auto content = part(bytes, section->sh_offset, section->sh_size);
    const auto note = content ? find_note(*content) : std::nullopt;
    if (note) return modules_of(*note);
  }
  return std::nullopt;
}

}  // namespace inlay::inspect
