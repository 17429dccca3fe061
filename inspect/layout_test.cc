// SPDX-License-Identifier: Apache-2.0
#include "inspect/layout.h"

#include <algorithm>
#include <numeric>

#include "inspect/inspect_fixture.h"

namespace inlay::inspect {
namespace {

Layout layout_of(const std::vector<uint8_t>& module) {
  auto layout = read_layout(module);
  EXPECT_TRUE(layout) << layout.error().to_string();
  return layout ? *std::move(layout) : Layout{};
}

std::string features_of(std::string_view text) {
  const Layout layout = layout_of(wasm(text));
  std::string names;
  for (const FeatureInfo& info : kFeatures) {
    if (layout.features.has(info.feature)) names.append(names.empty() ? "" : " ").append(info.name);
  }
  return names;
}

TEST(Layout, TableOfFeaturesIsInOrder) {
  for (size_t i = 0; i < kFeatures.size(); ++i) EXPECT_EQ(static_cast<size_t>(kFeatures[i].feature), i);
}

TEST(Layout, SectionsCoverTheModule) {
  const auto module = with_custom(wasm(kSmallProxy), "mine", "content");
  const Layout layout = layout_of(module);
  size_t at = 8;
  for (const Section& section : layout.sections) {
    EXPECT_EQ(section.offset, at) << section.name;
    at += section.size;
  }
  EXPECT_EQ(at, module.size());
  EXPECT_EQ(layout.sections.front().name, "type");
  EXPECT_EQ(layout.sections.back().name, "mine");
  EXPECT_EQ(layout.sections.back().size, 2 + 5 + 7u);
}

TEST(Layout, CountsAndSizes) {
  const Layout layout = layout_of(wasm(kSmallProxy));
  EXPECT_EQ(layout.imported_functions, 3u);
  ASSERT_EQ(layout.bodies.size(), 7u);
  EXPECT_EQ(layout.bodies[0].index, 3u);
  EXPECT_EQ(layout.bodies[0].size, 5 + 2u);  // its size, which wabt writes in five bytes; no locals, end
  EXPECT_EQ(layout.export_names.at(5), "malloc");
  ASSERT_EQ(layout.memories.size(), 1u);
  EXPECT_EQ(layout.memories[0].initial_pages, 2u);
  EXPECT_EQ(layout.memories[0].maximum_pages, 16u);
  ASSERT_EQ(layout.tables.size(), 1u);
  EXPECT_EQ(layout.tables[0].type, "funcref");
  EXPECT_EQ(layout.globals.defined, 1u);
  EXPECT_EQ(layout.globals.mutable_ones, 1u);
  EXPECT_EQ(layout.data.bytes, 5u);
  EXPECT_EQ(layout.data.lowest_address, 2048u);
  EXPECT_FALSE(layout.start);
}

TEST(Layout, ImportedThings) {
  const Layout layout = layout_of(wasm(R"((module
    (import "m" "memory" (memory 1)) (import "m" "table" (table 2 funcref))
    (import "m" "global" (global i32)) (func $main) (start $main)))"));
  EXPECT_TRUE(layout.memories.at(0).imported);
  EXPECT_FALSE(layout.memories[0].maximum_pages);
  EXPECT_TRUE(layout.tables.at(0).imported);
  EXPECT_EQ(layout.globals.imported, 1u);
  EXPECT_EQ(layout.start, 0u);
}

TEST(Layout, EachFeatureIsSeen) {
  EXPECT_EQ(features_of("(module (func (drop (i32.add (i32.const 1) (i32.const -1)))))"), "");
  EXPECT_EQ(features_of("(module (func (param i32) (drop (i32.extend8_s (local.get 0)))))"), "sign-ext");
  EXPECT_EQ(features_of("(module (func (drop (i32.trunc_sat_f32_s (f32.const 1)))))"), "nontrapping-fptoint");
  EXPECT_EQ(features_of("(module (memory 1) (func (memory.fill (i32.const 0) (i32.const 0) (i32.const 0))))"),
            "bulk-memory");
  EXPECT_EQ(features_of("(module (memory 1) (data \"passive\"))"), "bulk-memory");
  EXPECT_EQ(features_of("(module (func (result i32 i32) (i32.const 1) (i32.const 2)))"), "multivalue");
  EXPECT_EQ(features_of("(module (global (export \"g\") (mut i32) (i32.const 0)))"), "mutable-globals");
  EXPECT_EQ(features_of("(module (global (mut i32) (i32.const 0)))"), "");
  EXPECT_EQ(features_of("(module (import \"m\" \"g\" (global (mut i32))))"), "mutable-globals");
  EXPECT_EQ(features_of("(module (table 1 externref))"), "reference-types");
  EXPECT_EQ(features_of("(module (func (drop (ref.null func))))"), "reference-types");
  EXPECT_EQ(features_of("(module (func (drop (v128.const i32x4 1 2 3 4))))"), "simd128");
  EXPECT_EQ(features_of("(module (func (param v128)))"), "simd128");
  EXPECT_EQ(features_of("(module (tag) (func (throw 0)))"), "exception-handling");
}

// Instructions that the text reader of the oldest wabt does not know, as bodies of the only function.
TEST(Layout, FeaturesOfNewerInstructions) {
  const auto with_body = [](std::vector<uint8_t> body) {
    std::vector<uint8_t> module = raw("\0asm\1\0\0\0\1\4\1\x60\0\0\3\2\1\0");
    body.insert(body.begin(), 0);  // no locals
    body.push_back(0x0b);
    const auto size = static_cast<uint8_t>(body.size());
    module.insert(module.end(), {10, static_cast<uint8_t>(size + 2), 1, size});
    module.insert(module.end(), body.begin(), body.end());
    return module;
  };
  const auto has = [&](std::vector<uint8_t> body, Feature feature) {
    return layout_of(with_body(std::move(body))).features.has(feature);
  };
  EXPECT_TRUE(has({0x12, 0}, Feature::kTailCall));
  EXPECT_TRUE(has({0xfe, 3, 0}, Feature::kAtomics));
  EXPECT_TRUE(has({0xfd, 0x80, 2}, Feature::kRelaxedSimd));
  EXPECT_TRUE(has({0x28, 0x42, 1, 4}, Feature::kMultiMemory));
  EXPECT_TRUE(has({0xd4}, Feature::kTypedReferences));
  EXPECT_TRUE(has({0x1f, 0x40, 1, 0, 0, 0, 0x0b}, Feature::kExceptionHandling));
  EXPECT_TRUE(has({0x1c, 1, 0x6f}, Feature::kReferenceTypes));
  EXPECT_FALSE(has({0x0e, 1, 0, 0}, Feature::kMultiValue));
}

TEST(Layout, NamesProducersAndTargetFeatures) {
  auto module = wasm(kSmallProxy);
  module = with_custom(module, "name",
                       std::string("\x01\x09\x02\x03\x01"
                                   "a\x04\x02"
                                   "bc",
                                   11));
  module = with_custom(module, "producers",
                       "\x01\x08language\x01\x03"
                       "C++\x02"
                       "14");
  module = with_custom(module, "target_features", "\x01+\x08sign-ext");
  const Layout layout = layout_of(module);
  EXPECT_EQ(layout.function_names, (std::map<uint32_t, std::string>{{3, "a"}, {4, "bc"}}));
  ASSERT_EQ(layout.producers.size(), 1u);
  EXPECT_EQ(layout.producers[0].field + " " + layout.producers[0].name + " " + layout.producers[0].version,
            "language C++ 14");
  EXPECT_EQ(layout.target_features, std::vector<std::string>{"+sign-ext"});
  EXPECT_TRUE(layout.broken.empty());
}

// Engines pass over custom sections that they cannot read.
TEST(Layout, BrokenCustomSectionsAreNoErrors) {
  for (const char* name : {"name", "producers", "target_features"}) {
    const Layout layout = layout_of(with_custom(wasm("(module)"), name, "\xff\xff\xff\xff\x0f"));
    EXPECT_EQ(layout.broken, std::vector<std::string>{name});
  }
}

TEST(Layout, WhatCannotBeReadIsAnErrorWithItsOffset) {
  const struct {
    std::vector<uint8_t> module;
    const char* error;
  } cases[] = {
      {raw(""), "the module's head is said to have 8 bytes, of which 0 are there, at offset 0x0"},
      {raw("\0asm\2\0\0\0"), "this is no WebAssembly 1 module: its head is another one"},
      {raw("\0asm\1\0\0\0\1"), "the bytes end before a section's size at offset 0x9"},
      {raw("\0asm\1\0\0\0\1\xff\xff\xff\xff\x0f"), "a section is said to have 4294967295 bytes, of which 0 are there,"},
      {raw("\0asm\1\0\0\0\1\xff\xff\xff\xff\x1f"), "a section's size is no number of 32 bits at offset 0xe"},
      {raw("\0asm\1\0\0\0\x63\0"), "section 99 is of no known kind; its content begins at offset 0xa"},
      {raw("\0asm\1\0\0\0\1\5\xff\xff\xff\xff\x0f"), "section type: 4294967295 entries do not fit into 0 bytes at"},
      {raw("\0asm\1\0\0\0\1\4\1\x61\0\0"), "section type: the type just before it is no function type: something is"},
      {raw("\0asm\1\0\0\0\1\5\1\x60\0\0\0"), "section type: there is more than the entries at offset 0xe"},
      {raw("\0asm\1\0\0\0\2\5\1\0\0\x09\0"), "section import: an import has an unknown kind just before it, at"},
      {raw("\0asm\1\0\0\0\5\3\1\x08\0"), "section memory: limits have unknown flags just before it, at offset 0xc"},
      {raw("\0asm\1\0\0\0\6\5\1\x7f\0\xff\x0b"), "section global: there is no instruction 0xff 0x0 at offset 0xe"},
      {raw("\0asm\1\0\0\0\6\5\1\x7f\0\x41\x80"), "section global: the bytes end before an i32 at offset 0xf"},
      {raw("\0asm\1\0\0\0\x0a\6\1\4\0\x16\x0b\x0b"),
       "section code: a function cannot be read: there is no instruction"},
      {raw("\0asm\1\0\0\0\x0a\6\1\4\0\x0e\x7f\x0b"), "127 labels do not fit into 1 bytes at offset 0xf"},
      {raw("\0asm\1\0\0\0\x0c\5\xff\xff\xff\xff\x0f"), "section datacount: 4294967295 data segments do not fit into"},
      {raw("\0asm\1\0\0\0\x0b\3\1\7\0"), "section data: a data segment has unknown flags just before it, at"},
  };
  for (const auto& one : cases) {
    const auto layout = read_layout(one.module);
    ASSERT_FALSE(layout) << one.error;
    EXPECT_NE(layout.error().to_string().find(one.error), std::string::npos) << layout.error().to_string();
  }
}

TEST(Layout, EveryTruncationIsRefusedOrEndsAtASection) {
  const auto module = with_custom(wasm(kSmallProxy), "mine", "content");
  const Layout whole = layout_of(module);
  for (size_t size = 0; size < module.size(); ++size) {
    const auto layout = read_layout({module.data(), size});
    if (!layout) continue;
    const bool boundary = size == 8 || std::any_of(whole.sections.begin(), whole.sections.end(),
                                                   [&](const Section& s) { return s.offset + s.size == size; });
    EXPECT_TRUE(boundary) << size;
  }
}

}  // namespace
}  // namespace inlay::inspect
