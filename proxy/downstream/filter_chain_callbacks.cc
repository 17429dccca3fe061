// SPDX-License-Identifier: Apache-2.0
// What a filter asks of its chain.
#include "proxy/downstream/filter_chain_impl.h"

namespace inlay::proxy::downstream {

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

void FilterChain::Slot::encode_informational(HeaderMap& headers) {
  if (!chain.encode_begun_ && !chain.finish_requested_) chain.sink_->encode_informational(headers);
}

void FilterChain::Slot::pause_request() {
  if (chain.finish_requested_) return;
  if (++chain.request_pauses_ == 1) chain.sink_->pause_request(true);
}

void FilterChain::Slot::resume_request() {
  if (chain.finish_requested_ || chain.request_pauses_ == 0) return;
  if (--chain.request_pauses_ == 0) chain.sink_->pause_request(false);
}

void FilterChain::Slot::set_timeouts(const StreamTimeouts& timeouts) {
  if (!chain.finish_requested_) chain.sink_->set_timeouts(timeouts);
}

}  // namespace inlay::proxy::downstream
