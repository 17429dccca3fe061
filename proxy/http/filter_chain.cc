// SPDX-License-Identifier: Apache-2.0
#include "proxy/http/filter_chain.h"

#include <charconv>
#include <string>
#include <utility>

#include "proxy/http/local_reply.h"

namespace inlay::proxy::http {

// Side: one filter's stage in one direction.
struct FilterChain::Side {
  enum class Hold : uint8_t {
    kOpen,
    kStopped,    // later callbacks still come; what they were shown waits in `held`
    kBuffer,     // the same, and all of it has to stay within the limit
    kAllBuffer,  // StopAllIteration*: no further callback; what comes waits in `held`
    kAllWatermark,
    kTrailers,  // stopped in the trailers callback
  };
  Hold hold = Hold::kOpen;
  bool headers_passed = false;
  bool headers_end = false;      // the end of the stream came with the headers
  bool end_held = false;         // ... or with the data in `held`
  bool trailers_unseen = false;  // wait for the filter
  bool trailers_seen = false;    // wait to go to the next stage
  bool may_add_trailers = false;
  bool trailers_added = false;
  bool go_on_asked = false;  // inside of the filter's own callback
  bool paused = false;
  uint8_t calls = 0;  // callbacks under way
  Buffer held;

  bool stops_all() const { return hold == Hold::kAllBuffer || hold == Hold::kAllWatermark; }
  bool take_go_on() { return std::exchange(go_on_asked, false); }
  void reset() {
    hold = Hold::kOpen;
    headers_passed = headers_end = end_held = trailers_unseen = trailers_seen = false;
    may_add_trailers = trailers_added = go_on_asked = paused = false;
    held.clear();
  }
};

// Slot: a filter and what it may ask of its chain.
struct FilterChain::Slot final : FilterCallbacks {
  Slot(FilterChain& owner, std::unique_ptr<StreamFilter> stream_filter)
      : chain(owner), filter(std::move(stream_filter)) {}

  net::EventLoop& loop() override { return chain.loop_; }
  StreamInfo& info() override { return chain.info_; }
  const config::Listener& listener() override { return chain.listener_; }
  HeaderMap* request_headers() override { return chain.have_request_headers_ ? &chain.request_headers_ : nullptr; }
  HeaderMap* request_trailers() override { return chain.have_request_trailers_ ? &chain.request_trailers_ : nullptr; }
  HeaderMap* response_headers() override { return chain.encode_begun_ ? &chain.response_headers_ : nullptr; }
  HeaderMap* response_trailers() override {
    return chain.have_response_trailers_ ? &chain.response_trailers_ : nullptr;
  }
  HeaderMap* add_request_trailers() override { return add_trailers(kDecode, chain.have_request_trailers_); }
  HeaderMap* add_response_trailers() override { return add_trailers(kEncode, chain.have_response_trailers_); }
  Buffer* buffered_request_body() override { return sides[kDecode].held.empty() ? nullptr : &sides[kDecode].held; }
  Buffer* buffered_response_body() override { return sides[kEncode].held.empty() ? nullptr : &sides[kEncode].held; }

  void continue_decoding() override { go_on(kDecode); }
  void continue_encoding() override { go_on(kEncode); }
  void send_local_reply(host::LocalReply reply) override;
  void reset_stream(std::string_view details) override { chain.reset(details); }

  HeaderMap& response_storage() override;
  HeaderMap& response_trailers_storage() override;
  void encode_headers(bool end_stream) override;
  void encode_data(Buffer& data, bool end_stream) override;
  void encode_trailers() override;
  void encode_100_continue() override;
  void pause_request() override;
  void resume_request() override;
  uint32_t buffer_limit() override { return chain.limit_; }

  bool busy() const { return sides[kDecode].calls + sides[kEncode].calls > 0; }
  void go_on(Way way);
  HeaderMap* add_trailers(Way way, bool& have);

  FilterChain& chain;
  std::unique_ptr<StreamFilter> filter;
  size_t index = 0;  // in active_
  Side sides[2];
  std::optional<host::LocalReply> reply;  // asked for inside of a callback of this filter
};

// Entry stands in every call into the chain; the outermost one ends a stream that was finished meanwhile.
class FilterChain::Entry {
 public:
  explicit Entry(FilterChain& chain) : chain_(chain) { ++chain_.depth_; }
  ~Entry() {
    if (--chain_.depth_ == 0 && chain_.finish_requested_ && !chain_.finishing_) chain_.do_finish();
  }
  Entry(const Entry&) = delete;
  Entry& operator=(const Entry&) = delete;

