// SPDX-License-Identifier: Apache-2.0
#include "compiler/recorder.h"

#include <utility>

#include "compiler/interp/interp_module.h"
#include "compiler/parse.h"
#include "engine/within_memory.h"

namespace inlay::compiler {

uint8_t Recorder::turn_to(uint8_t next) {
  const auto time = std::chrono::steady_clock::now();
  if (now_ == kGuest) in_guest += time - since_;
  if (now_ == kHost) in_host += time - since_;
  since_ = time;
  return std::exchange(now_, next);
}

Result<std::shared_ptr<const RecordableCode>> RecordableCode::load(std::span<const uint8_t> bytes) {
  using Loaded = Result<std::shared_ptr<const RecordableCode>>;
  return engine::within_memory("load the module", [&]() -> Loaded {
    INLAY_TRY(ParsedModule parsed, parse(bytes));
    const std::shared_ptr<RecordableCode> made(new RecordableCode);
    made->description_ = std::move(parsed.description);
    made->program_ = std::move(parsed.program);
    return std::shared_ptr<const RecordableCode>(made);
  });
}

std::shared_ptr<engine::Module> RecordableCode::module(std::shared_ptr<Recorder> recorder) const {
  recorder->exports.resize(description_.exports.size());
  recorder->imports.resize(description_.imports.size());
  return interp::make_module(description_, program_, {}, std::move(recorder));
}

}  // namespace inlay::compiler
