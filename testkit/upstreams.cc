// SPDX-License-Identifier: Apache-2.0
#include "testkit/upstreams.h"

#include "http/header_fault.h"

namespace inlay::testkit {
namespace {

HeaderList to_list(const http::HeaderMap& map) {
  HeaderList list;
  for (const auto& e : map) list.emplace_back(e.name, e.value);
  return list;
}

void fill(http::HeaderMap& map, const HeaderList& list) {
  for (const auto& [name, value] : list) map.add(name, value);
}

Answer local(const char* status, std::string body) {
  std::string length = std::to_string(body.size());
  return Answer{.headers = {{":status", status}, {"content-length", std::move(length)}, {"content-type", "text/plain"}},
                .body = std::move(body),
                .trailers = {}};
}

// The failures that look like answers, as Envoy words them.
Answer as_response(const Answer& answer) {
  if (answer.shape == Answer::Shape::kTimeout) return local("504", "upstream request timeout");
  if (answer.shape == Answer::Shape::kRefused) {
    return local("503", "upstream connect error or disconnect/reset before headers. reset reason: connection failure");
  }
  return answer;
}

}  // namespace

std::string RecordedCall::header(std::string_view name) const {
  for (const auto& [key, value] : headers)
    if (key == name) return value;
  return "";
}

void ScriptedUpstreams::answer(const std::string& cluster, const std::string& path, Answer answer) {
  add_cluster(cluster);
  script_[{cluster, path}].push_back(std::move(answer));
}

Result<uint64_t> ScriptedUpstreams::start_http_call(host::HttpCallRequest request, host::HttpCallHandler& handler) {
  if (!clusters_.contains(request.cluster))
    return Error{ErrorCode::kNotFound, "no cluster " + request.cluster, "testkit"};
  auto script = script_.find({request.cluster, std::string(request.headers.value(http::HeaderId::kPath))});
  Answer answer{.shape = Answer::Shape::kTimeout};
  if (script != script_.end()) {
    answer = script->second.front();
    if (script->second.size() > 1) script->second.pop_front();
  }
  if (std::string fault = http::header_fault(request.headers); !fault.empty()) answer = local("503", std::move(fault));
  if (answer.shape == Answer::Shape::kUnavailable)
    return Error{ErrorCode::kUnavailable, "no healthy host in " + request.cluster, "testkit"};
  calls_.push_back({request.cluster, to_list(request.headers), request.body, to_list(request.trailers), request.timeout,
                    false, false});
  const uint64_t call_id = calls_.size();
  pending_.emplace(call_id, &handler);
  const bool times_out =
      answer.shape == Answer::Shape::kTimeout || (request.timeout.count() > 0 && answer.after > request.timeout);
  if (times_out && request.timeout.count() == 0) return call_id;
  if (times_out) answer = {.shape = Answer::Shape::kTimeout};
  at_(times_out ? request.timeout : std::chrono::nanoseconds(answer.after), [this, call_id, answer, times_out] {
    if (times_out && pending_.contains(call_id)) calls_[call_id - 1].timed_out = true;
    finish(call_id, as_response(answer));
  });
  return call_id;
}

void ScriptedUpstreams::cancel_http_call(uint64_t call_id) {
  if (pending_.erase(call_id) > 0) calls_[call_id - 1].cancelled = true;
}

void ScriptedUpstreams::respond(size_t call, const Answer& answer) {
  finish(call + 1, as_response(answer));
}

void ScriptedUpstreams::finish(uint64_t call_id, const Answer& answer) {
  auto found = pending_.find(call_id);
  if (found == pending_.end()) return;
  host::HttpCallHandler* handler = found->second;
  pending_.erase(found);
  host::HttpCallResponse response;
  response.reset = answer.shape == Answer::Shape::kReset;
  if (!response.reset) {
    fill(response.headers, answer.headers);
    response.body.append(answer.body);
    fill(response.trailers, answer.trailers);
  }
  handler->on_http_call_response(call_id, std::move(response));
}

}  // namespace inlay::testkit
