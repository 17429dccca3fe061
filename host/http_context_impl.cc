// SPDX-License-Identifier: Apache-2.0
#include "host/http_context_impl.h"

#include <algorithm>

#include "host/flow_call.h"
#include "host/worker_impl.h"
#include "http/grpc.h"

namespace inlay::host {

using abi::DataStatus;
using abi::HeadersStatus;
using abi::MapType;
using abi::TrailersStatus;

namespace {

HeadersStatus map_headers_status(uint32_t by_guest, const WorkerPluginImpl& owner) {
  switch (by_guest) {
    case 0:
    case 2:  // ContinueAndEndStream: Envoy never implemented it for guests.
      return HeadersStatus::kContinue;
    case 1:
      return owner.impl().config().allow_on_headers_stop_iteration ? HeadersStatus::kStopIteration
                                                                   : HeadersStatus::kStopAllIterationAndWatermark;
    case 3:
      return HeadersStatus::kStopAllIterationAndBuffer;
    default:
      return HeadersStatus::kStopAllIterationAndWatermark;
  }
}

MapType headers_of(Direction direction) {
  return direction == Direction::kRequest ? MapType::kHttpRequestHeaders : MapType::kHttpResponseHeaders;
}
MapType trailers_of(Direction direction) {
  return direction == Direction::kRequest ? MapType::kHttpRequestTrailers : MapType::kHttpResponseTrailers;
}

uint32_t count(HttpStream& stream, MapType type) {
  const http::HeaderMap* map = stream.headers(type, false);
  return map ? static_cast<uint32_t>(map->size()) : 0;
}

}  // namespace

void HttpContextImpl::begin(WorkerPluginImpl& owner, HttpStream& stream, RootContext* root_context) {
  maps_closed_ = {};
  reply_sent_ = failed_ = from_outside_ = hazard_reply_ = false;
  reply_.reset();
  begin_use(owner, stream, root_context);
}

void HttpContextImpl::defer_continue(Direction direction) {
  if (hazard_reply_) return;
  const bool begun = direction == Direction::kRequest || http() == nullptr || logged_ || http()->response_begun();
  if (!begun && !reply_ && !reply_sent_) [[unlikely]] {
    vm->report(Hazard::kResumeBeforeResponse, *this);
    fail_for(Hazard::kResumeBeforeResponse);
    if (hazard_reply_) return;
  }
  FlowContext::defer_continue(index(direction));
  if (continue_pending_[index(direction)]) maps_closed_[index(direction)] = true;
}

// An answer, or an end, that comes when it must not: when the stream is over, or a second time in one callback
// that is not the stream's own (there the first counts, in Envoy too).
void HttpContextImpl::check_end(bool again) {
  const bool inside = in_callback_[0] || in_callback_[1];
  from_outside_ = !inside;
  if (!logged_ && (inside || !again)) return;
  const Hazard hazard = logged_ ? Hazard::kActAtTheEnd : Hazard::kRepliedTwice;
  vm->report(hazard, *this);
  fail_for(hazard);
}

void HttpContextImpl::defer_reset() {
  if (http() != nullptr && !hazard_reply_) check_end(reply_ || reset_pending_);
  if (!hazard_reply_) FlowContext::defer_reset();
}

void HttpContextImpl::defer_local_reply(LocalReply reply) {
  if (http() == nullptr || hazard_reply_) return;
  check_end(reply_ || reset_pending_);
  if (logged_ || reply_) return;
  reply_ = std::make_unique<LocalReply>(std::move(reply));
  schedule();
}

void HttpContextImpl::carry_out() {
  const uint64_t use = serial();
  auto over = [&] { return use != serial() || http() == nullptr; };
  if ((reply_ || reset_pending_) && from_outside_) vm->note_ended(id);
  if (reply_) {
    reply_sent_ = true;
    hazard_reply_ = false;
    const auto reply = std::move(reply_);
    http()->send_local_reply(std::move(*reply));
    if (over()) return;
  }
  if (std::exchange(reset_pending_, false)) {
    continue_pending_ = {};  // There is nothing left to go on.
    http()->reset("wasm_close_stream");
    return;
  }
  for (const Direction direction : {Direction::kRequest, Direction::kResponse}) {
    if (!std::exchange(continue_pending_[index(direction)], false)) continue;
    if (direction == Direction::kRequest && reply_sent_) continue;  // The request is answered.
    paused_[index(direction)] = false;
    resume(index(direction));
    if (over()) return;
  }
}

void HttpContextImpl::resume(size_t direction) {
  http()->continue_stream(static_cast<Direction>(direction));
}

void HttpContextImpl::refuse() {
  failed_ = true;
  if (std::exchange(reply_sent_, true) || http() == nullptr || logged_) return;
  LocalReply reply;
  reply.status = 503;
  reply.grpc_status = http::kGrpcUnavailable;
  reply.details = "wasm_fail_stream";
  http()->send_local_reply(std::move(reply));
}

template <class Call>
HttpContextImpl::Outcome HttpContextImpl::invoke(Direction direction, uint32_t& returned, Call&& call) {
  maps_closed_[index(direction)] = false;
  return FlowContext::invoke(index(direction), returned, std::forward<Call>(call));
}

template <class Status>
Status HttpContextImpl::settle(Direction direction, Outcome outcome, Status by_guest, Status stop) {
  const bool answered = reply_ || (reply_sent_ && direction == Direction::kRequest);
  return FlowContext::settle(index(direction), outcome, by_guest, stop, answered);
}

HeadersStatus HttpContextImpl::headers(Direction direction, bool end_of_stream) {
  uint32_t returned = 0;
  const bool request = direction == Direction::kRequest;
  const Outcome outcome = invoke(direction, returned, [&](Vm& mine) -> engine::Answer<uint32_t> {
    const Callbacks& c = mine.callbacks();
    const auto& f = request ? c.on_request_headers : c.on_response_headers;
    if (f) return mine.call(*this, f, id, count(*http(), headers_of(direction)), end_of_stream ? 1u : 0u);
    const auto& old = request ? c.on_request_headers_0_1_0 : c.on_response_headers_0_1_0;
    if (old) return mine.call(*this, old, id, count(*http(), headers_of(direction)));
    return 0;
  });
  if (resumed_[index(direction)] && outcome == Outcome::kGuest) [[unlikely]]
    check_resumed(returned, end_of_stream);
  return settle(direction, outcome, map_headers_status(returned, owner()),
                HeadersStatus::kStopAllIterationAndWatermark);
}

void HttpContextImpl::check_resumed(uint32_t returned, bool end_of_stream) {
  if (reply_ || reply_sent_ || reset_pending_) return;
  const bool goes_on = map_headers_status(returned, owner()) == HeadersStatus::kContinue;
  if (!goes_on && end_of_stream) return;
  const Hazard hazard = goes_on ? Hazard::kHeadTwice : Hazard::kResumeThenPause;
  vm->report(hazard, *this);
  fail_for(hazard);
}

void HttpContextImpl::fail_for(Hazard hazard) {
  if (!vm->host().options.fail_hazards || http() == nullptr || logged_) return;
  const std::string name(describe(hazard).name);
  reply_ = std::make_unique<LocalReply>();
  reply_->body = "hazard " + name + ": in Envoy " + std::string(describe(hazard).in_envoy) + "\n";
  reply_->grpc_status = http::kGrpcInternal;
  reply_->details = "hazard_" + name;
  hazard_reply_ = true;
  reset_pending_ = false;
  continue_pending_ = {};
  schedule();
}

DataStatus HttpContextImpl::data(Direction direction, size_t size, bool end_of_stream) {
  uint32_t returned = 0;
  const Outcome outcome = invoke(direction, returned, [&](Vm& mine) -> engine::Answer<uint32_t> {
    const Callbacks& c = mine.callbacks();
    const auto& f = direction == Direction::kRequest ? c.on_request_body : c.on_response_body;
    if (!f) return 0;
    return mine.call(*this, f, id, static_cast<uint32_t>(std::min<size_t>(size, UINT32_MAX)), end_of_stream ? 1u : 0u);
  });
  // As Envoy: a piece that is paused waits for the next, whatever was resumed meanwhile; the last one does not.
  if (returned != 0 && !end_of_stream) resumed_[index(direction)] = false;
  return settle(direction, outcome, static_cast<DataStatus>(std::min<uint32_t>(returned, 3)),
                DataStatus::kStopIterationNoBuffer);
}

TrailersStatus HttpContextImpl::trailers(Direction direction) {
  uint32_t returned = 0;
  const Outcome outcome = invoke(direction, returned, [&](Vm& mine) -> engine::Answer<uint32_t> {
    const Callbacks& c = mine.callbacks();
    const auto& f = direction == Direction::kRequest ? c.on_request_trailers : c.on_response_trailers;
    if (!f) return 0;
    return mine.call(*this, f, id, count(*http(), trailers_of(direction)));
  });
  return settle(direction, outcome, returned == 0 ? TrailersStatus::kContinue : TrailersStatus::kStopIteration,
                TrailersStatus::kStopIteration);
}

namespace {
HttpContextImpl& self(HttpContext* context) {
  return *static_cast<HttpContextImpl*>(context);
}
const HttpContextImpl& self(const HttpContext* context) {
  return *static_cast<const HttpContextImpl*>(context);
}

// A dead VM that fails closed wants every callback: the first of them refuses the stream.
bool wants_dead(const HttpContextImpl& context) {
  return !context.owner().fails_open();
}
}  // namespace

HeadersStatus HttpContext::on_request_headers(bool end) {
  return self(this).headers(Direction::kRequest, end);
}
DataStatus HttpContext::on_request_body(size_t size, bool end) {
  return self(this).data(Direction::kRequest, size, end);
}
TrailersStatus HttpContext::on_request_trailers() {
  return self(this).trailers(Direction::kRequest);
}
HeadersStatus HttpContext::on_response_headers(bool end) {
  return self(this).headers(Direction::kResponse, end);
}
DataStatus HttpContext::on_response_body(size_t size, bool end) {
  return self(this).data(Direction::kResponse, size, end);
}
TrailersStatus HttpContext::on_response_trailers() {
  return self(this).trailers(Direction::kResponse);
}

bool HttpContext::wants_request_body() const {
  const HttpContextImpl& me = self(this);
  return me.vm ? static_cast<bool>(me.vm->callbacks().on_request_body) : wants_dead(me);
}
bool HttpContext::wants_response_headers() const {
  const HttpContextImpl& me = self(this);
  if (me.vm == nullptr) return wants_dead(me);
  return me.vm->callbacks().on_response_headers || me.vm->callbacks().on_response_headers_0_1_0;
}
bool HttpContext::wants_response_body() const {
  const HttpContextImpl& me = self(this);
  return me.vm ? static_cast<bool>(me.vm->callbacks().on_response_body) : wants_dead(me);
}

void HttpContext::on_log() {
  self(this).log();
}
void HttpContext::destroy() {
  self(this).finish();
}

}  // namespace inlay::host
