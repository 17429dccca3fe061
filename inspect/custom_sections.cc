// SPDX-License-Identifier: Apache-2.0
#include "inspect/custom_sections.h"

#include <utility>

namespace inlay::inspect {
namespace {

constexpr uint8_t kFunctionNames = 1;

using NameMap = std::map<uint32_t, std::string>;

bool read_function_names(Reader in, NameMap& names) {
  const uint32_t count = in.count(2, "names");
  for (uint32_t i = 0; i < count && in.ok(); ++i) {
    const uint32_t index = in.u32("a function's index");
    names.insert_or_assign(index, std::string(in.name("a function's name")));
  }
  return in.ok();
}

bool read_names(Reader& in, Layout& layout) {
  NameMap names;
  while (in.ok() && !in.at_end()) {
    const uint8_t kind = in.u8("a kind of names");
    const uint32_t size = in.u32("a size");
    const size_t offset = in.offset();
    const auto content = in.bytes(size, "a part of the name section");
    if (kind == kFunctionNames && in.ok() && !read_function_names({content, offset}, names)) return false;
  }
  if (in.ok()) layout.function_names = std::move(names);
  return in.ok();
}

bool read_producers(Reader& in, Layout& layout) {
  std::vector<Producer> list;
  const uint32_t fields = in.count(2, "fields");
  for (uint32_t i = 0; i < fields && in.ok(); ++i) {
    const std::string field(in.name("a field's name"));
    const uint32_t values = in.count(2, "values");
    for (uint32_t j = 0; j < values && in.ok(); ++j) {
      std::string name(in.name("a producer's name"));
      list.push_back({field, std::move(name), std::string(in.name("a producer's version"))});
    }
  }
  if (in.ok()) layout.producers = std::move(list);
  return in.ok();
}

bool read_target_features(Reader& in, Layout& layout) {
  std::vector<std::string> list;
  const uint32_t count = in.count(2, "features");
  for (uint32_t i = 0; i < count && in.ok(); ++i) {
    std::string entry(1, static_cast<char>(in.u8("a prefix")));
    list.push_back(entry.append(in.name("a feature's name")));
  }
  if (in.ok()) layout.target_features = std::move(list);
  return in.ok();
}

}  // namespace

void read_custom_section(const std::string& name, Reader in, Layout& layout) {
  const bool good = name == "name"              ? read_names(in, layout)
                    : name == "producers"       ? read_producers(in, layout)
                    : name == "target_features" ? read_target_features(in, layout)
                                                : true;
  if (!good) layout.broken.push_back(name);
}

}  // namespace inlay::inspect
