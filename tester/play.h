// SPDX-License-Identifier: Apache-2.0
#pragma once

// Play: one run of a case with what it needs: a folder for its files, a transcript, the steps that must be seen.
//
//     Play play(c, engine::EngineKind::kInterp, find_module, 10s, c.expected);
//     const auto world = make_in_process(play.run());
//     Player player = play.player(*world);
//     INLAY_RETURN_IF_ERROR(player.play());
//     return play.seen() == c.expected;

#include <chrono>
#include <string>
#include <utility>

#include "base/temporary_directory.h"
#include "engine/engine.h"
#include "tester/player.h"
#include "tester/world.h"

namespace inlay::tester {

class Play {
 public:
  // `call_budget`: of a call into a guest, where the case says none. `expected`: what must be seen,
  // which a world without an end of its own waits for; empty where it is not known.
  Play(const Case& c, engine::EngineKind engine, FindModule find_module, std::chrono::milliseconds call_budget,
       std::string expected);

  const Run& run() const { return run_; }
  // Before a world is made: has it count what guests do (in_process.h). `recording` outlives that world.
  void record(Recordings::OfCase& recording) { run_.recording = &recording; }
  // Before a world is made: in Envoy that library runs the filters.
  void use_dynamic_module(std::string library) { run_.dynamic_module = std::move(library); }
  const Transcript& transcript() const { return transcript_; }
  // Before a world is made: what clients and upstreams speak in it.
  void speak(Protocol protocol) { run_.protocol = protocol; }
  // `world` outlives it.
  Player player(World& world);
  // The transcript from the first step that the case shows on.
  std::string seen() const;

 private:
  Case case_;  // whose upstreams steps change
  const TemporaryDirectory scratch_{"inlay-test-"};
  Transcript transcript_;
  Run run_;
};

}  // namespace inlay::tester
