// SPDX-License-Identifier: Apache-2.0
#include "tester/scripted_origin.h"

#include <algorithm>
#include <cstdlib>

#include "tester/header_fields.h"
#include "tester/wire.h"

namespace inlay::tester {

using http::HeaderId;
using proxy::downstream::DataStatus;
using proxy::downstream::HeadersStatus;
using proxy::downstream::TrailersStatus;

bool ScriptedOrigin::start(proxy::downstream::FilterCallbacks& callbacks) {
  callbacks_ = &callbacks;
  ++serial_;
  seen_ = request_complete_ = head_sent_ = answered_ = on_its_way_ = false;
  return true;
}

HeadersStatus ScriptedOrigin::decode_headers(http::HeaderMap& headers, bool end) {
  ++script_.activity;
  seen_ = true;
  method_ = headers.value(HeaderId::kMethod);
  Fields fields = fields_of(headers);
  std::erase_if(fields, [](const auto& f) { return f.first == ":method" || f.first == ":path"; });
  std::string text = "got " + method_ + " " + std::string(headers.value(HeaderId::kPath));
  if (headers.has(HeaderId::kAuthority)) text += " host=" + std::string(headers.value(HeaderId::kAuthority));
  text += show_fields(fields, script_.c.show, true);
  script_.transcript.head(
      kName, text,
      {.method = method_, .path = std::string(headers.value(HeaderId::kPath)), .fields = std::move(fields)});
  script_.waiting.push_back(this);
  if (end) complete();
  return HeadersStatus::kStopIteration;
}

DataStatus ScriptedOrigin::decode_data(Buffer& data, bool end) {
  ++script_.activity;
  script_.transcript.body(kName, data.to_string());
  data.clear();
  if (end) complete();
  return DataStatus::kStopIterationNoBuffer;
}

TrailersStatus ScriptedOrigin::decode_trailers(http::HeaderMap& trailers) {
  ++script_.activity;
  if (script_.c.trailers) {
    Fields fields = fields_of(trailers);
    const std::string text = "got trailers" + show_fields(fields, script_.c.show, true);
    script_.transcript.trailers(kName, text, std::move(fields));
  }
  complete();
  return TrailersStatus::kStopIteration;
}

void ScriptedOrigin::on_above_write_watermark() {
  ++script_.activity;
  script_.transcript.line(kName, "must wait");
}

void ScriptedOrigin::on_below_write_watermark() {
  ++script_.activity;
  script_.transcript.line(kName, "may go on");
}

void ScriptedOrigin::complete() {
  request_complete_ = true;
  script_.transcript.end(kName);
  answer_later();
}

// An answer comes when the request's last callback has returned, as it does from a socket.
void ScriptedOrigin::answer_later() {
  const Upstream& upstream = *script_.c.upstream(kName);
  if (upstream.behaviour == Upstream::Behaviour::kWaits) return;
  callbacks_->loop().post([this, serial = serial_, &upstream] {
    if (serial != serial_ || callbacks_ == nullptr || answered_ || head_sent_) return;
    ++script_.activity;
    if (upstream.behaviour != Upstream::Behaviour::kAnswers) return reset();
    on_its_way_ = true;
    const Answer& answer = upstream.answer;
    const bool body = !answer.body.empty() || !answer.trailers.empty();
    send_head(answer, !body, !answer.trailers.empty());
    if (serial != serial_ || callbacks_ == nullptr || answered_) return;
    if (!answer.body.empty()) send_body(answer.body, answer.trailers.empty());
    if (serial != serial_ || callbacks_ == nullptr || answered_) return;
    if (!answer.trailers.empty()) send_trailers(answer.trailers);
  });
}

void ScriptedOrigin::send_head(const Answer& answer, bool end, bool chunked) {
  head_sent_ = true;
  const bool head_only = method_ == "HEAD";
  http::HeaderMap& headers = callbacks_->response_storage();
  headers.add(":status", answer.status);
  for (const auto& [name, value] : answer.headers) headers.add(name, value);
  if (!chunked && !has_field(answer.headers, "content-length") && answer.status != "204" && answer.status != "304") {
    headers.add("content-length", std::to_string(answer.body.size()));
  }
  if (chunked && !end && !has_field(answer.headers, "content-length")) headers.add("transfer-encoding", "chunked");
  if (answer.status == "204") headers.remove("content-length");
  callbacks_->info().response_code_details = "via_upstream";
  callbacks_->info().response_code = static_cast<uint32_t>(std::strtoul(answer.status.c_str(), nullptr, 10));
  if (request_complete_ && !script_.c.network_before_http()) headers.add("x-envoy-upstream-service-time", "0");
  if (end || head_only) answered();
  callbacks_->encode_headers(end || head_only);
}

void ScriptedOrigin::send_body(std::string_view bytes, bool end) {
  if (method_ == "HEAD") return;
  const uint64_t serial = serial_;
  Buffer data;
  data.append(bytes);
  if (!data.empty()) callbacks_->encode_data(data, false);
  if (!end || serial != serial_ || callbacks_ == nullptr || answered_) return;
  answered();
  callbacks_->encode_data(data, true);  // by itself, as HTTP/1's codec has it
}

void ScriptedOrigin::send_trailers(const Fields& trailers) {
  if (!script_.c.trailers) return send_body("", true);
  http::HeaderMap& map = callbacks_->response_trailers_storage();
  for (const auto& [name, value] : trailers) map.add(name, value);
  answered();
  callbacks_->encode_trailers();
}

// As the router does when a connection ends in the middle.
void ScriptedOrigin::reset() {
  answered();
  callbacks_->info().response_flags |= proxy::downstream::kUpstreamConnectionTermination;
  if (head_sent_) return callbacks_->reset_stream("upstream_reset_after_response_started{connection_termination}");
  host::LocalReply reply;
  reply.status = 503;
  reply.body = "upstream connect error or disconnect/reset before headers. reset reason: connection termination";
  reply.details = "upstream_reset_before_response_started{connection_termination}";
  callbacks_->send_local_reply(std::move(reply));
}

void ScriptedOrigin::answered() {
  answered_ = true;
  std::erase(script_.waiting, this);
}

void ScriptedOrigin::on_destroy() {
  ++script_.activity;
  if (seen_ && (!answered_ || !request_complete_) && !on_its_way_) script_.transcript.line(kName, "got close");
  answered();
  ++serial_;
  callbacks_ = nullptr;
}

}  // namespace inlay::tester
