// SPDX-License-Identifier: Apache-2.0
#pragma once

// Recorder: what the instances of an interpreted module do, in numbers. For tests of guests; native code has nothing of
// it, so that it costs nothing there.
//
//     // How often a module's guests called each of its imports; an error as text.
//     std::vector<uint64_t> calls_of(std::span<const uint8_t> bytes, std::string* error) {
//       const auto code = RecordableCode::load(bytes);
//       if (!code) return *error = code.error().to_string(), std::vector<uint64_t>{};
//       const auto recorder = std::make_shared<Recorder>();
//       run((*code)->module(recorder));
//       return recorder->imports;
//     }

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/result.h"
#include "engine/description.h"
#include "engine/engine.h"

namespace inlay::compiler {

namespace interp {
class Program;
}

// Not thread-safe: one thread runs all instances that write into it, and reads it.
struct Recorder {
  std::vector<uint64_t> exports;  // calls of the host's, in the order of Module::exports()
  std::vector<uint64_t> imports;  // calls of the guests', in the order of Module::imports()
  // The last globals of each instance when it ends, added up: as many as there are places here. What counts with them
  // has put them into the module.
  std::vector<uint64_t> globals;
  // Wall clock in guests without what they call of the host, and in host functions without what they call of guests.
  std::chrono::nanoseconds in_guest{0};
  std::chrono::nanoseconds in_host{0};

  // While there is one, time is a guest's or a host function's.
  class Span {
   public:
    enum class Side : uint8_t { kGuest, kHost };
    // `recorder` may be null.
    Span(Recorder* recorder, Side side) : recorder_(recorder) {
      if (recorder_ != nullptr) outer_ = recorder_->turn_to(side == Side::kGuest ? Now::kGuest : Now::kHost);
    }
    Span(const Span&) = delete;
    Span& operator=(const Span&) = delete;
    ~Span() {
      if (recorder_ != nullptr) recorder_->turn_to(outer_);
    }

   private:
    Recorder* recorder_;
    uint8_t outer_ = 0;
  };

 private:
  enum Now : uint8_t { kNeither, kGuest, kHost };
  // Adds the time since the last turn to what was; what was before.
  uint8_t turn_to(uint8_t next);

  uint8_t now_ = kNeither;
  std::chrono::steady_clock::time_point since_;
};

// RecordableCode is a module that is read and validated once, to be run by the interpreter with one Recorder after the
// other. Immutable; any thread.
class RecordableCode {
 public:
  // Errors: those of load_module() with kInterp.
  static Result<std::shared_ptr<const RecordableCode>> load(std::span<const uint8_t> bytes);

  // Makes `recorder` as long as the module needs it, but for its globals.
  std::shared_ptr<engine::Module> module(std::shared_ptr<Recorder> recorder) const;
  const engine::Description& description() const { return description_; }

 private:
  RecordableCode() = default;
  engine::Description description_;
  std::shared_ptr<const interp::Program> program_;
};

}  // namespace inlay::compiler
