// SPDX-License-Identifier: Apache-2.0
#include "inspect/layout.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "inspect/custom_sections.h"
#include "inspect/instructions.h"
#include "inspect/reader.h"

namespace inlay::inspect {
namespace {

enum ExternalKind : uint8_t { kFunction, kTable, kMemory, kGlobal, kTag };

struct Limits {
  uint64_t initial = 0;
  std::optional<uint64_t> maximum;
};

Limits read_limits(Reader& in, Layout& layout) {
  constexpr uint8_t kHasMaximum = 1, kShared = 2, kSixtyFour = 4;
  const uint8_t flags = in.u8("limits");
  if (flags > (kHasMaximum | kShared | kSixtyFour)) in.fail("limits have unknown flags just before it,");
  if ((flags & kShared) != 0) layout.features.add(Feature::kAtomics);
  if ((flags & kSixtyFour) != 0) layout.features.add(Feature::kMemory64);
  Limits limits;
  limits.initial = in.u64("a minimum");
  if ((flags & kHasMaximum) != 0) limits.maximum = in.u64("a maximum");
  return limits;
}

void read_memory(Reader& in, Layout& layout, bool imported) {
  const Limits limits = read_limits(in, layout);
  layout.memories.push_back({imported, limits.initial, limits.maximum});
  if (layout.memories.size() > 1) layout.features.add(Feature::kMultiMemory);
}

void read_table(Reader& in, Layout& layout, bool imported) {
  FeatureSet of_type;
  const uint8_t type = scan_value_type(in, of_type);
  if (type != 0x70) layout.features.add(Feature::kReferenceTypes);
  const Limits limits = read_limits(in, layout);
  layout.tables.push_back({imported, std::string(value_type_name(type)), limits.initial, limits.maximum});
  if (layout.tables.size() > 1) layout.features.add(Feature::kReferenceTypes);
}

bool read_global_type(Reader& in, Layout& layout) {
  scan_value_type(in, layout.features);
  const bool is_mutable = in.u8("a global's mutability") != 0;
  if (is_mutable) ++layout.globals.mutable_ones;
  return is_mutable;
}

// Context is what the readers of entries share.
struct Context {
  Layout& layout;
  size_t module_size = 0;
  std::vector<bool> mutable_globals;  // by index, to know exports of them
};

void read_type(Reader& in, Context& context) {
  constexpr uint8_t kFunctionForm = 0x60;
  Layout& layout = context.layout;
  if (in.u8("a type") != kFunctionForm) in.fail("the type just before it is no function type: something is there");
  const uint32_t params = in.count(1, "parameters");
  for (uint32_t i = 0; i < params && in.ok(); ++i) scan_value_type(in, layout.features);
  const uint32_t results = in.count(1, "results");
  if (results > 1) layout.features.add(Feature::kMultiValue);
  for (uint32_t i = 0; i < results && in.ok(); ++i) scan_value_type(in, layout.features);
  ++layout.types;
}

void read_tag(Reader& in, Context& context) {
  context.layout.features.add(Feature::kExceptionHandling);
  in.u8("a tag's attribute");
  in.u32("a type's index");
}

void read_import(Reader& in, Context& context) {
  Layout& layout = context.layout;
  in.name("an import's module");
  in.name("an import's name");
  switch (in.u8("an import's kind")) {
    case kFunction:
      in.u32("a type's index");
      ++layout.imported_functions;
      break;
    case kTable:
      read_table(in, layout, true);
      break;
    case kMemory:
      read_memory(in, layout, true);
      break;
    case kGlobal:
      context.mutable_globals.push_back(read_global_type(in, layout));
      if (context.mutable_globals.back()) layout.features.add(Feature::kMutableGlobals);
      ++layout.globals.imported;
      break;
    case kTag:
      read_tag(in, context);
      break;
    default:
      in.fail("an import has an unknown kind just before it,");
  }
}

void read_global(Reader& in, Context& context) {
  context.mutable_globals.push_back(read_global_type(in, context.layout));
  scan_constant(in, context.layout.features);
  ++context.layout.globals.defined;
}

void read_export(Reader& in, Context& context) {
  Layout& layout = context.layout;
  const std::string_view name = in.name("an export's name");
  const uint8_t kind = in.u8("an export's kind");
  const uint32_t index = in.u32("an export's index");
  if (!in.ok()) return;
  if (kind == kFunction) layout.export_names.emplace(index, name);
  if (kind == kGlobal && index < context.mutable_globals.size() && context.mutable_globals[index]) {
    layout.features.add(Feature::kMutableGlobals);
  }
}

void read_element_segment(Reader& in, Context& context) {
  constexpr uint32_t kPassive = 1, kExplicit = 2, kExpressions = 4;
  Layout& layout = context.layout;
  const uint32_t flags = in.u32("an element segment");
  if (flags > (kPassive | kExplicit | kExpressions)) in.fail("an element segment has unknown flags just before it,");
  if (flags != 0) layout.features.add(Feature::kBulkMemory);
  if ((flags & kPassive) == 0) {
    if ((flags & kExplicit) != 0) in.u32("a table's index");
    scan_constant(in, layout.features);
  }
  if ((flags & (kPassive | kExplicit)) != 0) {
    if ((flags & kExpressions) != 0) {
      scan_value_type(in, layout.features);
    } else {
      in.u8("an element's kind");
    }
  }
  const uint32_t count = in.count(1, "elements");
  for (uint32_t i = 0; i < count && in.ok(); ++i) {
    if ((flags & kExpressions) != 0) {
      scan_constant(in, layout.features);
    } else {
      in.u32("a function's index");
    }
  }
  ++layout.element_segments;
}

void read_body(Reader& in, Context& context) {
  Layout& layout = context.layout;
  const size_t begin = in.offset();
  const uint32_t size = in.u32("a function's size");
  const size_t offset = in.offset();
  Reader body(in.bytes(size, "a function"), offset);
  if (!in.ok()) return;
  scan_body(body, layout.features);
  if (!body.ok()) in.fail("a function cannot be read: " + body.error().message + ", and the next one is");
  layout.bodies.push_back(
      {layout.imported_functions + static_cast<uint32_t>(layout.bodies.size()), in.offset() - begin});
}

void read_data_segment(Reader& in, Context& context) {
  Layout& layout = context.layout;
  const uint32_t flags = in.u32("a data segment");
  if (flags > 2) in.fail("a data segment has unknown flags just before it,");
  if (flags != 0) layout.features.add(Feature::kBulkMemory);
  if (flags == 2) in.u32("a memory's index");
  const Constant address = flags == 1 ? Constant{} : scan_constant(in, layout.features);
  const uint32_t size = in.u32("a segment's size");
  in.bytes(size, "a data segment");
  if (!in.ok()) return;
  ++layout.data.segments;
  layout.data.bytes += size;
  if (!address.known || size == 0) return;
  layout.data.lowest_address = std::min(layout.data.lowest_address.value_or(address.value), address.value);
}

// Entry reads one of a section's entries.
using Entry = void (*)(Reader& in, Context& context);

struct Known {
  const char* name;
  size_t least = 0;  // bytes of an entry
  Entry entry = nullptr;
};

// By number. Function, start and data count are not lists of something to look at.
constexpr auto kKnown = std::to_array<Known>({
    {"custom"},
    {"type", 3, read_type},
    {"import", 4, read_import},
    {"function"},
    {"table", 3, [](Reader& in, Context& context) { read_table(in, context.layout, false); }},
    {"memory", 2, [](Reader& in, Context& context) { read_memory(in, context.layout, false); }},
    {"global", 4, read_global},
    {"export", 3, read_export},
    {"start"},
    {"elem", 2, read_element_segment},
    {"code", 2, read_body},
    {"data", 2, read_data_segment},
    {"datacount"},
    {"tag", 2, read_tag},
});
constexpr uint8_t kStart = 8;
constexpr uint8_t kDataCount = 12;

// Other readers make room for as many segments as are announced, so that a lie must not reach them.
void read_data_count(Reader& in, Context& context) {
  context.layout.features.add(Feature::kBulkMemory);
  const uint32_t count = in.u32("the number of data segments");
  if (count <= context.module_size) return;
  in.fail(std::to_string(count) + " data segments do not fit into the module; that number ends");
}

void read_content(Section& section, Reader& in, Context& context) {
  if (section.id == kCustomSection) {
    section.name = in.name("a custom section's name");
    if (in.ok()) read_custom_section(section.name, in, context.layout);
  }
  if (section.id == kStart) context.layout.start = in.u32("the start function");
  if (section.id == kDataCount) read_data_count(in, context);
  const Known& known = kKnown[section.id];
  if (known.entry == nullptr) return;
  const uint32_t count = in.count(known.least, "entries");
  for (uint32_t i = 0; i < count && in.ok(); ++i) known.entry(in, context);
  if (in.ok() && !in.at_end()) in.fail("there is more than the entries");
}

// Reads the section that `in` stands before.
Result<Section> read_section(Reader& in, Context& context) {
  Section section;
  section.offset = in.offset();
  section.id = in.u8("a section");
  const uint32_t size = in.u32("a section's size");
  const size_t begin = in.offset();
  if (in.ok() && section.id >= kKnown.size()) {
    in.fail("section " + std::to_string(section.id) + " is of no known kind; its content begins");
  }
  Reader content(in.bytes(size, "a section"), begin);
  if (!in.ok()) return in.error();
  section.size = in.offset() - section.offset;
  section.name = kKnown[section.id].name;
  read_content(section, content, context);
  if (content.ok()) return section;
  Error error = content.error();
  error.where = "section " + section.name;
  return error;
}

}  // namespace

Result<Layout> read_layout(std::span<const uint8_t> module) {
  constexpr std::array<uint8_t, 8> kHead = {0, 'a', 's', 'm', 1, 0, 0, 0};
  Reader in(module, 0);
  const auto head = in.bytes(kHead.size(), "the module's head");
  if (in.ok() && !std::equal(head.begin(), head.end(), kHead.begin())) {
    return Error{ErrorCode::kInvalidArgument, "this is no WebAssembly 1 module: its head is another one", {}};
  }
  Layout layout;
  Context context{layout, module.size(), {}};
  while (in.ok() && !in.at_end()) {
    INLAY_TRY(Section section, read_section(in, context));
    layout.sections.push_back(std::move(section));
  }
  if (!in.ok()) return in.error();
  return layout;
}

}  // namespace inlay::inspect
