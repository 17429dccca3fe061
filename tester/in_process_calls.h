// SPDX-License-Identifier: Apache-2.0
#pragma once

// InProcessCalls: the call-outs of the guests of an in-process world, as a case sees and answers them: what comes is
// written down upstream by upstream, and each step of an upstream is for its oldest call. One thread.

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tester/in_process_worker.h"
#include "tester/scripted_origin.h"
#include "tester/world.h"

namespace inlay::tester {

class InProcessCalls {
 public:
  // All are the world's and outlive this; `workers` may still be empty.
  InProcessCalls(const Run& run, OriginScript& script, const std::vector<std::unique_ptr<InProcessWorker>>& workers)
      : run_(run), script_(script), workers_(workers) {}

  // Writes down what is new of a worker's calls, and answers those whose upstream waits for no step.
  void see(size_t worker);
  // Writes down those that their guest has given up, and forgets them.
  void see_cancelled(size_t worker);

  // A part of the answer to an upstream's oldest call; false: it has none.
  bool head(const std::string& upstream, const Answer& answer, bool end, bool chunked);
  bool body(const std::string& upstream, std::string_view bytes, bool end);
  bool trailers(const std::string& upstream, const Fields& trailers);
  // The upstream refuses the connection, or resets it.
  bool reset(const std::string& upstream);

 private:
  struct Pending {
    size_t worker;
    size_t call;
    testkit::Answer answer;  // as its steps make it
    size_t seen = 0;         // bytes of a stream's request that are written down
    bool end_seen = false;
    bool begun = false;  // the head of a stream's answer has gone out
  };

  void see_streams(size_t worker);
  void answer(const std::string& upstream);
  const testkit::RecordedCall& recorded(const Pending& call) const {
    return workers_[call.worker]->guests->upstreams().calls()[call.call];
  }
  bool is_stream(const Pending& call) const { return recorded(call).stream; }
  Pending* oldest(const std::string& upstream);
  // Of the oldest call: its answer is whole.
  bool finish(const std::string& upstream);
  void respond(const Pending& call, std::function<void(testkit::ScriptedUpstreams&)> respond);
  bool begin_stream_answer(Pending& call, const std::string& upstream, const Answer& answer, bool end, bool chunked);
  // Of the oldest call, which is a stream; true: it is over.
  bool end_stream(const std::string& upstream);

  const Run& run_;
  OriginScript& script_;
  const std::vector<std::unique_ptr<InProcessWorker>>& workers_;
  std::map<std::string, std::vector<Pending>> calls_;  // by upstream
};

}  // namespace inlay::tester
