// SPDX-License-Identifier: Apache-2.0
#include "inspect/instructions.h"

#include <array>
#include <cstdio>
#include <optional>
#include <string>

namespace inlay::inspect {
namespace {

// Immediate is what follows an opcode.
enum class Immediate : uint8_t {
  kUnknown,  // no such instruction
  kNone,
  kBlockType,
  kIndex,
  kTwoIndices,
  kBranchTable,
  kTypes,  // select with its types
  kMemory,
  kI32,
  kI64,
  kF32,
  kF64,
  kHeapType,
  kSixteenBytes,
  kLane,
  kMemoryLane,
  kTryTable,
};

struct Row {
  Immediate immediate = Immediate::kUnknown;
  std::optional<Feature> feature;
};

constexpr void fill(std::array<Row, 256>& table, unsigned first, unsigned last, Immediate immediate,
                    std::optional<Feature> feature = std::nullopt) {
  for (unsigned i = first; i <= last; ++i) table[i] = {immediate, feature};
}

// WebAssembly core specification, "Binary Format / Instructions", and the proposals of the features.
constexpr std::array<Row, 256> kPlain = [] {
  std::array<Row, 256> t{};
  fill(t, 0x00, 0x01, Immediate::kNone);  // unreachable, nop
  fill(t, 0x02, 0x04, Immediate::kBlockType);
  fill(t, 0x05, 0x05, Immediate::kNone);                                    // else
  fill(t, 0x06, 0x06, Immediate::kBlockType, Feature::kExceptionHandling);  // try
  fill(t, 0x07, 0x09, Immediate::kIndex, Feature::kExceptionHandling);      // catch, throw, rethrow
  fill(t, 0x0a, 0x0a, Immediate::kNone, Feature::kExceptionHandling);       // throw_ref
  fill(t, 0x0b, 0x0b, Immediate::kNone);                                    // end
  fill(t, 0x0c, 0x0d, Immediate::kIndex);                                   // br, br_if
  fill(t, 0x0e, 0x0e, Immediate::kBranchTable);                             //
  fill(t, 0x0f, 0x0f, Immediate::kNone);                                    // return
  fill(t, 0x10, 0x10, Immediate::kIndex);                                   // call
  fill(t, 0x11, 0x11, Immediate::kTwoIndices);                              // call_indirect
  fill(t, 0x12, 0x12, Immediate::kIndex, Feature::kTailCall);               // return_call
  fill(t, 0x13, 0x13, Immediate::kTwoIndices, Feature::kTailCall);          // return_call_indirect
  fill(t, 0x14, 0x15, Immediate::kIndex, Feature::kTypedReferences);        // call_ref, return_call_ref
  fill(t, 0x18, 0x18, Immediate::kIndex, Feature::kExceptionHandling);      // delegate
  fill(t, 0x19, 0x19, Immediate::kNone, Feature::kExceptionHandling);       // catch_all
  fill(t, 0x1a, 0x1b, Immediate::kNone);                                    // drop, select
  fill(t, 0x1c, 0x1c, Immediate::kTypes, Feature::kReferenceTypes);         // select t
  fill(t, 0x1f, 0x1f, Immediate::kTryTable, Feature::kExceptionHandling);   //
  fill(t, 0x20, 0x24, Immediate::kIndex);                                   // local.*, global.*
  fill(t, 0x25, 0x26, Immediate::kIndex, Feature::kReferenceTypes);         // table.get, table.set
  fill(t, 0x28, 0x3e, Immediate::kMemory);                                  // loads and stores
  fill(t, 0x3f, 0x40, Immediate::kIndex);                                   // memory.size, memory.grow
  fill(t, 0x41, 0x41, Immediate::kI32);                                     //
  fill(t, 0x42, 0x42, Immediate::kI64);                                     //
  fill(t, 0x43, 0x43, Immediate::kF32);                                     //
  fill(t, 0x44, 0x44, Immediate::kF64);                                     //
  fill(t, 0x45, 0xbf, Immediate::kNone);                                    // numeric
  fill(t, 0xc0, 0xc4, Immediate::kNone, Feature::kSignExtension);           //
  fill(t, 0xd0, 0xd0, Immediate::kHeapType, Feature::kReferenceTypes);      // ref.null
  fill(t, 0xd1, 0xd1, Immediate::kNone, Feature::kReferenceTypes);          // ref.is_null
  fill(t, 0xd2, 0xd2, Immediate::kIndex, Feature::kReferenceTypes);         // ref.func
  fill(t, 0xd4, 0xd4, Immediate::kNone, Feature::kTypedReferences);         // ref.as_non_null
  fill(t, 0xd5, 0xd6, Immediate::kIndex, Feature::kTypedReferences);        // br_on_null, br_on_non_null
  return t;
}();

constexpr std::array<Row, 256> kAfterFc = [] {
  std::array<Row, 256> t{};
  fill(t, 0, 7, Immediate::kNone, Feature::kNontrappingFloatToInt);
  fill(t, 8, 8, Immediate::kTwoIndices, Feature::kBulkMemory);    // memory.init
  fill(t, 9, 9, Immediate::kIndex, Feature::kBulkMemory);         // data.drop
  fill(t, 10, 10, Immediate::kTwoIndices, Feature::kBulkMemory);  // memory.copy
  fill(t, 11, 11, Immediate::kIndex, Feature::kBulkMemory);       // memory.fill
  fill(t, 12, 12, Immediate::kTwoIndices, Feature::kBulkMemory);  // table.init
  fill(t, 13, 13, Immediate::kIndex, Feature::kBulkMemory);       // elem.drop
  fill(t, 14, 14, Immediate::kTwoIndices, Feature::kBulkMemory);  // table.copy
  fill(t, 15, 17, Immediate::kIndex, Feature::kReferenceTypes);   // table.grow, table.size, table.fill
  return t;
}();

Row after_fd(uint32_t opcode) {
  if (opcode <= 11 || opcode == 92 || opcode == 93) return {Immediate::kMemory, Feature::kSimd};
  if (opcode == 12 || opcode == 13) return {Immediate::kSixteenBytes, Feature::kSimd};  // v128.const, i8x16.shuffle
  if (opcode >= 21 && opcode <= 34) return {Immediate::kLane, Feature::kSimd};
  if (opcode >= 84 && opcode <= 91) return {Immediate::kMemoryLane, Feature::kSimd};
  if (opcode <= 0xff) return {Immediate::kNone, Feature::kSimd};
  if (opcode <= 0x113) return {Immediate::kNone, Feature::kRelaxedSimd};
  return {};
}

Row after_fe(uint32_t opcode) {
  if (opcode == 3) return {Immediate::kIndex, Feature::kAtomics};  // atomic.fence
  return opcode <= 0x4e ? Row{Immediate::kMemory, Feature::kAtomics} : Row{};
}

// Reads an opcode; the row says what follows it.
Row scan_opcode(Reader& in, uint8_t& first) {
  first = in.u8("an instruction");
  if (!in.ok()) return {};
  if (first < 0xfc) {
    const Row row = kPlain[first];
    if (row.immediate != Immediate::kUnknown) return row;
  }
  Row row;
  uint32_t second = 0;
  if (first >= 0xfc && first <= 0xfe) {
    second = in.u32("an instruction");
    row = first == 0xfe ? after_fe(second) : first == 0xfd ? after_fd(second) : second < 256 ? kAfterFc[second] : Row{};
  }
  if (row.immediate == Immediate::kUnknown) {
    char text[64];
    std::snprintf(text, sizeof text, "there is no instruction 0x%02x 0x%x", first, static_cast<unsigned>(second));
    in.fail(text);
  }
  return row;
}

void scan_block_type(Reader& in, FeatureSet& used) {
  constexpr int64_t kEmpty = -64;
  const int64_t type = in.signed_leb(33, "a block's type");
  if (type >= 0) used.add(Feature::kMultiValue);
  if (type == -5) used.add(Feature::kSimd);
  if (type == -16 || type == -17) used.add(Feature::kReferenceTypes);
  if (type < kEmpty) in.fail("a block's type is none");
}

void scan_memory(Reader& in, FeatureSet& used) {
  constexpr uint32_t kHasMemoryIndex = 0x40;
  if ((in.u32("an alignment") & kHasMemoryIndex) != 0) {
    used.add(Feature::kMultiMemory);
    in.u32("a memory's index");
  }
  in.u64("an offset");
}

void scan_try_table(Reader& in, FeatureSet& used) {
  scan_block_type(in, used);
  const uint32_t clauses = in.count(2, "catch clauses");
  for (uint32_t i = 0; i < clauses && in.ok(); ++i) {
    if (in.u8("a catch clause") < 2) in.u32("a tag's index");
    in.u32("a label");
  }
}

void scan_immediate(Reader& in, Immediate immediate, FeatureSet& used) {
  switch (immediate) {
    case Immediate::kUnknown:
    case Immediate::kNone:
      return;
    case Immediate::kBlockType:
      return scan_block_type(in, used);
    case Immediate::kTwoIndices:
      in.u32("an index");
      [[fallthrough]];
    case Immediate::kIndex:
      in.u32("an index");
      return;
    case Immediate::kBranchTable: {
      const uint32_t labels = in.count(1, "labels");
      for (uint32_t i = 0; i <= labels && in.ok(); ++i) in.u32("a label");
      return;
    }
    case Immediate::kTypes: {
      const uint32_t types = in.count(1, "types");
      for (uint32_t i = 0; i < types && in.ok(); ++i) scan_value_type(in, used);
      return;
    }
    case Immediate::kMemoryLane:
      scan_memory(in, used);
      in.u8("a lane");
      return;
    case Immediate::kMemory:
      return scan_memory(in, used);
    case Immediate::kI32:
      in.signed_leb(32, "an i32");
      return;
    case Immediate::kI64:
      in.signed_leb(64, "an i64");
      return;
    case Immediate::kF32:
      in.bytes(4, "an f32");
      return;
    case Immediate::kF64:
      in.bytes(8, "an f64");
      return;
    case Immediate::kHeapType:
      in.signed_leb(33, "a type");
      return;
    case Immediate::kSixteenBytes:
      in.bytes(16, "a vector");
      return;
    case Immediate::kLane:
      in.u8("a lane");
      return;
    case Immediate::kTryTable:
      return scan_try_table(in, used);
  }
}

}  // namespace

std::string_view value_type_name(uint8_t type) {
  switch (type) {
    case 0x7f:
      return "i32";
    case 0x7e:
      return "i64";
    case 0x7d:
      return "f32";
    case 0x7c:
      return "f64";
    case 0x7b:
      return "v128";
    case 0x70:
      return "funcref";
    case 0x6f:
      return "externref";
    case 0x69:
      return "exnref";
    default:
      return "reference";
  }
}

uint8_t scan_value_type(Reader& in, FeatureSet& used) {
  const uint8_t type = in.u8("a type");
  if (type == 0x7b) used.add(Feature::kSimd);
  if (type == 0x70 || type == 0x6f) used.add(Feature::kReferenceTypes);
  if (type == 0x69) used.add(Feature::kExceptionHandling);
  if (type == 0x63 || type == 0x64) {  // (ref null? heap type)
    used.add(Feature::kTypedReferences);
    in.signed_leb(33, "a type");
  } else if (in.ok() && value_type_name(type) == "reference") {
    in.fail("there is no such type just before it,");
  }
  return type;
}

Constant scan_constant(Reader& in, FeatureSet& used) {
  Constant found;
  for (size_t length = 0; in.ok(); ++length) {
    Reader value = in;
    uint8_t opcode = 0;
    const Row row = scan_opcode(in, opcode);
    if (opcode == 0x0b) return length == 1 ? found : Constant{};
    if (length == 0 && (opcode == 0x41 || opcode == 0x42)) {
      value.u8("an instruction");
      const int64_t number = value.signed_leb(opcode == 0x41 ? 32 : 64, "a constant");
      found = {true, opcode == 0x41 ? static_cast<uint32_t>(number) : static_cast<uint64_t>(number)};
    }
    // In a constant expression plain arithmetic is a later addition.
    if (opcode >= 0x6a && opcode <= 0x7e) used.add(Feature::kExtendedConst);
    if (row.feature) used.add(*row.feature);
    scan_immediate(in, row.immediate, used);
  }
  return {};
}

void scan_locals(Reader& in, FeatureSet& used) {
  const uint32_t groups = in.count(2, "groups of locals");
  for (uint32_t i = 0; i < groups && in.ok(); ++i) {
    in.u32("the number of locals");
    scan_value_type(in, used);
  }
}

void scan_instruction(Reader& in, FeatureSet& used) {
  uint8_t opcode = 0;
  const Row row = scan_opcode(in, opcode);
  if (row.feature) used.add(*row.feature);
  scan_immediate(in, row.immediate, used);
}

void scan_body(Reader& in, FeatureSet& used) {
  scan_locals(in, used);
  while (in.ok() && !in.at_end()) scan_instruction(in, used);
}

}  // namespace inlay::inspect
