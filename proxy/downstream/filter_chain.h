// SPDX-License-Identifier: Apache-2.0
#pragma once

// FilterChain: one stream's way through the filters (Envoy's filter manager). It implements what each status of
// filter.h means, in both directions, local replies, and the one moment at which a stream ends.
//
// Each filter is a stage that is open or stopped. What reaches a stopped stage waits there: header, body, end and
// trailers; when the filter goes on, they move to the next stage in order. A chain whose filters all continue copies
// nothing and keeps nothing.
//
// One chain serves many streams, one after another: start() ... finish(). Loop thread only. Any callback of a filter
// may reply, reset or go on; the chain is never destroyed or started again before the outermost call has returned.

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "host/embedder.h"
#include "proxy/downstream/filter.h"
#include "proxy/downstream/local_reply.h"

namespace inlay::proxy::downstream {

// ResponseSink is where a chain's response goes, and what is told of its end: the codec's side.
class ResponseSink {
 public:
  virtual ~ResponseSink() = default;
  // The request's upgrade was let through, or will be answered with 403.
  virtual void on_upgrade(bool /*accepted*/) {}
  virtual void encode_informational(HeaderMap& headers) = 0;
  virtual void encode_headers(HeaderMap& headers, bool end_stream) = 0;
  virtual void encode_data(Buffer& data, bool end_stream) = 0;
  virtual void encode_trailers(HeaderMap& trailers) = 0;
  virtual void pause_request(bool paused) = 0;
  virtual void set_timeouts(const StreamTimeouts& timeouts) = 0;  // FilterCallbacks'
  // The stream cannot go on: drop the connection and finish() the chain. Why stands in StreamInfo.
  virtual void on_reset() = 0;
  // After finish(), once no call into the chain is under way: logged and destroyed.
  virtual void on_finished() = 0;
};

class FilterChain {
 public:
  FilterChain(net::EventLoop& loop, const config::Listener& listener, const std::vector<FilterFactory*>& factories);
  ~FilterChain();
  FilterChain(const FilterChain&) = delete;
  FilterChain& operator=(const FilterChain&) = delete;

  // A new stream; the maps are empty and the codec fills them.
  void start(ResponseSink& sink);
  // How much of a body the stream's filters may hold back, in bytes, where that is not the listener's
  // per_connection_buffer_limit_bytes; 0: any.
  void set_buffer_limit(uint32_t bytes) { limit_ = bytes; }

  StreamInfo& info() { return info_; }
  HeaderMap& request_headers() { return request_headers_; }
  HeaderMap& request_trailers() { return request_trailers_; }
  HeaderMap& response_headers() { return response_headers_; }
  HeaderMap& response_trailers() { return response_trailers_; }

  // The request as it comes. decode_headers() starts the filters.
  void decode_headers(bool end_stream);
  void decode_data(Buffer& data, bool end_stream);
  void decode_trailers();

  // Answers on behalf of the connection. Passes the encoder filters, and they log it, also before decode_headers().
  void send_local_reply(host::LocalReply reply);
  void reset(std::string_view details);
  // The same without a flag in StreamInfo.
  void end(std::string_view details);
  void on_above_write_watermark();
  void on_below_write_watermark();
  // Ends the stream: on_log() and on_destroy() of each filter, then the sink's on_finished(); at once, or when the
  // outermost call has returned.
  void finish();

  bool finished() const { return finish_requested_; }
  bool is_local_reply() const { return local_reply_; }
  // The response says that the request's bytes made no sense (a local 400): nothing behind them does, and its
  // connection ends, as in Envoy.
  bool closes_connection() const { return closes_; }

 private:
  struct Slot;
  struct Side;
  class Entry;
  enum Way : uint8_t { kDecode = 0, kEncode = 1 };

  Slot& at(Way way, size_t place) const;
  HeaderMap& headers(Way way) { return way == kDecode ? request_headers_ : response_headers_; }
  HeaderMap& trailers(Way way) { return way == kDecode ? request_trailers_ : response_trailers_; }
  void start_filters();
  template <class Call>
  auto call(Slot& slot, Way way, Call call);

  // From `place` on. They stop at a stage that stops, and give up when the epoch of the way changes under them.
  void push_headers(Way way, size_t place, bool end_stream);
  void push_data(Way way, size_t place, Buffer& data, bool end_stream);
  void push_trailers(Way way, size_t place);
  bool release_stage(Way way, size_t place, Side& side);
  void hold_data(Way way, Side& side, Buffer& data);
  void go_on(Way way, size_t place);
  void pass_held(Way way, size_t place, Side& side, bool unseen);
  void pause(Way way, Side& side);
  void unpause(Way way, Side& side);
  void over_limit(Way way);
  void refuse_head(std::string_view fault, uint32_t status);

  void sink_headers(Way way, bool end_stream);
  void sink_data(Way way, Buffer& data, bool end_stream);
  void sink_trailers(Way way);
  void do_local_reply(host::LocalReply reply);
  void refuse_upgrade();
  void do_finish();

  net::EventLoop& loop_;
  const config::Listener& listener_;
  uint32_t limit_ = 0;
  std::vector<std::unique_ptr<Slot>> slots_;
  std::vector<Slot*> active_;  // those that take part in this stream
  ResponseSink* sink_ = nullptr;
  StreamInfo info_;
  HeaderMap request_headers_;
  HeaderMap request_trailers_;
  HeaderMap response_headers_;
  HeaderMap response_trailers_;
  HeaderMap ignored_;           // what a router still fills after a local reply
  uint32_t epoch_[2] = {0, 0};  // changes when what is under way must not go on
  uint32_t depth_ = 0;          // calls into the chain that are under way
  uint32_t request_pauses_ = 0;
  uint32_t response_pauses_ = 0;
  bool started_ = false;
  bool decode_aborted_ = false;
  RequestKind request_kind_;  // once the filters have started
  bool have_request_headers_ = false;
  bool have_request_trailers_ = false;
  bool have_response_trailers_ = false;
  bool encode_begun_ = false;
  bool response_sent_ = false;  // its head is at the sink
  bool local_reply_ = false;
  bool closes_ = false;
  bool finish_requested_ = true;
  bool finishing_ = false;
};

}  // namespace inlay::proxy::downstream
