// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "engine/aot/aot_module.h"
#include "engine/aot/open.h"
#include "engine/engine.h"
#include "engine/within_memory.h"

namespace inlay::engine {
namespace {

std::string list(const std::vector<ValueType>& types) {
  static constexpr std::string_view kNames[] = {"i32", "i64", "f32", "f64", "v128", "funcref", "externref"};
  std::string text;
  for (ValueType type : types) {
    if (!text.empty()) text += ", ";
    text += kNames[static_cast<size_t>(type)];
  }
  return text;
}

}  // namespace

std::string FunctionType::to_string() const {
  std::string text = "(" + list(params) + ") -> ";
  if (results.size() == 1) return text + list(results);
  return text + "(" + list(results) + ")";
}

Module::~Module() = default;

const Export* Module::find_export(std::string_view name) const {
  const auto found = std::find_if(exports_.begin(), exports_.end(), [&](const Export& e) { return e.name == name; });
  return found == exports_.end() ? nullptr : &*found;
}

Result<std::shared_ptr<Module>> Module::open(const std::string& path, std::string_view sha256) {
  return within_memory("open the module", [&]() -> Result<std::shared_ptr<Module>> {
    INLAY_TRY(aot::Opened opened, aot::open_artifact(path, sha256));
    return std::shared_ptr<Module>(
        std::make_shared<aot::AotModule>(std::move(opened.description), std::move(opened.code), Tier::kOptimized));
  });
}

}  // namespace inlay::engine
