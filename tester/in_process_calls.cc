// SPDX-License-Identifier: Apache-2.0
#include "tester/in_process_calls.h"

#include <algorithm>
#include <utility>

#include "tester/wire.h"

namespace inlay::tester {

void InProcessCalls::see(size_t index) {
  InProcessWorker& worker = *workers_[index];
  auto& upstreams = worker.guests->upstreams();
  while (worker.calls_seen < upstreams.calls().size()) {
    ++script_.activity;
    const size_t i = worker.calls_seen++;
    const testkit::RecordedCall call = upstreams.calls()[i];
    Fields fields = call.headers;
    std::erase_if(fields, [](const auto& f) { return f.first == ":method" || f.first == ":path"; });
    if (!call.body.empty() && !call.stream) fields.emplace_back("content-length", std::to_string(call.body.size()));
    const std::string text = "got " + call.header(":method") + " " + call.header(":path") +
                             " host=" + call.header(":authority") + show_fields(fields, run_.c.show, true);
    run_.transcript.head(call.cluster, text,
                         {.method = call.header(":method"), .path = call.header(":path"), .fields = std::move(fields)});
    calls_[call.cluster].push_back({index, i, {}});
    if (call.stream) continue;
    run_.transcript.body(call.cluster, call.body);
    if (!call.trailers.empty()) {
      run_.transcript.trailers(call.cluster, "got trailers" + show_fields(call.trailers, run_.c.show, true),
                               call.trailers);
    }
    run_.transcript.end(call.cluster);
    answer(call.cluster);
  }
  see_streams(index);
  see_cancelled(index);
}

// Of the oldest call, whose upstream waits for no step.
void InProcessCalls::answer(const std::string& name) {
  const Upstream* upstream = run_.c.upstream(name);
  switch (upstream == nullptr ? Upstream::Behaviour::kRefuses : upstream->behaviour) {
    case Upstream::Behaviour::kWaits:
    case Upstream::Behaviour::kAccepts:
      break;
    case Upstream::Behaviour::kAnswers:
      head(name, upstream->answer, true, !upstream->answer.trailers.empty());
      break;
    case Upstream::Behaviour::kRefuses:
    case Upstream::Behaviour::kResets:
      reset(name);
      break;
  }
}

// Writes down what has come of the requests that come in pieces.
void InProcessCalls::see_streams(size_t index) {
  std::vector<std::string> whole;
  for (auto& [name, list] : calls_) {
    for (Pending& p : list) {
      if (p.worker != index || p.end_seen || !is_stream(p)) continue;
      const testkit::RecordedCall& call = recorded(p);
      if (call.body.size() > p.seen) {
        ++script_.activity;
        run_.transcript.body(name, std::string_view(call.body).substr(std::exchange(p.seen, call.body.size())));
      }
      if (!call.complete) continue;
      ++script_.activity;
      p.end_seen = true;
      run_.transcript.end(name);
      whole.push_back(name);
    }
  }
  for (const std::string& name : whole) answer(name);
}

void InProcessCalls::see_cancelled(size_t index) {
  for (auto& [name, list] : calls_) {
    std::erase_if(list, [&, &upstream = name](const Pending& p) {
      const testkit::RecordedCall& call = recorded(p);
      if (p.worker != index || !(call.cancelled || call.timed_out)) return false;
      ++script_.activity;
      run_.transcript.line(upstream, "got close");
      return true;
    });
  }
}

InProcessCalls::Pending* InProcessCalls::oldest(const std::string& upstream) {
  auto& list = calls_[upstream];
  return list.empty() ? nullptr : &list.front();
}

bool InProcessCalls::finish(const std::string& upstream) {
  auto& list = calls_[upstream];
  const Pending call = list.front();
  list.erase(list.begin());
  InProcessWorker& worker = *workers_[call.worker];
  ++script_.activity;
  worker.loop.post([&worker, call] { worker.guests->upstreams().respond(call.call, call.answer); });
  return true;
}

void InProcessCalls::respond(const Pending& call, std::function<void(testkit::ScriptedUpstreams&)> respond) {
  InProcessWorker& worker = *workers_[call.worker];
  ++script_.activity;
  worker.loop.post([&worker, respond = std::move(respond)] { respond(worker.guests->upstreams()); });
}

bool InProcessCalls::end_stream(const std::string& upstream) {
  auto& list = calls_[upstream];
  const bool whole = list.front().end_seen;
  list.erase(list.begin());
  if (!whole) run_.transcript.line(upstream, "got close");
  return true;
}

bool InProcessCalls::head(const std::string& upstream, const Answer& answer, bool end, bool chunked) {
  Pending* call = oldest(upstream);
  if (call == nullptr) return false;
  call->answer.headers = {{":status", answer.status}};
  for (const auto& f : answer.headers) call->answer.headers.push_back(f);
  if (!chunked && !has_field(answer.headers, "content-length")) {
    call->answer.headers.emplace_back("content-length", std::to_string(answer.body.size()));
  }
  if (answer.status == "204")
    std::erase_if(call->answer.headers, [](const auto& f) { return f.first == "content-length"; });
  if (is_stream(*call)) return begin_stream_answer(*call, upstream, answer, end, chunked);
  call->answer.headers.emplace_back("x-envoy-upstream-service-time", "0");
  call->answer.body = end ? answer.body : "";
  call->answer.trailers = answer.trailers;
  return end ? finish(upstream) : true;
}

bool InProcessCalls::begin_stream_answer(Pending& call, const std::string& upstream, const Answer& answer, bool end,
                                         bool chunked) {
  testkit::Answer whole = call.answer;
  if (chunked && !end) whole.headers.emplace_back("transfer-encoding", "chunked");
  if (call.end_seen) whole.headers.emplace_back("x-envoy-upstream-service-time", "0");
  whole.body = answer.body;
  whole.trailers = answer.trailers;
  call.begun = true;
  respond(call, [at = call.call, whole, end](testkit::ScriptedUpstreams& upstreams) {
    end ? upstreams.respond(at, whole) : upstreams.respond_headers(at, whole.headers, false);
  });
  return end ? end_stream(upstream) : true;
}

bool InProcessCalls::body(const std::string& upstream, std::string_view bytes, bool end) {
  Pending* call = oldest(upstream);
  if (call == nullptr) return false;
  if (is_stream(*call)) {
    respond(*call, [at = call->call, bytes = std::string(bytes), end](testkit::ScriptedUpstreams& upstreams) {
      upstreams.respond_data(at, bytes, end);
    });
    return end ? end_stream(upstream) : true;
  }
  call->answer.body += bytes;
  return end ? finish(upstream) : true;
}

bool InProcessCalls::trailers(const std::string& upstream, const Fields& trailers) {
  Pending* call = oldest(upstream);
  if (call == nullptr) return false;
  if (is_stream(*call)) {
    respond(*call, [at = call->call, trailers](testkit::ScriptedUpstreams& upstreams) {
      upstreams.respond_trailers(at, trailers);
    });
    return end_stream(upstream);
  }
  call->answer.trailers = trailers;
  return finish(upstream);
}

bool InProcessCalls::reset(const std::string& upstream) {
  Pending* call = oldest(upstream);
  if (call == nullptr) return false;
  const Upstream* const known = run_.c.upstream(upstream);
  const bool refused = known == nullptr || known->behaviour == Upstream::Behaviour::kRefuses;
  if (is_stream(*call)) {
    const auto shape = call->begun ? testkit::Answer::Shape::kReset : testkit::Answer::Shape::kRefused;
    respond(*call, [at = call->call, shape](testkit::ScriptedUpstreams& upstreams) {
      upstreams.respond(at, {.shape = shape});
    });
    calls_[upstream].erase(calls_[upstream].begin());
    return true;
  }
  call->answer.shape = refused ? testkit::Answer::Shape::kRefused : testkit::Answer::Shape::kReset;
  return finish(upstream);
}

}  // namespace inlay::tester
