// SPDX-License-Identifier: Apache-2.0
#include "coverage/counted_module.h"

#include <algorithm>
#include <map>
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
  // DWARF that cannot be read is no reason not to count: engines pass over it, too.
  std::vector<SourceFile> sources = source_lines(bytes).value_or(std::vector<SourceFile>{});
  std::erase_if(sources, [](const SourceFile& file) { return !is_own_source(file.path); });
  const std::shared_ptr<CountedModule> made(new CountedModule);
  const std::vector<size_t> places = made->choose_places(entries, sources);
  INLAY_TRY(const std::vector<uint8_t> counting, with_counters(bytes, places));
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
  made->name_functions();
  return made;
}

std::vector<size_t> CountedModule::choose_places(const std::vector<size_t>& entries,
                                                 const std::vector<SourceFile>& sources) {
  std::vector<size_t> places = entries;
  for (const SourceFile& file : sources) {
    for (const SourceLine& line : file.lines) places.insert(places.end(), line.places.begin(), line.places.end());
  }
  std::sort(places.begin(), places.end());
  places.erase(std::unique(places.begin(), places.end()), places.end());
  counters_ = places.size();
  const auto counter = [&](size_t place) {
    return static_cast<size_t>(std::lower_bound(places.begin(), places.end(), place) - places.begin());
  };
  for (const size_t entry : entries) function_counters_.push_back(counter(entry));
  for (const SourceFile& file : sources) {
    CountedFile counted{file.path, {}};
    for (const SourceLine& line : file.lines) {
      std::vector<size_t> of_line;
      for (const size_t place : line.places) of_line.push_back(counter(place));
      lines_.push_back(std::move(of_line));
      counted.lines.push_back({line.line});
    }
    coverage_.files.push_back(std::move(counted));
  }
  return places;
}

// A function is at the first line that has its entry.
void CountedModule::name_functions() {
  std::map<size_t, const std::string*> by_counter;
  for (size_t i = 0; i < function_counters_.size(); ++i)
    by_counter[function_counters_[i]] = &coverage_.functions[i].name;
  auto counters = lines_.begin();
  for (CountedFile& file : coverage_.files) {
    for (CountedLine& line : file.lines) {
      for (const size_t counter : *counters++) {
        const auto found = by_counter.find(counter);
        if (found == by_counter.end()) continue;
        line.function = *found->second;
        by_counter.erase(found);
      }
    }
  }
}

std::shared_ptr<compiler::Recorder> CountedModule::recorder() const {
  auto recorder = std::make_shared<compiler::Recorder>();
  recorder->globals.resize(counters_);
  return recorder;
}

void CountedModule::add(const compiler::Recorder& recorder) {
  const std::lock_guard lock(mutex_);
  for (size_t i = 0; i < callbacks_.size(); ++i) coverage_.callbacks[i].calls += recorder.exports[callbacks_[i]];
  for (size_t i = 0; i < coverage_.imports.size(); ++i) coverage_.imports[i].calls += recorder.imports[i];
  for (size_t i = 0; i < coverage_.functions.size(); ++i) {
    coverage_.functions[i].calls += recorder.globals[function_counters_[i]];
  }
  auto counters = lines_.begin();
  for (CountedFile& file : coverage_.files) {
    for (CountedLine& line : file.lines) {
      uint64_t most = 0;
      for (const size_t counter : *counters++) most = std::max(most, recorder.globals[counter]);
      line.times += most;
    }
  }
}

ModuleCoverage CountedModule::coverage() const {
  const std::lock_guard lock(mutex_);
  return coverage_;
}

}  // namespace inlay::coverage