 private:
  FilterChain& chain_;
};

// --- life ---

FilterChain::FilterChain(net::EventLoop& loop, const config::Listener& listener,
                         const std::vector<FilterFactory*>& factories)
    : loop_(loop), listener_(listener), limit_(listener.per_connection_buffer_limit_bytes) {
  finishing_ = true;  // no stream yet
  for (FilterFactory* factory : factories) slots_.push_back(std::make_unique<Slot>(*this, factory->create()));
  active_.reserve(slots_.size());
}

FilterChain::~FilterChain() = default;

void FilterChain::start(ResponseSink& sink) {
  sink_ = &sink;
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
  encode_begun_ = response_sent_ = local_reply_ = finish_requested_ = finishing_ = false;
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
  start_filters();
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
  if (data.empty() && !end_stream) return;
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

void FilterChain::over_limit(Way way) {
  if (way == kEncode && response_sent_) return reset("response_payload_too_large");
  host::LocalReply reply;
  reply.status = way == kDecode ? 413 : 500;
  reply.body = way == kDecode ? "Payload Too Large" : "Internal Server Error";
  reply.details = way == kDecode ? "request_payload_too_large" : "response_payload_too_large";
  do_local_reply(std::move(reply));
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
  push_data(way, next, held, end_stream);
  if (epoch_[way] != epoch) return;
  if (std::exchange(side.trailers_unseen, false)) return push_trailers(way, place);
  if (std::exchange(side.trailers_seen, false)) push_trailers(way, place + 1);
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

// --- the end of the chain ---

void FilterChain::sink_headers(Way way, bool end_stream) {
  if (way == kDecode) return;  // the router was the last filter
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

void FilterChain::send_local_reply(host::LocalReply reply) {
  Entry entry(*this);
  do_local_reply(std::move(reply));
}

void FilterChain::do_local_reply(host::LocalReply reply) {
  if (finish_requested_) return;
  if (response_sent_) return reset(reply.details);
  ++epoch_[kDecode];
  const uint32_t epoch = ++epoch_[kEncode];
  decode_aborted_ = local_reply_ = true;
  const bool direct = encode_begun_ || reply.skip_encoder_filters || !started_;
  for (Slot* slot : active_) slot->sides[kEncode].reset();
  encode_begun_ = true;
  have_response_trailers_ = false;
  info_.response_code_details = reply.details;
  const std::string body_text = make_local_reply(request_headers_, std::move(reply), response_headers_);
  const size_t place = direct ? active_.size() : 0;
  push_headers(kEncode, place, body_text.empty());
  if (body_text.empty() || epoch_[kEncode] != epoch) return;
  Buffer body;
  body.append(body_text);
  push_data(kEncode, place, body, true);
}

void FilterChain::reset(std::string_view details) {
  if (finish_requested_) return;
  Entry entry(*this);
  if (info_.response_code_details.empty() || !details.empty()) info_.response_code_details = details;
  if (info_.response_flags == 0) info_.response_flags = kLocalReset;
  ++epoch_[kDecode];
  ++epoch_[kEncode];
  decode_aborted_ = true;
  sink_->on_reset();
}

// --- what a filter asks ---

void FilterChain::Slot::go_on(Way way) {
  if (chain.finish_requested_ || (way == kDecode && chain.decode_aborted_)) return;
  Side& side = sides[way];
  if (side.calls > 0) {
    side.go_on_asked = true;
    return;
  }
  Entry entry(chain);
  chain.go_on(way, way == kDecode ? index : chain.active_.size() - 1 - index);
}

HeaderMap* FilterChain::Slot::add_trailers(Way way, bool& have) {
  Side& side = sides[way];
  if (!side.may_add_trailers || (have && !side.trailers_added)) return nullptr;
  side.trailers_added = have = true;
  return &chain.trailers(way);
}

void FilterChain::Slot::send_local_reply(host::LocalReply asked) {
  if (chain.finish_requested_) return;
  if (busy()) {
    if (!reply) reply = std::move(asked);
    return;
  }
  chain.send_local_reply(std::move(asked));
}

HeaderMap& FilterChain::Slot::response_storage() {
  HeaderMap& map = chain.local_reply_ || chain.finish_requested_ ? chain.ignored_ : chain.response_headers_;
  map.clear();
  return map;
}

HeaderMap& FilterChain::Slot::response_trailers_storage() {
  HeaderMap& map = chain.local_reply_ || chain.finish_requested_ ? chain.ignored_ : chain.response_trailers_;
  map.clear();
  return map;
}

void FilterChain::Slot::encode_headers(bool end_stream) {
  if (chain.local_reply_ || chain.finish_requested_) return;
  Entry entry(chain);
  chain.encode_begun_ = true;
  chain.push_headers(kEncode, 0, end_stream);
}

void FilterChain::Slot::encode_data(Buffer& data, bool end_stream) {
  if (chain.local_reply_ || chain.finish_requested_) return data.clear();
  Entry entry(chain);
  chain.push_data(kEncode, 0, data, end_stream);
}

void FilterChain::Slot::encode_trailers() {
  if (chain.local_reply_ || chain.finish_requested_) return;
  Entry entry(chain);
  chain.have_response_trailers_ = true;
  chain.push_trailers(kEncode, 0);
}

void FilterChain::Slot::encode_100_continue() {
  if (!chain.encode_begun_ && !chain.finish_requested_) chain.sink_->encode_100_continue();
}

void FilterChain::Slot::pause_request() {
  if (chain.finish_requested_) return;
  if (++chain.request_pauses_ == 1) chain.sink_->pause_request(true);
}

void FilterChain::Slot::resume_request() {
  if (chain.finish_requested_ || chain.request_pauses_ == 0) return;
  if (--chain.request_pauses_ == 0) chain.sink_->pause_request(false);
}

}  // namespace inlay::proxy::http
