// SPDX-License-Identifier: Apache-2.0
// Where a stream leaves its way: local replies, limits, resets, and back-pressure.
#include <string>
#include <utility>

#include "http/header_fault.h"
#include "proxy/downstream/filter_chain_impl.h"
#include "proxy/downstream/local_reply.h"

namespace inlay::proxy::downstream {

namespace {
constexpr uint32_t kBadRequest = 400;
}  // namespace

void FilterChain::send_local_reply(host::LocalReply reply) {
  Entry entry(*this);
  do_local_reply(std::move(reply));
}

void FilterChain::do_local_reply(host::LocalReply reply) {
  if (finish_requested_) return;
  if (response_sent_) return end(reply.details);
  ++epoch_[kDecode];
  const uint32_t epoch = ++epoch_[kEncode];
  decode_aborted_ = local_reply_ = true;
  // A request that was refused before its filters heard of it is logged by them all the same.
  if (!started_) {
    request_kind_ = kind_of(request_headers_);
    start_filters();
  }
  const bool direct = encode_begun_;
  for (Slot* slot : active_) slot->sides[kEncode].reset();
  encode_begun_ = true;
  have_response_trailers_ = false;
  info_.response_code_details = reply.details;
  info_.local_reply = true;
  info_.response_code = reply.status;  // for the filters on its way
  closes_ = reply.status == kBadRequest;
  begin_local_reply(reply, response_headers_);
  for (Slot* slot : active_) slot->filter->begin_local_reply(response_headers_);
  const std::string body_text = finish_local_reply(request_kind_, std::move(reply), response_headers_);
  const size_t place = direct ? active_.size() : 0;
  push_headers(kEncode, place, body_text.empty());
  if (body_text.empty() || epoch_[kEncode] != epoch) return;
  Buffer body;
  body.append(body_text);
  push_data(kEncode, place, body, true);
}

void FilterChain::reset(std::string_view details) {
  if (!finish_requested_ && info_.response_flags == 0) info_.response_flags = kLocalReset;
  end(details);
}

void FilterChain::end(std::string_view details) {
  if (finish_requested_) return;
  Entry entry(*this);
  if (info_.response_code_details.empty() || !details.empty()) info_.response_code_details = details;
  ++epoch_[kDecode];
  ++epoch_[kEncode];
  decode_aborted_ = true;
  sink_->on_reset();
}

// The filters left a response in a state that cannot be sent. (Envoy looks at the status only, and sends all else.)
void FilterChain::refuse_head(std::string_view fault, uint32_t status) {
  host::LocalReply reply;
  reply.status = status;
  reply.body = fault;
  reply.details = http::fault_details("response", fault);
  do_local_reply(std::move(reply));
}

// As in Envoy before any filter has seen the request, but not before they see and log the answer.
void FilterChain::refuse_upgrade() {
  sink_->on_upgrade(false);
  host::LocalReply reply;
  reply.status = 403;
  reply.details = "upgrade_failed";
  do_local_reply(std::move(reply));
}

void FilterChain::over_limit(Way way) {
  if (way == kEncode && response_sent_) return end("response_payload_too_large");
  host::LocalReply reply;
  reply.status = way == kDecode ? 413 : 500;
  reply.body = way == kDecode ? "Payload Too Large" : "Internal Server Error";
  reply.details = way == kDecode ? "request_payload_too_large" : "response_payload_too_large";
  do_local_reply(std::move(reply));
}

// --- back-pressure ---

void FilterChain::pause(Way way, Side& side) {
  if (std::exchange(side.paused, true)) return;
  if (way == kEncode) return on_above_write_watermark();
  if (++request_pauses_ == 1) sink_->pause_request(true);
}

void FilterChain::unpause(Way way, Side& side) {
  if (!std::exchange(side.paused, false)) return;
  if (way == kEncode) return on_below_write_watermark();
  if (--request_pauses_ == 0) sink_->pause_request(false);
}

void FilterChain::on_above_write_watermark() {
  if (finish_requested_ || ++response_pauses_ != 1) return;
  Entry entry(*this);
  for (size_t i = 0; i < active_.size() && !finish_requested_; ++i) active_[i]->filter->on_above_write_watermark();
}

void FilterChain::on_below_write_watermark() {
  if (finish_requested_ || response_pauses_ == 0 || --response_pauses_ != 0) return;
  Entry entry(*this);
  for (size_t i = 0; i < active_.size() && !finish_requested_; ++i) active_[i]->filter->on_below_write_watermark();
}

}  // namespace inlay::proxy::downstream
