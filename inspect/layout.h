// SPDX-License-Identifier: Apache-2.0
#pragma once

// What lies where in a module's bytes: sections, functions with their sizes, memories, names, producers, features.
//
// Nothing is validated (compiler/parse.h does that); what cannot be read is an error with its offset. Any bytes may be
// given: time and memory are bounded by their number.

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "inspect/features.h"

namespace inlay::inspect {

constexpr uint8_t kCustomSection = 0;

struct Section {
  uint8_t id = kCustomSection;
  std::string name;  // "code"; a custom section's own name
  size_t offset = 0;
  size_t size = 0;  // all of it, with the byte of its id and its size
};

// Body is a function that the module defines.
struct Body {
  uint32_t index = 0;  // among all functions, imported ones first
  size_t size = 0;     // of the code entry, with its own size field
};

struct Memory {
  bool imported = false;
  uint64_t initial_pages = 0;  // 64 KiB each
  std::optional<uint64_t> maximum_pages;
};

struct Table {
  bool imported = false;
  std::string type;  // "funcref"
  uint64_t initial = 0;
  std::optional<uint64_t> maximum;
};

struct Globals {
  uint32_t imported = 0;
  uint32_t defined = 0;
  uint32_t mutable_ones = 0;
};

struct Data {
  uint32_t segments = 0;
  uint64_t bytes = 0;
  std::optional<uint64_t> lowest_address;  // of the active segments at a constant offset
};

// Producer is one line of the producers section: "processed-by", "clang", "14.0.6".
struct Producer {
  std::string field;
  std::string name;
  std::string version;
};

struct Layout {
  std::vector<Section> sections;
  uint32_t types = 0;
  uint32_t imported_functions = 0;
  std::vector<Body> bodies;
  std::optional<uint32_t> start;  // the start section's function
  std::vector<Memory> memories;
  std::vector<Table> tables;
  Globals globals;
  uint32_t element_segments = 0;
  Data data;
  FeatureSet features;
  // From exports, and from the name section where it can be read.
  std::map<uint32_t, std::string> export_names;
  std::map<uint32_t, std::string> function_names;
  std::vector<Producer> producers;
  std::vector<std::string> target_features;  // "+bulk-memory"
  // Custom sections that are there and cannot be read; engines pass over them, and so do we.
  std::vector<std::string> broken;
};

// kInvalidArgument, with the offset.
Result<Layout> read_layout(std::span<const uint8_t> module);

}  // namespace inlay::inspect
