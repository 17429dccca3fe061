// SPDX-License-Identifier: Apache-2.0
#include "testkit/upstreams.h"

#include "base/grpc_prefix.h"
#include "http/grpc.h"
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

std::optional<Answer> ScriptedUpstreams::next_answer(const std::string& cluster, std::string_view path) {
  const auto script = script_.find({cluster, std::string(path)});
  if (script == script_.end()) return std::nullopt;
  Answer answer = script->second.front();
  if (script->second.size() > 1) script->second.pop_front();
  return answer;
}

Result<uint64_t> ScriptedUpstreams::start_http_call(host::HttpCallRequest request, host::HttpCallHandler& handler) {
  if (!clusters_.contains(request.cluster))
    return Error{ErrorCode::kNotFound, "no cluster " + request.cluster, "testkit"};
  Answer answer = next_answer(request.cluster, request.headers.value(http::HeaderId::kPath))
                      .value_or(Answer{.shape = Answer::Shape::kTimeout});
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
  if (calls_[call].stream) return answer_stream(call + 1, answer);
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

// --- streams ---

std::string grpc_frame(std::string_view message) {
  char prefix[kGrpcPrefix];
  write_grpc_prefix(prefix, message.size());
  return std::string(prefix, kGrpcPrefix).append(message);
}

Answer grpc_answer(const std::vector<std::string>& messages, uint32_t status, std::string message) {
  Answer answer{.headers = {{":status", "200"}, {"content-type", "application/grpc"}}};
  for (const std::string& one : messages) answer.body += grpc_frame(one);
  answer.trailers = {{"grpc-status", std::to_string(status)}};
  if (!message.empty()) answer.trailers.emplace_back("grpc-message", std::move(message));
  return answer;
}

Result<uint64_t> ScriptedUpstreams::start_call_stream(host::CallStreamRequest request,
                                                      host::CallStreamHandler& handler) {
  if (!clusters_.contains(request.cluster))
    return Error{ErrorCode::kNotFound, "no cluster " + request.cluster, "testkit"};
  RecordedCall call{.cluster = request.cluster, .headers = to_list(request.headers), .timeout = request.timeout};
  call.stream = true;
  call.complete = false;
  calls_.push_back(std::move(call));
  const uint64_t id = calls_.size();
  streams_.emplace(id, &handler);
  if (request.timeout.count() > 0) {
    at_(request.timeout, [this, id] {
      if (!streams_.contains(id)) return;
      calls_[id - 1].timed_out = true;
      fail_stream(id, "upstream request timeout", "response_timeout");
    });
  }
  return id;
}

bool ScriptedUpstreams::send_to_call_stream(uint64_t stream_id, Buffer& data, bool end_stream) {
  RecordedCall& call = calls_[stream_id - 1];
  if (streams_.contains(stream_id) && !call.complete) {
    call.body += data.to_string();
    call.complete = end_stream;
    if (end_stream) {
      if (const auto answer = next_answer(call.cluster, call.header(":path")))
        at_(answer->after, [this, stream_id, answer = *answer] { answer_stream(stream_id, answer); });
    }
  }
  data.clear();
  return true;
}

void ScriptedUpstreams::cancel_call_stream(uint64_t stream_id) {
  if (streams_.erase(stream_id) > 0) calls_[stream_id - 1].cancelled = true;
}

host::CallStreamHandler* ScriptedUpstreams::stream(uint64_t stream_id, bool last) {
  const auto found = streams_.find(stream_id);
  if (found == streams_.end()) return nullptr;
  host::CallStreamHandler* const handler = found->second;
  if (last) streams_.erase(found);
  return handler;
}

void ScriptedUpstreams::fail_stream(uint64_t stream_id, const std::string& text, const std::string& details) {
  host::CallStreamHandler* const handler = stream(stream_id, true);
  if (handler == nullptr) return;
  http::HeaderMap headers;
  http::set_grpc_answer(headers, http::kGrpcUnavailable, text);
  handler->on_call_stream_headers(stream_id, headers, true, details);
}

void ScriptedUpstreams::answer_stream(uint64_t stream_id, const Answer& answer) {
  if (answer.shape == Answer::Shape::kTimeout) return;
  if (answer.shape == Answer::Shape::kReset) return respond_reset(stream_id - 1);
  if (answer.shape != Answer::Shape::kResponse) {
    return fail_stream(stream_id,
                       "upstream connect error or disconnect/reset before headers. reset reason: connection failure",
                       "upstream_reset_before_response_started{connection_failure}");
  }
  const size_t call = stream_id - 1;
  respond_headers(call, answer.headers, answer.body.empty() && answer.trailers.empty());
  if (!answer.body.empty()) respond_data(call, answer.body, answer.trailers.empty());
  if (!answer.trailers.empty()) respond_trailers(call, answer.trailers);
}

void ScriptedUpstreams::respond_headers(size_t call, const HeaderList& headers, bool end) {
  http::HeaderMap map;
  fill(map, headers);
  if (auto* const handler = stream(call + 1, end)) handler->on_call_stream_headers(call + 1, map, end, "via_upstream");
}

void ScriptedUpstreams::respond_data(size_t call, std::string_view bytes, bool end) {
  Buffer data;
  data.append(bytes);
  if (auto* const handler = stream(call + 1, end)) handler->on_call_stream_data(call + 1, data, end);
}

void ScriptedUpstreams::respond_trailers(size_t call, const HeaderList& trailers) {
  http::HeaderMap map;
  fill(map, trailers);
  if (auto* const handler = stream(call + 1, true)) handler->on_call_stream_trailers(call + 1, map);
}

void ScriptedUpstreams::respond_reset(size_t call) {
  if (auto* const handler = stream(call + 1, true))
    handler->on_call_stream_reset(call + 1, "upstream_reset_after_response_started{connection_termination}");
}

}  // namespace inlay::testkit
