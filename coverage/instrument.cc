// SPDX-License-Identifier: Apache-2.0
#include "coverage/instrument.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "inspect/features.h"
#include "inspect/instructions.h"
#include "inspect/layout.h"
#include "inspect/reader.h"

namespace inlay::coverage {
namespace {

using inspect::Reader;
using Bytes = std::vector<uint8_t>;

// WebAssembly core specification, "Binary Format": sections by number, and the few instructions of a counter.
enum SectionId : uint8_t {
  kCustom = 0,
  kGlobal = 6,
  kExport = 7,
  kStart = 8,
  kElement = 9,
  kCode = 10,
  kDataCount = 12
};
constexpr uint8_t kI64 = 0x7e, kMutable = 1, kEnd = 0x0b;
constexpr uint8_t kGlobalGet = 0x23, kGlobalSet = 0x24, kI64Const = 0x42, kI64Add = 0x7c;
constexpr size_t kHead = 8;  // bytes: the magic number and the version

void append_leb(Bytes& out, uint64_t number) {
  while (number >= 0x80) {
    out.push_back(static_cast<uint8_t>(number | 0x80));
    number >>= 7;
  }
  out.push_back(static_cast<uint8_t>(number));
}

void append(Bytes& out, std::span<const uint8_t> bytes) {
  out.insert(out.end(), bytes.begin(), bytes.end());
}

void append_section(Bytes& out, uint8_t id, const Bytes& content) {
  out.push_back(id);
  append_leb(out, content.size());
  append(out, content);
}

void append_counter(Bytes& out, uint64_t global) {
  out.push_back(kGlobalGet);
  append_leb(out, global);
  out.insert(out.end(), {kI64Const, 1, kI64Add, kGlobalSet});
  append_leb(out, global);
}

struct Section {
  uint8_t id = 0;
  std::span<const uint8_t> content;
  size_t offset = 0;  // of the content
};

Result<std::vector<Section>> sections_of(std::span<const uint8_t> module) {
  std::vector<Section> sections;
  Reader in(module, 0);
  in.bytes(kHead, "the module's head");
  while (in.ok() && !in.at_end()) {
    Section section;
    section.id = in.u8("a section");
    const uint32_t size = in.u32("a section's size");
    section.offset = in.offset();
    section.content = in.bytes(size, "a section");
    sections.push_back(section);
  }
  if (!in.ok()) return in.error();
  return sections;
}

// Calls `each` with a reader of every function's body and where that begins.
template <class Each>
Result<> for_each_body(const Section& code, Each each) {
  Reader in(code.content, code.offset);
  const uint32_t count = in.count(2, "functions");
  for (uint32_t i = 0; i < count && in.ok(); ++i) {
    const uint32_t size = in.u32("a function's size");
    const size_t offset = in.offset();
    const auto body = in.bytes(size, "a function");
    if (in.ok()) INLAY_RETURN_IF_ERROR(each(body, offset));
  }
  if (!in.ok()) return in.error();
  return {};
}

Result<FunctionCode> code_of(std::span<const uint8_t> body, size_t offset) {
  FunctionCode code;
  code.end = offset + body.size();
  Reader in(body, offset);
  inspect::FeatureSet ignored;
  inspect::scan_locals(in, ignored);
  while (in.ok() && !in.at_end()) {
    code.instructions.push_back(in.offset());
    inspect::scan_instruction(in, ignored);
  }
  if (in.ok() && code.instructions.empty()) in.fail("a function without an end is before it,");
  if (!in.ok()) return in.error();
  return code;
}

// Writes the counters of one module, whose first is the global `first_`.
class Writer {
 public:
  Writer(std::span<const size_t> places, uint64_t first) : places_(places), first_(first) {}

  Result<Bytes> code(const Section& section) {
    Bytes out;
    append_leb(out, Reader(section.content, 0).count(2, "functions"));
    INLAY_RETURN_IF_ERROR(for_each_body(section, [&](std::span<const uint8_t> body, size_t offset) -> Result<> {
      const Bytes counted = function(body, offset);
      append_leb(out, counted.size());
      append(out, counted);
      return {};
    }));
    return out;
  }

  Result<> finish() const {
    if (next_ == places_.size()) return {};
    return Error{ErrorCode::kInvalidArgument, "no function has a byte " + std::to_string(places_[next_]), {}};
  }

  // With those of the section that is there, if one is.
  Bytes globals(std::span<const uint8_t> present) const {
    Reader in(present, 0);
    const uint64_t count = present.empty() ? 0 : in.u32("globals");
    Bytes out;
    append_leb(out, count + places_.size());
    append(out, present.subspan(in.offset()));
    for (size_t i = 0; i < places_.size(); ++i) out.insert(out.end(), {kI64, kMutable, kI64Const, 0, kEnd});
    return out;
  }

 private:
  Bytes function(std::span<const uint8_t> body, size_t offset) {
    Bytes out;
    size_t at = offset;
    for (; next_ < places_.size() && places_[next_] >= at && places_[next_] < offset + body.size(); ++next_) {
      append(out, body.subspan(at - offset, places_[next_] - at));
      at = places_[next_];
      append_counter(out, first_ + next_);
    }
    append(out, body.subspan(at - offset));
    return out;
  }

  std::span<const size_t> places_;
  uint64_t first_;
  size_t next_ = 0;
};

bool is_names(const Section& section) {
  return Reader(section.content, 0).name("a custom section's name") == "name";
}

// Whether the section of globals comes before this one.
bool behind_globals(uint8_t id) {
  return id == kExport || id == kStart || id == kElement || id == kDataCount || id == kCode;
}

}  // namespace

Result<std::vector<FunctionCode>> function_code(std::span<const uint8_t> module) {
  std::vector<FunctionCode> functions;
  INLAY_TRY(const auto sections, sections_of(module));
  for (const Section& section : sections) {
    if (section.id != kCode) continue;
    INLAY_RETURN_IF_ERROR(for_each_body(section, [&](std::span<const uint8_t> body, size_t offset) -> Result<> {
      INLAY_TRY(FunctionCode code, code_of(body, offset));
      functions.push_back(std::move(code));
      return {};
    }));
  }
  return functions;
}

Result<std::vector<size_t>> function_entries(std::span<const uint8_t> module) {
  std::vector<size_t> entries;
  INLAY_TRY(const auto functions, function_code(module));
  for (const FunctionCode& code : functions) entries.push_back(code.instructions.front());
  return entries;
}

Result<std::vector<uint8_t>> with_counters(std::span<const uint8_t> module, std::span<const size_t> places) {
  INLAY_TRY(const inspect::Layout layout, inspect::read_layout(module));
  INLAY_TRY(const auto sections, sections_of(module));
  Writer writer(places, uint64_t{layout.globals.imported} + layout.globals.defined);
  Bytes out(module.begin(), module.begin() + kHead);
  bool globals_written = false;
  for (const Section& section : sections) {
    if (section.id == kCustom && !is_names(section)) continue;
    if (section.id == kGlobal || (behind_globals(section.id) && !globals_written)) {
      append_section(out, kGlobal, writer.globals(section.id == kGlobal ? section.content : Bytes{}));
      globals_written = true;
      if (section.id == kGlobal) continue;
    }
    if (section.id == kCode) {
      INLAY_TRY(const Bytes code, writer.code(section));
      append_section(out, kCode, code);
    } else {
      append_section(out, section.id, {section.content.begin(), section.content.end()});
    }
  }
  INLAY_RETURN_IF_ERROR(writer.finish());
  return out;
}

}  // namespace inlay::coverage
