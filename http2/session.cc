// SPDX-License-Identifier: Apache-2.0
#include "http2/session.h"

#include <algorithm>
#include <array>

#include "http2/session_impl.h"

namespace inlay::http2 {

Stream::~Stream() {
  if (session_ != nullptr) session_->reset(*this, ErrorCode::kCancel);
}

std::unique_ptr<Session> Session::create(Kind kind, const Settings& settings, SessionSink& sink) {
  auto session = std::make_unique<SessionImpl>(kind, settings, sink);
  if (!session->start()) return nullptr;
  return session;
}

// --- the beginning ---

SessionImpl::Callbacks SessionImpl::make_callbacks() {
  nghttp2_session_callbacks* made = nullptr;
  if (nghttp2_session_callbacks_new(&made) != 0) return nullptr;
  Callbacks out(made);
  nghttp2_session_callbacks_set_on_begin_frame_callback(
      made,
      [](nghttp2_session*, const nghttp2_frame_hd* head, void* user) { return self(user).on_begin_frame(*head); });
  nghttp2_session_callbacks_set_on_begin_headers_callback(
      made,
      [](nghttp2_session*, const nghttp2_frame* frame, void* user) { return self(user).on_begin_headers(*frame); });
  nghttp2_session_callbacks_set_on_header_callback(
      made, [](nghttp2_session*, const nghttp2_frame* frame, const uint8_t* name, size_t name_size,
               const uint8_t* value, size_t value_size, uint8_t, void* user) {
        return self(user).on_header(*frame, {reinterpret_cast<const char*>(name), name_size},
                                    {reinterpret_cast<const char*>(value), value_size});
      });
  nghttp2_session_callbacks_set_on_invalid_header_callback(
      made, [](nghttp2_session*, const nghttp2_frame* frame, const uint8_t*, size_t, const uint8_t*, size_t, uint8_t,
               void* user) { return self(user).on_invalid_header(*frame); });
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(
      made, [](nghttp2_session*, uint8_t, int32_t id, const uint8_t* data, size_t size, void* user) {
        return self(user).on_data_chunk(id, {reinterpret_cast<const char*>(data), size});
      });
  nghttp2_session_callbacks_set_on_frame_recv_callback(
      made, [](nghttp2_session*, const nghttp2_frame* frame, void* user) { return self(user).on_frame(*frame); });
  nghttp2_session_callbacks_set_on_stream_close_callback(
      made,
      [](nghttp2_session*, int32_t id, uint32_t code, void* user) { return self(user).on_stream_close(id, code); });
  nghttp2_session_callbacks_set_send_data_callback(made, [](nghttp2_session*, nghttp2_frame* frame, const uint8_t* head,
                                                            size_t length, nghttp2_data_source*, void* user) {
    constexpr size_t kFrameHead = 9;
    SessionImpl& me = self(user);
    return me.send_frame(me.find(frame->hd.stream_id), {reinterpret_cast<const char*>(head), kFrameHead}, length);
  });
  nghttp2_session_callbacks_set_on_frame_send_callback(made,
                                                       [](nghttp2_session*, const nghttp2_frame* frame, void* user) {
                                                         self(user).on_frame_sent(*frame);
                                                         return 0;
                                                       });
  nghttp2_session_callbacks_set_on_frame_not_send_callback(
      made, [](nghttp2_session*, const nghttp2_frame* frame, int, void* user) {
        if (frame->hd.type == NGHTTP2_HEADERS) self(user).on_head_not_sent(frame->hd.stream_id);
        return 0;
      });
  nghttp2_session_callbacks_set_error_callback2(made,
                                                [](nghttp2_session*, int, const char* text, size_t size, void* user) {
                                                  self(user).last_error_.assign(text, size);
                                                  return 0;
                                                });
  return out;
}

bool SessionImpl::start() {
  const Callbacks callbacks = make_callbacks();
  nghttp2_option* made = nullptr;
  if (!callbacks || nghttp2_option_new(&made) != 0) return false;
  const Options options(made);
  nghttp2_option_set_no_auto_window_update(made, 1);
  nghttp2_option_set_no_closed_streams(made, 1);  // ClosedStreams takes less
  nghttp2_option_set_peer_max_concurrent_streams(made, settings_.max_concurrent_streams);
  nghttp2_option_set_max_send_header_block_length(made, size_t{1} << 20);
  nghttp2_session* session = nullptr;
  const auto make = kind_ == Kind::kClient ? nghttp2_session_client_new2 : nghttp2_session_server_new2;
  if (make(&session, callbacks.get(), this, made) != 0) return false;
  session_.reset(session);
  return submit_settings();
}

bool SessionImpl::submit_settings() {
  std::array<nghttp2_settings_entry, 4> entries{};
  size_t count = 0;
  const auto add = [&](int32_t id, uint32_t value) { entries[count++] = {id, value}; };
  if (kind_ == Kind::kClient) add(NGHTTP2_SETTINGS_ENABLE_PUSH, 0);
  if (settings_.header_table_size != NGHTTP2_DEFAULT_HEADER_TABLE_SIZE)
    add(NGHTTP2_SETTINGS_HEADER_TABLE_SIZE, settings_.header_table_size);
  if (kind_ == Kind::kServer) add(NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, settings_.max_concurrent_streams);
  if (kind_ == Kind::kServer && settings_.allow_connect) add(NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL, 1);
  add(NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, settings_.stream_window);
  return nghttp2_submit_settings(session_.get(), NGHTTP2_FLAG_NONE, entries.data(), count) == 0 &&
         nghttp2_session_set_local_window_size(session_.get(), NGHTTP2_FLAG_NONE, 0,
                                               static_cast<int32_t>(settings_.connection_window)) == 0;
}

// --- streams ---

void SessionImpl::attach(Stream& stream, int32_t id) {
  stream.session_ = this;
  stream.id_ = id;
  stream.place_ = streams_.size();
  stream.outgoing_.clear();
  stream.incoming_.clear();
  stream.unconsumed_ = 0;
  stream.out_trailers_.reset();
  stream.storage_ = nullptr;
  stream.broken_off_ = stream.outgoing_end_ = stream.deferred_ = stream.above_ = stream.paused_ = false;
  stream.head_came_ = stream.head_told_ = stream.trailers_came_ = false;
  stream.end_came_ = stream.end_told_ = stream.ended_ = stream.reset_by_peer_ = stream.invalid_ = false;
  streams_.push_back(&stream);
}

void SessionImpl::detach(Stream& stream) {
  if (!stream.ended_) nghttp2_session_set_stream_user_data(session_.get(), stream.id_, nullptr);
  if (stream.unconsumed_ != 0) nghttp2_session_consume_connection(session_.get(), stream.unconsumed_);
  stream.session_ = nullptr;
  stream.unconsumed_ = 0;
  stream.outgoing_.clear();
  stream.incoming_.clear();
  streams_[stream.place_] = streams_.back();
  streams_[stream.place_]->place_ = stream.place_;
  streams_.pop_back();
  std::erase(held_, &stream);
  std::erase(lowered_, &stream);
  std::erase(unsent_, &stream);
}

void SessionImpl::reset(Stream& stream, ErrorCode code) {
  if (!stream.open()) return;
  if (!stream.ended_)
    nghttp2_submit_rst_stream(session_.get(), NGHTTP2_FLAG_NONE, stream.id_, static_cast<uint32_t>(code));
  detach(stream);
}

void SessionImpl::break_off(Stream& stream) {
  if (!stream.open() || stream.outgoing_end_) return reset(stream, ErrorCode::kInternalError);
  stream.broken_off_ = true;
  Buffer nothing;
  send_data(stream, nothing, false);
}

void SessionImpl::close_all(ErrorCode code, bool by_peer) {
  while (!streams_.empty()) {
    Stream& stream = *streams_.back();
    detach(stream);
    stream.on_reset(code, by_peer);
  }
}

uint32_t SessionImpl::streams_left() const {
  const uint32_t allowed =
      std::min(settings_.max_concurrent_streams,
               nghttp2_session_get_remote_settings(session_.get(), NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS));
  const auto open = static_cast<uint32_t>(streams_.size());
  if (open >= allowed || nghttp2_session_check_request_allowed(session_.get()) == 0) return 0;
  return allowed - open;
}

void SessionImpl::shut_down() {
  nghttp2_submit_goaway(session_.get(), NGHTTP2_FLAG_NONE, nghttp2_session_get_last_proc_stream_id(session_.get()),
                        NGHTTP2_NO_ERROR, nullptr, 0);
}

}  // namespace inlay::http2
