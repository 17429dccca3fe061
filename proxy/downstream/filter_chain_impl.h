// SPDX-License-Identifier: Apache-2.0
#pragma once

// The insides of FilterChain, which its files share: a filter's stage in each direction, what a filter may ask of its
// chain, and the guard that ends a stream. Inside of http/.

#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include "proxy/downstream/filter_chain.h"

namespace inlay::proxy::downstream {

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
  void reset_stream(std::string_view details) override { chain.end(details); }
  bool response_sent() override { return chain.response_sent_; }

  HeaderMap& response_storage() override;
  HeaderMap& response_trailers_storage() override;
  void encode_headers(bool end_stream) override;
  void encode_data(Buffer& data, bool end_stream) override;
  void encode_trailers() override;
  void add_response_data(Buffer& data) override { sides[kEncode].held.move_from(data); }
  void encode_informational(HeaderMap& headers) override;
  void pause_request() override;
  void resume_request() override;
  void set_timeouts(const StreamTimeouts& timeouts) override;
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

}  // namespace inlay::proxy::downstream
