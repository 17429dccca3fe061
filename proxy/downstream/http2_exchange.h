// SPDX-License-Identifier: Apache-2.0
#pragma once

// Http2Connection::Exchange: a request on a client's connection of HTTP/2 and its response. Inside of downstream/.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "http2/stream.h"
#include "net/event_loop.h"
#include "proxy/downstream/http2_connection.h"
#include "proxy/downstream/server_stream.h"

namespace inlay::proxy::downstream {

// A request on the connection and its response. The codec's stream ends after the chain does, when the last byte of the
// response has left, or before it.
class Http2Connection::Exchange final : public http2::Stream, public StreamOwner {
 public:
  Exchange(Http2Connection& owner, size_t at)
      : place(at),
        owner_(owner),
        manager_(owner.manager_),
        stream_(manager_.acquire_stream()),
        flush_timer_(manager_.loop, [this] { on_flush_timeout(); }) {
    stream_->begin(manager_, *this, *owner.connection_, owner.state_);
    // As in Envoy, where a stream's own window bounds it, and per_connection_buffer_limit_bytes does not.
    stream_->chain.set_buffer_limit(manager_.http.http2.initial_stream_window_size);
    stream_->chain.info().protocol = "HTTP/2";
    started_ = manager_.loop.now();
    flush_timeout_ = stream_->idle_timeout();
  }

  int64_t started() const { return started_; }
  ServerStream* stream() { return stream_.get(); }
  // The connection ends it: with no call of the codec to come.
  void end(std::string_view details, uint32_t flag) {
    if (!stream_) return;
    stream_->charge_reset(details, flag);
    stream_->chain.finish();
  }

  size_t place;  // in the owner's list

 private:
  // http2::Stream. Not the chain's own maps: a chain may end, and serve another request, while a head still comes.
  HeaderMap& headers_storage() override { return arriving_; }
  HeaderMap& trailers_storage() override { return arriving_; }
  void on_headers(bool end_stream) override;
  void on_data(Buffer& data, bool end_stream) override;
  void on_trailers() override;
  void on_closed() override { leave_if_over(); }
  void on_reset(http2::ErrorCode code, bool by_peer) override;
  void on_above_write_watermark() override {
    if (stream_) stream_->chain.on_above_write_watermark();
  }
  void on_below_write_watermark() override {
    if (!stream_) return;
    stream_->touch();
    stream_->chain.on_below_write_watermark();
  }

  // StreamOwner
  bool request_is_complete() const override { return request_complete_; }
  void on_upgrade(bool accepted) override;
  void encode_informational(HeaderMap& headers) override;
  void encode_headers(HeaderMap& headers, bool end_stream) override;
  void encode_data(Buffer& data, bool end_stream) override;
  void encode_trailers(HeaderMap& trailers) override;
  void pause_request(bool paused) override;
  void set_timeouts(const StreamTimeouts& timeouts) override {
    if (!stream_) return;
    stream_->set_timeouts(timeouts);
    flush_timeout_ = stream_->idle_timeout();
  }
  void on_reset() override;
  void on_finished() override;

  void refuse_head();
  // The client has not taken the rest of its answer for the stream's idle timeout.
  void on_flush_timeout();
  void request_complete();
  void response_complete();
  // Both the codec and the chain are done with it.
  void leave_if_over();
  bool is_head() { return stream_->chain.request_headers().value(http::HeaderId::kMethod) == "HEAD"; }
  void flush() { owner_.flush_task_.schedule(); }

  Http2Connection& owner_;
  ConnectionManager::Impl& manager_;
  std::unique_ptr<ServerStream> stream_;  // null once the chain has ended
  net::Timer flush_timer_;
  std::chrono::milliseconds flush_timeout_{0};  // 0: none
  size_t unsent_ = 0;                           // when it was armed
  HeaderMap arriving_;
  int64_t started_ = 0;
  bool head_came_ = false;
  bool request_complete_ = false;
  bool response_started_ = false;
  bool response_ended_ = false;
  bool without_body_ = false;  // an answer to HEAD
  bool upgrading_ = false;     // a CONNECT that was let through
  bool over_ = false;
};

}  // namespace inlay::proxy::downstream
