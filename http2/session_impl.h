// SPDX-License-Identifier: Apache-2.0
#pragma once

// The insides of Session, which its files share: session.cc (its beginning and its streams), session_send.cc and
// session_receive.cc. Inside of http2/.

#include <nghttp2/nghttp2.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/deleter.h"
#include "http2/closed_streams.h"
#include "http2/field_list.h"
#include "http2/frame_heads.h"
#include "http2/session.h"

namespace inlay::http2 {

class SessionImpl final : public Session {
 public:
  SessionImpl(Kind kind, const Settings& settings, SessionSink& sink) : kind_(kind), settings_(settings), sink_(sink) {}
  ~SessionImpl() override {
    for (Stream* stream : streams_) stream->session_ = nullptr;
  }
  // False: no memory.
  bool start();

  void receive(Buffer& data) override;
  void write(Buffer& out, size_t limit) override;
  bool wants_to_write() const override { return nghttp2_session_want_write(session_.get()) != 0; }
  const std::string& failure() const override { return failure_; }
  bool finished() const override {
    return nghttp2_session_want_read(session_.get()) == 0 && nghttp2_session_want_write(session_.get()) == 0;
  }

  uint32_t streams_left() const override;
  size_t open_streams() const override { return streams_.size(); }
  bool submit_request(Stream& stream, const http::HeaderMap& headers, bool end_stream) override;
  void submit_informational(Stream& stream, const http::HeaderMap& headers) override;
  void submit_response(Stream& stream, const http::HeaderMap& headers, bool end_stream) override;
  void send_data(Stream& stream, Buffer& data, bool end_stream) override;
  void send_trailers(Stream& stream, const http::HeaderMap& trailers) override;
  void pause(Stream& stream) override { stream.paused_ = true; }
  bool resume(Stream& stream) override;
  void deliver_held() override;
  void reset(Stream& stream, ErrorCode code) override;
  void break_off(Stream& stream) override;
  void ping() override { nghttp2_submit_ping(session_.get(), NGHTTP2_FLAG_NONE, nullptr); }
  void announce_shut_down() override { nghttp2_submit_shutdown_notice(session_.get()); }
  void shut_down() override;
  void close_all(ErrorCode code, bool by_peer) override;

 private:
  using Callbacks = std::unique_ptr<nghttp2_session_callbacks, Deleter<nghttp2_session_callbacks_del>>;
  using Options = std::unique_ptr<nghttp2_option, Deleter<nghttp2_option_del>>;

  static SessionImpl& self(void* user) { return *static_cast<SessionImpl*>(user); }
  Stream* find(int32_t id) const {
    return static_cast<Stream*>(nghttp2_session_get_stream_user_data(session_.get(), id));
  }
  static Callbacks make_callbacks();
  bool submit_settings();

  // nghttp2's callbacks. What they return is nghttp2's: 0, or an error.
  int on_begin_frame(const nghttp2_frame_hd& head);
  size_t before_suspect(std::string_view piece, int32_t& stream);
  int end_with(uint32_t code, const char* why);
  int on_begin_headers(const nghttp2_frame& frame);
  int on_header(const nghttp2_frame& frame, std::string_view name, std::string_view value);
  int on_invalid_header(const nghttp2_frame& frame);
  int on_data_chunk(int32_t id, std::string_view bytes);
  int on_frame(const nghttp2_frame& frame);
  int on_stream_close(int32_t id, uint32_t code);
  ssize_t read_data(int32_t id, size_t length, uint32_t& flags);
  void on_head_not_sent(int32_t id);
  void on_frame_sent(const nghttp2_frame& frame);
  // Counts what costs a client little and this side something. False: it is too much.
  bool bears(const nghttp2_frame& frame);
  int send_frame(Stream* stream, std::string_view head, size_t length);
  static ssize_t read_data_of(nghttp2_session*, int32_t id, uint8_t*, size_t length, uint32_t* flags,
                              nghttp2_data_source*, void* user) {
    return self(user).read_data(id, length, *flags);
  }

  void attach(Stream& stream, int32_t id);
  void detach(Stream& stream);
  void take_head(Stream& stream);
  // Tells what has come and has not been told, as far as the stream takes it.
  void deliver(Stream& stream);
  void deliver_data(Stream& stream);
  void give_window_back(Stream& stream);

  const Kind kind_;
  const Settings settings_;
  SessionSink& sink_;
  std::unique_ptr<nghttp2_session, Deleter<nghttp2_session_del>> session_;
  std::vector<Stream*> streams_;
  std::vector<Stream*> held_;     // resumed, and something is to be told
  std::vector<Stream*> lowered_;  // some of their bytes have left
  std::vector<Stream*> unsent_;   // the peer took no new streams any longer
  FieldList fields_;
  Buffer* out_ = nullptr;  // inside of write()
  // Numbers that a client has passed over, which it may not use any more (RFC 9113, section 5.1.1).
  std::vector<std::pair<int32_t, int32_t>> passed_over_;  // first and last
  int32_t last_id_ = -1;
  ClosedStreams closed_by_client_;
  FrameHeads heads_;
  uint64_t streams_seen_ = 0;
  uint64_t data_frames_sent_ = 0;
  uint64_t priority_frames_ = 0;
  uint64_t window_updates_ = 0;
  uint32_t empty_frames_ = 0;  // one after another
  std::string last_error_;
  std::string failure_;
};

}  // namespace inlay::http2
