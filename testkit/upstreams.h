// SPDX-License-Identifier: Apache-2.0
#pragma once

// Upstreams that a test has written: which answer which cluster and path gives, and when.
//
//     worker.upstreams().add_cluster("auth");
//     worker.upstreams().answer("auth", "/token", {.headers = {{":status", "200"}}, .body = "abc", .after = 50ms});
//     worker.upstreams().answer("rpc", "/pkg.Service/Method", grpc_answer({"message"}));

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "host/embedder.h"

namespace inlay::testkit {

using HeaderList = std::vector<std::pair<std::string, std::string>>;

// Answer is what a call-out comes to.
struct Answer {
  enum class Shape : uint8_t {
    kResponse,     // headers, body, trailers as given
    kTimeout,      // 504 when the call's own time-out is over; never, when it has none
    kRefused,      // 503, connection refused
    kReset,        // no headers at all
    kUnavailable,  // the call cannot even be sent
  };
  Shape shape = Shape::kResponse;
  HeaderList headers = {{":status", "200"}};
  std::string body{};
  HeaderList trailers{};
  std::chrono::milliseconds after{0};
};

// A gRPC answer: the messages, then the status.
Answer grpc_answer(const std::vector<std::string>& messages, uint32_t status = 0, std::string message = {});
// A message as it stands in a body.
std::string grpc_frame(std::string_view message);

// What a guest sent.
struct RecordedCall {
  std::string cluster;
  HeaderList headers;
  std::string body{};
  HeaderList trailers{};
  std::chrono::nanoseconds timeout{0};
  bool cancelled = false;
  bool timed_out = false;
  bool stream = false;   // of a gRPC call or stream: `body` grows,
  bool complete = true;  // until it is whole

  std::string header(std::string_view name) const;
};

class ScriptedUpstreams final : public host::Upstreams {
 public:
  // `at` runs a task after a time on this worker.
  using At = std::function<void(std::chrono::nanoseconds after, std::function<void()> task)>;
  explicit ScriptedUpstreams(At at) : at_(std::move(at)) {}

  // A cluster that is not added is unknown (kNotFound).
  void add_cluster(std::string name) { clusters_.insert(std::move(name)); }
  // The answer to all further calls to that path; several answers are given in turn, the last of them for ever.
  // Adds the cluster. Without any, a call stays unanswered until it times out.
  void answer(const std::string& cluster, const std::string& path, Answer answer);
  // Ends a call that is under way, now, whatever the script says; `call` is its index in calls(). Nothing when it has
  // ended or was cancelled.
  void respond(size_t call, const Answer& answer);
  // Every call so far, in order.
  const std::vector<RecordedCall>& calls() const { return calls_; }

  // A part of the answer to a stream that is under way (RecordedCall::stream), now; the last of them ends it.
  void respond_headers(size_t call, const HeaderList& headers, bool end);
  void respond_data(size_t call, std::string_view bytes, bool end);
  void respond_trailers(size_t call, const HeaderList& trailers);
  void respond_reset(size_t call);

  Result<uint64_t> start_http_call(host::HttpCallRequest request, host::HttpCallHandler& handler) override;
  void cancel_http_call(uint64_t call_id) override;
  bool has_cluster(std::string_view name) override { return clusters_.contains(std::string(name)); }
  Result<uint64_t> start_call_stream(host::CallStreamRequest request, host::CallStreamHandler& handler) override;
  bool send_to_call_stream(uint64_t stream_id, Buffer& data, bool end_stream) override;
  void cancel_call_stream(uint64_t stream_id) override;

 private:
  // The next answer of the script; nullopt: there is none.
  std::optional<Answer> next_answer(const std::string& cluster, std::string_view path);
  void finish(uint64_t call_id, const Answer& answer);
  // Answers a stream as the script says, once its request is whole.
  void answer_stream(uint64_t stream_id, const Answer& answer);
  // The handler, which hears no more when `last`; nullptr: it is over.
  host::CallStreamHandler* stream(uint64_t stream_id, bool last);
  void fail_stream(uint64_t stream_id, const std::string& text, const std::string& details);

  At at_;
  std::set<std::string> clusters_;
  std::map<std::pair<std::string, std::string>, std::deque<Answer>> script_;
  std::vector<RecordedCall> calls_;  // call id - 1 is the index
  std::map<uint64_t, host::HttpCallHandler*> pending_;
  std::map<uint64_t, host::CallStreamHandler*> streams_;
};

}  // namespace inlay::testkit
