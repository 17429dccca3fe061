// SPDX-License-Identifier: Apache-2.0
#include "coverage/counted_module.h"

#include <utility>

#include "base/function_name.h"
#include "coverage/instrument.h"
#include "inspect/layout.h"

namespace inlay::coverage {
namespace {

std::string name_of(const inspect::Layout& layout, uint32_t index) {
  for (const auto* names : {&layout.function_names, &layout.export_names}) {
    const auto found = names->find(index);
    if (found != names->end() && !found->second.empty()) return readable_function_name(found->second);
  }
  return "function " + std::to_string(index);
}

bool is_callback(const engine::Export& exported) {
  return exported.kind == engine::ExternKind::kFunction && exported.name.starts_with("proxy_on_") &&
         exported.name != "proxy_on_memory_allocate";
}

}  // namespace

Result<std::shared_ptr<CountedModule>> CountedModule::make(std::string name, std::span<const uint8_t> bytes) {
  INLAY_TRY(const inspect::Layout layout, inspect::read_layout(bytes));
  INLAY_TRY(const std::vector<size_t> entries, function_entries(bytes));
  INLAY_TRY(const std::vector<uint8_t> counting, with_counters(bytes, entries));
  const std::shared_ptr<CountedModule> made(new CountedModule);
  INLAY_TRY(made->code_, compiler::RecordableCode::load(counting));
  ModuleCoverage& coverage = made->coverage_;
  coverage.name = std::move(name);
  coverage.has_names = !layout.function_names.empty();
  const engine::Description& description = made->code_->description();
  for (size_t i = 0; i < description.exports.size(); ++i) {
    if (!is_callback(description.exports[i])) continue;
    made->callbacks_.push_back(i);
    coverage.callbacks.push_back({description.exports[i].name});
  }
  for (const engine::Import& import : description.imports)
    coverage.imports.push_back({import.module + "." + import.name});
  for (const inspect::Body& body : layout.bodies) coverage.functions.push_back({name_of(layout, body.index)});
  return made;
}

std::shared_ptr<compiler::Recorder> CountedModule::recorder() const {
  auto recorder = std::make_shared<compiler::Recorder>();
  recorder->globals.resize(coverage_.functions.size());
  return recorder;
}

void CountedModule::add(const compiler::Recorder& recorder) {
  const std::lock_guard lock(mutex_);
  for (size_t i = 0; i < callbacks_.size(); ++i) coverage_.callbacks[i].calls += recorder.exports[callbacks_[i]];
  for (size_t i = 0; i < coverage_.imports.size(); ++i) coverage_.imports[i].calls += recorder.imports[i];
  for (size_t i = 0; i < coverage_.functions.size(); ++i) coverage_.functions[i].calls += recorder.globals[i];
}

ModuleCoverage CountedModule::coverage() const {
  const std::lock_guard lock(mutex_);
  return coverage_;
}

}  // namespace inlay::coverage
