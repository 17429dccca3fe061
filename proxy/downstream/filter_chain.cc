// SPDX-License-Identifier: Apache-2.0
// A chain's life and its stages: how headers, data and trailers move from one filter to the next.
#include "proxy/downstream/filter_chain.h"

#include <utility>

#include "http/header_fault.h"
#include "http/status_reason.h"
#include "proxy/downstream/filter_chain_impl.h"

namespace inlay::proxy::downstream {

// --- life ---

FilterChain::FilterChain(net::EventLoop& loop, const config::Listener& listener,
                         const std::vector<FilterFactory*>& factories)
    : loop_(loop), listener_(listener) {
  finishing_ = true;  // no stream yet
  for (FilterFactory* factory : factories) slots_.push_back(std::make_unique<Slot>(*this, factory->create()));
  active_.reserve(slots_.size());
}

FilterChain::~FilterChain() = default;

void FilterChain::start(ResponseSink& sink) {
  sink_ = &sink;
  limit_ = listener_.per_connection_buffer_limit_bytes;
  info_.reset();
  request_headers_.clear();
  request_trailers_.clear();
  response_headers_.clear();
  response_trailers_.clear();
  ignored_.clear();
  for (auto& slot : slots_) {
    slot->sides[kDecode].reset();
    slot->sides[kEncode].reset();
    slot->reply.reset();
  }
  request_pauses_ = response_pauses_ = 0;
  started_ = decode_aborted_ = have_request_headers_ = have_request_trailers_ = have_response_trailers_ = false;
  encode_begun_ = response_sent_ = local_reply_ = closes_ = finish_requested_ = finishing_ = false;
}

void FilterChain::start_filters() {
  started_ = true;
  for (auto& slot : slots_) {
    if (!slot->filter->start(*slot)) continue;
    slot->index = active_.size();
    active_.push_back(slot.get());
  }
}

void FilterChain::finish() {
  if (finish_requested_) return;
  Entry entry(*this);
  finish_requested_ = true;
  ++epoch_[kDecode];
  ++epoch_[kEncode];
}

void FilterChain::do_finish() {
  finishing_ = true;
  ++depth_;  // what a filter still asks for ends nothing twice
  for (Slot* slot : active_) slot->filter->on_log();
  for (Slot* slot : active_) slot->filter->on_destroy();
  --depth_;
  active_.clear();
  for (auto& slot : slots_) {
    slot->sides[kDecode].held.clear();
    slot->sides[kEncode].held.clear();
  }
  sink_->on_finished();
}

// --- the request, from the codec ---

void FilterChain::decode_headers(bool end_stream) {
  Entry entry(*this);
  have_request_headers_ = true;
  request_kind_ = kind_of(request_headers_);
  start_filters();
  if (info_.upgrade == Upgrade::kRefused) [[unlikely]]
    return refuse_upgrade();
  if (info_.upgrade == Upgrade::kAccepted) [[unlikely]]
    sink_->on_upgrade(true);
  push_headers(kDecode, 0, end_stream);
}

void FilterChain::decode_data(Buffer& data, bool end_stream) {
  Entry entry(*this);
  if (!decode_aborted_ && !finish_requested_) push_data(kDecode, 0, data, end_stream);
  data.clear();
}

void FilterChain::decode_trailers() {
  Entry entry(*this);
  if (decode_aborted_ || finish_requested_) return;
  have_request_trailers_ = true;
  push_trailers(kDecode, 0);
}

// --- the stages ---

FilterChain::Slot& FilterChain::at(Way way, size_t place) const {
  return *active_[way == kDecode ? place : active_.size() - 1 - place];
}

// Calls a filter; a local reply that it asked for meanwhile is sent now.
template <class Call>
auto FilterChain::call(Slot& slot, Way way, Call call) {
  Side& side = slot.sides[way];
  ++side.calls;
  const auto status = call(*slot.filter);
  --side.calls;
  if (slot.reply && !slot.busy()) [[unlikely]] {
    host::LocalReply reply = std::move(*slot.reply);
    slot.reply.reset();
    do_local_reply(std::move(reply));
  }
  return status;
}

void FilterChain::push_headers(Way way, size_t place, bool end_stream) {
  const uint32_t epoch = epoch_[way];
  for (; place < active_.size(); ++place) {
    Slot& slot = at(way, place);
    Side& side = slot.sides[way];
    const HeadersStatus status = call(slot, way, [&](StreamFilter& filter) {
      return way == kDecode ? filter.decode_headers(request_headers_, end_stream)
                            : filter.encode_headers(response_headers_, end_stream);
    });
    if (epoch_[way] != epoch) return;
    const bool goes_on = status == HeadersStatus::kContinue || status == HeadersStatus::kContinueAndEndStream;
    if (side.take_go_on() || goes_on) {
      side.headers_passed = true;
      continue;
    }
    side.headers_end = end_stream;
    side.hold = status == HeadersStatus::kStopIteration               ? Side::Hold::kStopped
                : status == HeadersStatus::kStopAllIterationAndBuffer ? Side::Hold::kAllBuffer
                                                                      : Side::Hold::kAllWatermark;
    return;
  }
  sink_headers(way, end_stream);
}

void FilterChain::push_data(Way way, size_t place, Buffer& data, bool end_stream) {
  const uint32_t epoch = epoch_[way];
  for (; place < active_.size(); ++place) {
    Slot& slot = at(way, place);
    Side& side = slot.sides[way];
    if (side.stops_all()) {
      side.end_held = side.end_held || end_stream;
      return hold_data(way, side, data);
    }
    side.may_add_trailers = end_stream;
    const DataStatus status = call(slot, way, [&](StreamFilter& filter) {
      return way == kDecode ? filter.decode_data(data, end_stream) : filter.encode_data(data, end_stream);
    });
    if (epoch_[way] != epoch) return;
    side.may_add_trailers = false;
    const bool added = std::exchange(side.trailers_added, false);
    if (added) end_stream = false;
    if (side.take_go_on() || status == DataStatus::kContinue) {
      if (!side.held.empty()) {
        side.held.move_from(data);
        data.move_from(side.held);
      }
      if (!release_stage(way, place, side)) return;
      if (!added) continue;
      push_data(way, place + 1, data, false);
      if (epoch_[way] == epoch) push_trailers(way, place + 1);
      return;
    }
    side.end_held = side.end_held || end_stream;
    side.trailers_seen = side.trailers_seen || added;
    if (status == DataStatus::kStopIterationNoBuffer) {
      side.hold = Side::Hold::kBuffer;
      return data.clear();
    }
    side.hold = status == DataStatus::kStopIterationAndBuffer ? Side::Hold::kBuffer : Side::Hold::kStopped;
    return hold_data(way, side, data);
  }
  sink_data(way, data, end_stream);
}

// Opens a stage whose filter goes on; its headers go first. False: the epoch changed.
bool FilterChain::release_stage(Way way, size_t place, Side& side) {
  if (side.hold == Side::Hold::kOpen) return true;
  const uint32_t epoch = epoch_[way];
  side.hold = Side::Hold::kOpen;
  unpause(way, side);
  if (epoch_[way] == epoch && !std::exchange(side.headers_passed, true)) push_headers(way, place + 1, side.headers_end);
  return epoch_[way] == epoch;
}

// kBuffer and kAllBuffer keep the whole within the limit or fail; the watermark variants slow the sender down.
void FilterChain::hold_data(Way way, Side& side, Buffer& data) {
  side.held.move_from(data);
  if (limit_ == 0 || side.held.size() <= limit_) return;
  if (side.hold == Side::Hold::kBuffer || side.hold == Side::Hold::kAllBuffer) {
    over_limit(way);
  } else {
    pause(way, side);
  }
}

void FilterChain::push_trailers(Way way, size_t place) {
  const uint32_t epoch = epoch_[way];
  for (; place < active_.size(); ++place) {
    Slot& slot = at(way, place);
    Side& side = slot.sides[way];
    if (side.stops_all()) {
      side.trailers_unseen = true;
      return;
    }
    const TrailersStatus status = call(slot, way, [&](StreamFilter& filter) {
      return way == kDecode ? filter.decode_trailers(request_trailers_) : filter.encode_trailers(response_trailers_);
    });
    if (epoch_[way] != epoch) return;
    if (!side.take_go_on() && status != TrailersStatus::kContinue) {
      side.hold = Side::Hold::kTrailers;
      side.trailers_seen = true;
      return;
    }
    if (!release_stage(way, place, side)) return;
    if (side.held.empty()) continue;
    Buffer held;
    held.move_from(side.held);
    push_data(way, place + 1, held, false);
    if (epoch_[way] != epoch) return;
  }
  sink_trailers(way);
}

// A filter that had stopped goes on.
void FilterChain::go_on(Way way, size_t place) {
  Side& side = at(way, place).sides[way];
  if (side.hold == Side::Hold::kOpen) return;
  const bool unseen = side.stops_all();
  if (release_stage(way, place, side)) pass_held(way, place, side, unseen);
}

// After StopAll the filter itself has not seen the body yet; else it goes to the next one.
void FilterChain::pass_held(Way way, size_t place, Side& side, bool unseen) {
  const uint32_t epoch = epoch_[way];
  const size_t next = unseen ? place : place + 1;
  const bool end_stream = std::exchange(side.end_held, false);
  Buffer held;
  held.move_from(side.held);
  if (!held.empty() || end_stream) push_data(way, next, held, end_stream);
  if (epoch_[way] != epoch) return;
  if (std::exchange(side.trailers_unseen, false)) return push_trailers(way, place);
  if (std::exchange(side.trailers_seen, false)) push_trailers(way, place + 1);
}

// --- the end of the chain ---

void FilterChain::sink_headers(Way way, bool end_stream) {
  if (way == kDecode) return;  // the router was the last filter
  if (!http::is_status(response_headers_.value(http::HeaderId::kStatus))) [[unlikely]]
    return refuse_head("missing required header: :status", 502);
  if (response_headers_.spoiled()) [[unlikely]] {
    if (const std::string fault = http::header_fault(response_headers_); !fault.empty()) return refuse_head(fault, 503);
  }
  response_sent_ = true;
  sink_->encode_headers(response_headers_, end_stream);
}

void FilterChain::sink_data(Way way, Buffer& data, bool end_stream) {
  if (way == kEncode) sink_->encode_data(data, end_stream);
  data.clear();
}

void FilterChain::sink_trailers(Way way) {
  if (way == kEncode) sink_->encode_trailers(response_trailers_);
}

}  // namespace inlay::proxy::downstream
