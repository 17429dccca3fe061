// SPDX-License-Identifier: Apache-2.0
#include "package/tar.h"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <map>
#include <optional>

namespace inlay::package {
namespace {

constexpr size_t kBlock = 512;

// Header is the block before each file; numbers are octal digits and a NUL.
struct Header {
  char name[100];
  char mode[8];
  char uid[8];
  char gid[8];
  char size[12];
  char mtime[12];
  char checksum[8];
  char type;
  char link[100];
  char magic[6];
  char version[2];
  char owner[32];
  char group[32];
  char device_major[8];
  char device_minor[8];
  char prefix[155];
  char unused[12];
};
static_assert(sizeof(Header) == kBlock);

// The sum of a header's bytes with spaces in the place of the sum itself.
unsigned checksum(const Header& header) {
  Header copy = header;
  std::memset(copy.checksum, ' ', sizeof copy.checksum);
  const auto* bytes = reinterpret_cast<const unsigned char*>(&copy);
  unsigned sum = 0;
  for (size_t i = 0; i < kBlock; ++i) sum += bytes[i];
  return sum;
}

template <size_t N>
void put_number(char (&field)[N], uint64_t value) {
  std::snprintf(field, N, "%0*llo", static_cast<int>(N - 1), static_cast<unsigned long long>(value));
}

void append_file(std::string& out, const TarFile& file) {
  Header header = {};
  std::memcpy(header.name, file.name.data(), std::min(file.name.size(), sizeof header.name));
  put_number(header.mode, 0644);
  put_number(header.uid, 0);
  put_number(header.gid, 0);
  put_number(header.size, file.content.size());
  put_number(header.mtime, 0);
  header.type = '0';
  std::memcpy(header.magic, "ustar", 6);
  std::memcpy(header.version, "00", 2);
  put_number(header.device_major, 0);
  put_number(header.device_minor, 0);
  std::snprintf(header.checksum, sizeof header.checksum, "%06o", checksum(header));
  header.checksum[7] = ' ';  // as all writers end this one
  out.append(reinterpret_cast<const char*>(&header), sizeof header);
  out.append(file.content);
  out.append((kBlock - file.content.size() % kBlock) % kBlock, '\0');
}

template <size_t N>
std::string_view text_of(const char (&field)[N]) {
  return {field, ::strnlen(field, N)};
}

// A number in octal digits, or in GNU's binary form for what has no room as digits.
std::optional<uint64_t> number_of(std::string_view field) {
  if (!field.empty() && (field[0] & '\x80') != 0) {
    uint64_t value = static_cast<unsigned char>(field[0]) & 0x7fu;
    for (const char c : field.substr(1)) {
      if (value >> 55 != 0) return std::nullopt;
      value = value << 8 | static_cast<unsigned char>(c);
    }
    return value;
  }
  const size_t begin = std::min(field.find_first_not_of(' '), field.size());
  const size_t end = std::min(field.find_first_of(std::string_view(" \0", 2), begin), field.size());
  if (begin == end) return 0;
  uint64_t value = 0;
  const auto [stop, failed] = std::from_chars(field.data() + begin, field.data() + end, value, 8);
  return failed == std::errc() && stop == field.data() + end ? std::optional(value) : std::nullopt;
}

// "27 path=a/long/name\n" and more of the kind. What cannot be read ends the list.
std::map<std::string, std::string, std::less<>> pax_records(std::string_view text) {
  std::map<std::string, std::string, std::less<>> records;
  while (!text.empty()) {
    size_t size = 0;
    const auto [stop, failed] = std::from_chars(text.data(), text.data() + text.size(), size);
    const auto head = static_cast<size_t>(stop - text.data()) + 1;
    if (failed != std::errc() || size > text.size() || size <= head) break;
    const std::string_view record = text.substr(head, size - head - 1);
    const size_t equals = record.find('=');
    if (equals != std::string_view::npos) records[std::string(record.substr(0, equals))] = record.substr(equals + 1);
    text.remove_prefix(size);
  }
  return records;
}

// What the entries before a file say about it.
struct Ahead {
  std::string name;
  std::optional<uint64_t> size;
};

void read_ahead(char type, std::string_view content, Ahead& ahead) {
  if (type == 'L') ahead.name = content.substr(0, content.find('\0'));
  if (type != 'x') return;
  const auto records = pax_records(content);
  if (const auto path = records.find("path"); path != records.end()) ahead.name = path->second;
  if (const auto size = records.find("size"); size != records.end()) {
    uint64_t value = 0;
    const char* end = size->second.data() + size->second.size();
    if (std::from_chars(size->second.data(), end, value).ptr == end) ahead.size = value;
  }
}

std::string name_of(const Header& header) {
  std::string name(text_of(header.name));
  const bool ustar = std::memcmp(header.magic, "ustar\0", 6) == 0;  // GNU's own form has other things there
  if (ustar && header.prefix[0] != '\0') name.insert(0, std::string(text_of(header.prefix)) + "/");
  return name;
}

Error bad(size_t offset, const char* what) {
  return {ErrorCode::kInvalidArgument,
          "it is no tar archive: " + std::string(what) + " at offset " + std::to_string(offset),
          {}};
}

}  // namespace

std::string write_tar(std::span<const TarFile> files) {
  std::string out;
  for (const TarFile& file : files) append_file(out, file);
  out.append(2 * kBlock, '\0');
  return out;
}

Result<std::vector<TarFile>> read_tar(std::string_view archive) {
  std::vector<TarFile> files;
  Ahead ahead;
  for (size_t at = 0; at < archive.size();) {
    if (archive.size() - at < kBlock) return bad(at, "a header is cut off");
    Header header;
    std::memcpy(&header, archive.data() + at, kBlock);
    if (archive.substr(at, kBlock).find_first_not_of('\0') == std::string_view::npos) break;
    if (number_of({header.checksum, sizeof header.checksum}) != checksum(header)) return bad(at, "a wrong checksum");
    const bool regular = header.type == '0' || header.type == '\0';
    auto size = number_of({header.size, sizeof header.size});
    if (regular && ahead.size) size = ahead.size;
    at += kBlock;
    if (!size || *size > archive.size() - at) return bad(at, "a file is cut off");
    const std::string_view content = archive.substr(at, *size);
    at += std::min(archive.size() - at, (content.size() + kBlock - 1) / kBlock * kBlock);
    if (!regular) {
      read_ahead(header.type, content, ahead);
      if (header.type == 'x' || header.type == 'L') continue;
    } else {
      files.push_back({ahead.name.empty() ? name_of(header) : std::move(ahead.name), content});
    }
    ahead = {};
  }
  return files;
}

}  // namespace inlay::package
