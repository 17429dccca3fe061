// SPDX-License-Identifier: Apache-2.0
#include "dynamic_module/stream.h"

#include <utility>

namespace inlay::dynamic_module {

using abi::DataStatus;
using abi::HeadersStatus;
using abi::TrailersStatus;

namespace {

// What Envoy is told after a reply or a reset, by kind of hook.
constexpr auto kStopHeaders = static_cast<uint32_t>(HeadersStatus::kStopIteration);
constexpr auto kStopData = static_cast<uint32_t>(DataStatus::kStopIterationNoBuffer);
constexpr auto kStopTrailers = static_cast<uint32_t>(TrailersStatus::kStopIteration);

bool holds(uint32_t data_status) {
  return data_status == static_cast<uint32_t>(DataStatus::kStopIterationAndBuffer) ||
         data_status == static_cast<uint32_t>(DataStatus::kStopIterationAndWatermark);
}

}  // namespace

template <class Callback>
uint32_t Stream::callback(Direction direction, uint32_t stop, Callback&& call) {
  const InHook hook(*this);
  uint32_t status = 0;
  Wanted wanted;
  {
    const std::lock_guard lock(vm_.mutex());
    const uint64_t calls = vm_.calls_started();
    in_guest_ = true;
    for (Side* one : {&request_, &response_}) one->body.settle();
    write_back();  // what was changed from elsewhere
    status = own_reply_ ? stop : call();
    write_back();
    if (direction == Direction::kRequest) begin_own_reply();
    if (own_reply_) status = stop;
    Side& mine = side(direction);
    mine.stopped = status != 0;
    const bool over = wanted_.reply || wanted_.reset;
    if (!over && (mine.stopped || vm_.calls_started() != calls)) prepare_to_wait(mine);
    wanted = std::exchange(wanted_, {});
    in_guest_ = false;
  }
  return carry_out(std::move(wanted)) ? stop : status;
}

// The guest's context begins with the first callback that concerns it, as in Envoy.
bool Stream::ensure_context() {
  if (context_ != nullptr) return true;
  if (bypass_) return false;
  context_ = plugin_.create_http_context(*this);
  bypass_ = context_ == nullptr;
  return !bypass_;
}

uint32_t Stream::request_headers(bool end_of_stream) {
  return callback(Direction::kRequest, kStopHeaders, [&] {
    if (!ensure_context()) return uint32_t{0};
    request_.has_headers = true;
    const auto status = static_cast<uint32_t>(context_->on_request_headers(end_of_stream));
    request_.has_headers = status != 0;
    return status;
  });
}

uint32_t Stream::request_trailers() {
  return callback(Direction::kRequest, kStopTrailers, [&] {
    if (context_ == nullptr) return uint32_t{0};
    request_.has_trailers = true;
    const auto status = static_cast<uint32_t>(context_->on_request_trailers());
    request_.has_trailers = status != 0;
    return status;
  });
}

uint32_t Stream::response_headers(bool end_of_stream) {
  return callback(Direction::kResponse, kStopHeaders, [&] {
    response_begun_ = true;
    if (context_ == nullptr || !context_->wants_response_headers()) return uint32_t{0};
    response_.has_headers = true;
    const auto status = static_cast<uint32_t>(context_->on_response_headers(end_of_stream));
    response_.has_headers = status != 0;
    return status;
  });
}

uint32_t Stream::response_trailers() {
  return callback(Direction::kResponse, kStopTrailers, [&] {
    if (context_ == nullptr) return uint32_t{0};
    response_.has_trailers = true;
    const auto status = static_cast<uint32_t>(context_->on_response_trailers());
    response_.has_trailers = status != 0;
    return status;
  });
}

uint32_t Stream::request_body(bool end_of_stream) {
  return on_body(Direction::kRequest, end_of_stream);
}

uint32_t Stream::response_body(bool end_of_stream) {
  return on_body(Direction::kResponse, end_of_stream);
}

uint32_t Stream::on_body(Direction direction, bool end_of_stream) {
  const bool request = direction == Direction::kRequest;
  return callback(direction, kStopData, [&] {
    if (context_ == nullptr || !(request ? context_->wants_request_body() : context_->wants_response_body()))
      return uint32_t{0};
    Side& mine = side(direction);
    mine.body.begin(filter_, mine.buffering);
    // Envoy answers, or resets the stream, as soon as it has to hold back that much: the guest hears no more of it.
    if (!request && mine.body.over_limit(filter_)) return static_cast<uint32_t>(DataStatus::kStopIterationAndBuffer);
    mine.has_body = true;
    const size_t size = mine.body.size(filter_);
    const auto status = static_cast<uint32_t>(request ? context_->on_request_body(size, end_of_stream)
                                                      : context_->on_response_body(size, end_of_stream));
    if (status != 0 && end_of_stream) mine.body.read(filter_);  // there may be who asks for it from elsewhere
    mine.body.write_back(filter_);
    mine.has_body = holds(status);
    mine.body.end(filter_, mine.has_body);
    mine.buffering = status == static_cast<uint32_t>(DataStatus::kStopIterationAndBuffer);
    return status;
  });
}

void Stream::complete() {
  const InHook hook(*this);
  const std::lock_guard lock(vm_.mutex());
  in_guest_ = logging_ = true;
  for (Side* one : {&request_, &response_}) {
    one->headers.forget();
    one->trailers.forget();
    one->body.forget();
  }
  if (ensure_context()) context_->on_log();
  in_guest_ = false;
}

void Stream::scheduled() {
  const InHook hook(*this);
  Wanted wanted;
  {
    const std::lock_guard lock(vm_.mutex());
    in_guest_ = true;
    for (Side* one : {&request_, &response_}) one->body.settle();
    write_back();
    begin_own_reply();
    resume_own_reply();
    wanted = std::exchange(wanted_, {});
    in_guest_ = false;
  }
  carry_out(std::move(wanted));
}

void Stream::destroy() {
  const InHook hook(*this);
  const std::lock_guard lock(vm_.mutex());
  over_ = true;
  if (context_ != nullptr) context_->destroy();
  context_ = nullptr;
  if (scheduler_ != nullptr) envoy::http_filter_scheduler_delete(std::exchange(scheduler_, nullptr));
}

}  // namespace inlay::dynamic_module
