// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "host/contexts.h"
#include "host/vm.h"
#include "host/worker_impl.h"

namespace inlay::host {

using abi::DataStatus;
using abi::HeadersStatus;
using abi::MapType;
using abi::TrailersStatus;

namespace {

constexpr uint32_t kGrpcUnavailable = 14;

HeadersStatus map_headers_status(uint32_t by_guest, bool allow_stop_iteration) {
  switch (by_guest) {
    case 0:
    case 2:  // ContinueAndEndStream: Envoy never implemented it for guests.
      return HeadersStatus::kContinue;
    case 1:
      return allow_stop_iteration ? HeadersStatus::kStopIteration : HeadersStatus::kStopAllIterationAndWatermark;
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
  const HeaderMap* map = stream.headers(type, false);
  return map ? static_cast<uint32_t>(map->size()) : 0;
}

}  // namespace

void StreamContext::begin(WorkerPluginImpl& owner, HttpStream& stream, RootContext* root_context) {
  owner_ = &owner;
  http_ = &stream;
  root = root_context;
  vm = root ? root->vm : nullptr;
  id = 0;
  paused_ = in_callback_ = resumed_ = continue_pending_ = maps_closed_ = {};
  reply_sent_ = reset_pending_ = done_pending_ = done_asked_ = deferred_ = in_log_ = logged_ = failed_ = false;
  reply_.reset();
  if (vm == nullptr) return;
  vm->new_id(*this);
  if (const auto& f = vm->callbacks().on_context_create) (void)vm->call(*this, f, id, root->id);
}

void StreamContext::end() {
  cancel_deferred();
  if (vm != nullptr) vm->remove_context(*this);
  if (vm != nullptr && done_pending_) vm->end_waiting();
  vm = nullptr;
  http_ = nullptr;
  done_pending_ = false;
  ++serial_;
  owner_->worker().release(*this);
}

void StreamContext::defer_continue(Direction direction) {
  if (http_ == nullptr || logged_) return;
  if (in_callback_[index(direction)]) {
    resumed_[index(direction)] = true;
    return;
  }
  continue_pending_[index(direction)] = true;
  maps_closed_[index(direction)] = true;
  if (!std::exchange(deferred_, true)) vm->add_deferred(*this);
}

void StreamContext::defer_local_reply(LocalReply reply) {
  if (http_ == nullptr || logged_ || reply_) return;
  reply_ = std::make_unique<LocalReply>(std::move(reply));
  if (!std::exchange(deferred_, true)) vm->add_deferred(*this);
}

void StreamContext::defer_reset() {
  if (http_ == nullptr || logged_) return;
  reset_pending_ = true;
  if (!std::exchange(deferred_, true)) vm->add_deferred(*this);
}

bool StreamContext::defer_done() {
  if (!done_pending_ || done_asked_) return false;
  done_asked_ = true;
  if (!std::exchange(deferred_, true)) vm->add_deferred(*this);
  return true;
}

void StreamContext::cancel_deferred() {
  if (std::exchange(deferred_, false) && vm != nullptr) vm->remove_deferred(*this);
  reply_.reset();
  reset_pending_ = false;
  continue_pending_ = {};
}

// Each call may end the stream and this use of the context.
void StreamContext::run_deferred() {
  deferred_ = false;
  if (done_asked_) {
    Vm& mine = *vm;
    const uint64_t use = serial_;
    if (const auto& f = mine.callbacks().on_delete) (void)mine.call(*this, f, id);
    if (use == serial_) end();  // unless a trap has ended it (detach())
    return;
  }
  const uint64_t serial = serial_;
  auto over = [&] { return serial != serial_ || http_ == nullptr; };
  if (reply_) {
    reply_sent_ = true;
    const auto reply = std::move(reply_);
    http_->send_local_reply(std::move(*reply));
    if (over()) return;
  }
  if (std::exchange(reset_pending_, false)) {
    http_->reset("wasm_close_stream");
    if (over()) return;
  }
  for (const Direction direction : {Direction::kRequest, Direction::kResponse}) {
    if (!std::exchange(continue_pending_[index(direction)], false)) continue;
    if (direction == Direction::kRequest && reply_sent_) continue;  // The request is answered.
    paused_[index(direction)] = false;
    http_->continue_stream(direction);
    if (over()) return;
  }
}

bool StreamContext::is_closed(MapType type) const {
  switch (type) {
    case MapType::kHttpRequestHeaders:
    case MapType::kHttpRequestTrailers:
      return maps_closed_[0] && !in_log_;
    case MapType::kHttpResponseHeaders:
    case MapType::kHttpResponseTrailers:
      return maps_closed_[1] && !in_log_;
    default:
      return false;
  }
}

bool StreamContext::detach() {
  cancel_deferred();
  vm = nullptr;
  root = nullptr;
  if (done_pending_) {
    end();
    return false;
  }
  return !in_callback_[0] && !in_callback_[1] && (paused_[0] || paused_[1]) && !logged_;
}

void StreamContext::resolve_dead() {
  if (policy() == Outcome::kStop) return fail_stream();
  const uint64_t serial = serial_;
  for (const Direction direction : {Direction::kRequest, Direction::kResponse}) {
    if (serial != serial_ || http_ == nullptr) return;
    if (std::exchange(paused_[index(direction)], false)) http_->continue_stream(direction);
  }
}

StreamContext::Outcome StreamContext::policy() const {
  if (failed_) return Outcome::kContinue;  // the reply that says so passes
  const bool strict = owner_->worker().host.options.envoy_strict && !owner_->impl().config().legacy_fail_open;
  return owner_->fails_open() && !strict ? Outcome::kContinue : Outcome::kStop;
}

void StreamContext::fail_stream() {
  failed_ = true;
  if (std::exchange(reply_sent_, true) || http_ == nullptr || logged_) return;
  LocalReply reply;
  reply.status = 503;
  reply.grpc_status = kGrpcUnavailable;
  reply.details = "wasm_fail_stream";
  http_->send_local_reply(std::move(reply));
}

// Calls the guest; says who decides what happens next.
template <class Call>
StreamContext::Outcome StreamContext::invoke(Direction direction, uint32_t& returned, Call&& call) {
  if (vm == nullptr) [[unlikely]]
    return policy();
  const size_t i = index(direction);
  paused_[i] = resumed_[i] = maps_closed_[i] = false;
  in_callback_[i] = true;
  const auto answer = call(*vm);
  in_callback_[i] = false;
  if (!answer) [[unlikely]]
    return policy();
  returned = *answer;
  return Outcome::kGuest;
}

// Turns the outcome into a status and carries out what the guest asked for. The stream may be over when it returns, so
// this comes last.
template <class Status>
Status StreamContext::settle(Direction direction, Outcome outcome, Status by_guest, Status stop) {
  if (outcome == Outcome::kContinue) return Status::kContinue;
  if (outcome == Outcome::kStop) {
    fail_stream();
    return stop;
  }
  const size_t i = index(direction);
  Status status = by_guest;
  if (reply_ || reset_pending_ || (reply_sent_ && direction == Direction::kRequest))
    status = stop;
  else if (resumed_[i])
    status = Status::kContinue;
  else
    paused_[i] = status != Status::kContinue;
  vm->run_deferred();
  return status;
}

HeadersStatus StreamContext::headers(Direction direction, bool end_of_stream) {
  uint32_t returned = 0;
  const bool request = direction == Direction::kRequest;
  const Outcome outcome = invoke(direction, returned, [&](Vm& mine) -> std::optional<uint32_t> {
    const Callbacks& c = mine.callbacks();
    const auto& f = request ? c.on_request_headers : c.on_response_headers;
    if (f) return mine.call(*this, f, id, count(*http_, headers_of(direction)), end_of_stream ? 1u : 0u);
    const auto& old = request ? c.on_request_headers_0_1_0 : c.on_response_headers_0_1_0;
    if (old) return mine.call(*this, old, id, count(*http_, headers_of(direction)));
    return 0;
  });
  return settle(direction, outcome,
                map_headers_status(returned, owner_->impl().config().allow_on_headers_stop_iteration),
                HeadersStatus::kStopAllIterationAndWatermark);
}

DataStatus StreamContext::data(Direction direction, size_t size, bool end_of_stream) {
  uint32_t returned = 0;
  const Outcome outcome = invoke(direction, returned, [&](Vm& mine) -> std::optional<uint32_t> {
    const Callbacks& c = mine.callbacks();
    const auto& f = direction == Direction::kRequest ? c.on_request_body : c.on_response_body;
    if (!f) return 0;
    return mine.call(*this, f, id, static_cast<uint32_t>(std::min<size_t>(size, UINT32_MAX)), end_of_stream ? 1u : 0u);
  });
  return settle(direction, outcome, static_cast<DataStatus>(std::min<uint32_t>(returned, 3)),
                DataStatus::kStopIterationNoBuffer);
}

TrailersStatus StreamContext::trailers(Direction direction) {
  uint32_t returned = 0;
  const Outcome outcome = invoke(direction, returned, [&](Vm& mine) -> std::optional<uint32_t> {
    const Callbacks& c = mine.callbacks();
    const auto& f = direction == Direction::kRequest ? c.on_request_trailers : c.on_response_trailers;
    if (!f) return 0;
    return mine.call(*this, f, id, count(*http_, trailers_of(direction)));
  });
  return settle(direction, outcome, returned == 0 ? TrailersStatus::kContinue : TrailersStatus::kStopIteration,
                TrailersStatus::kStopIteration);
}

void StreamContext::log() {
  if (std::exchange(logged_, true) || vm == nullptr) return;
  Vm& mine = *vm;
  cancel_deferred();
  in_log_ = true;
  if (const auto& f = mine.callbacks().on_log) (void)mine.call(*this, f, id);
  in_log_ = false;
  mine.run_deferred();
}

void StreamContext::finish() {
  logged_ = true;
  Vm* const mine = vm;
  if (mine == nullptr) return end();
  cancel_deferred();
  if (const auto& f = mine->callbacks().on_done) {
    const auto done = mine->call(*this, f, id);
    if (done && *done == 0 && mine->begin_waiting()) {
      done_pending_ = true;
      http_ = nullptr;
      mine->run_deferred();
      return;
    }
  }
  if (const auto& f = mine->callbacks().on_delete; f && vm != nullptr) (void)mine->call(*this, f, id);
  end();
  mine->run_deferred();
}

namespace {
StreamContext& self(HttpContext* context) {
  return *static_cast<StreamContext*>(context);
}
const StreamContext& self(const HttpContext* context) {
  return *static_cast<const StreamContext*>(context);
}

// A dead VM that fails closed wants every callback: the first of them refuses the stream.
bool wants_dead(const StreamContext& context) {
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
  const StreamContext& me = self(this);
  return me.vm ? static_cast<bool>(me.vm->callbacks().on_request_body) : wants_dead(me);
}
bool HttpContext::wants_response_headers() const {
  const StreamContext& me = self(this);
  if (me.vm == nullptr) return wants_dead(me);
  return me.vm->callbacks().on_response_headers || me.vm->callbacks().on_response_headers_0_1_0;
}
bool HttpContext::wants_response_body() const {
  const StreamContext& me = self(this);
  return me.vm ? static_cast<bool>(me.vm->callbacks().on_response_body) : wants_dead(me);
}

void HttpContext::on_log() {
  self(this).log();
}
void HttpContext::destroy() {
  self(this).finish();
}

}  // namespace inlay::host
