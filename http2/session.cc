// SPDX-License-Identifier: Apache-2.0
#include "http2/session.h"

#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>
#include <vector>

#include "base/deleter.h"
#include "http2/field_list.h"

namespace inlay::http2 {

using http::HeaderId;

Stream::~Stream() {
  if (session_ != nullptr) session_->reset(*this, ErrorCode::kCancel);
}

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
  uint64_t streams_seen_ = 0;
  uint64_t data_frames_sent_ = 0;
  uint64_t priority_frames_ = 0;
  uint64_t window_updates_ = 0;
  uint32_t empty_frames_ = 0;  // one after another
  std::string last_error_;
  std::string failure_;
};

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
  // A server remembers them, to tell a client what it does wrong.
  if (kind_ == Kind::kClient) nghttp2_option_set_no_closed_streams(made, 1);
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

// --- what is sent ---

bool SessionImpl::submit_request(Stream& stream, const http::HeaderMap& headers, bool end_stream) {
  fields_.fill(headers);
  nghttp2_data_provider body{};
  body.read_callback = read_data_of;
  const int32_t id = nghttp2_submit_request(session_.get(), nullptr, fields_.data(), fields_.size(),
                                            end_stream ? nullptr : &body, static_cast<void*>(&stream));
  if (id < 0) return false;
  attach(stream, id);
  stream.outgoing_end_ = end_stream;
  return true;
}

void SessionImpl::submit_informational(Stream& stream, const http::HeaderMap& headers) {
  if (!stream.open() || stream.ended_) return;
  fields_.fill(headers);
  nghttp2_submit_headers(session_.get(), NGHTTP2_FLAG_NONE, stream.id_, nullptr, fields_.data(), fields_.size(),
                         &stream);
}

void SessionImpl::submit_response(Stream& stream, const http::HeaderMap& headers, bool end_stream) {
  if (!stream.open() || stream.ended_) return;
  fields_.fill(headers);
  nghttp2_data_provider body{};
  body.read_callback = read_data_of;
  nghttp2_submit_response(session_.get(), stream.id_, fields_.data(), fields_.size(), end_stream ? nullptr : &body);
  stream.outgoing_end_ = end_stream;
}

void SessionImpl::send_data(Stream& stream, Buffer& data, bool end_stream) {
  if (!stream.open() || stream.ended_ || stream.outgoing_end_) {
    data.clear();
    return;
  }
  stream.outgoing_.move_from(data);
  stream.outgoing_end_ = end_stream;
  if (stream.deferred_) {
    stream.deferred_ = false;
    nghttp2_session_resume_data(session_.get(), stream.id_);
  }
  if (stream.above_ || stream.outgoing_.size() <= settings_.write_watermark) return;
  stream.above_ = true;
  stream.on_above_write_watermark();
}

void SessionImpl::send_trailers(Stream& stream, const http::HeaderMap& trailers) {
  if (!stream.open() || stream.outgoing_end_) return;
  stream.out_trailers_ = std::make_unique<http::HeaderMap>(trailers);
  Buffer nothing;
  send_data(stream, nothing, true);
}

ssize_t SessionImpl::read_data(int32_t id, size_t length, uint32_t& flags) {
  Stream* stream = find(id);
  if (stream == nullptr) return NGHTTP2_ERR_DEFERRED;  // it is being reset
  const size_t size = std::min(length, stream->outgoing_.size());
  if (size == 0 && stream->broken_off_) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
  if (size == 0 && !stream->outgoing_end_) {
    stream->deferred_ = true;
    return NGHTTP2_ERR_DEFERRED;
  }
  flags |= NGHTTP2_DATA_FLAG_NO_COPY;
  if (size == stream->outgoing_.size() && stream->outgoing_end_) {
    flags |= NGHTTP2_DATA_FLAG_EOF;
    if (stream->out_trailers_) {
      fields_.fill_trailers(*stream->out_trailers_);
      if (fields_.size() != 0) {
        flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
        nghttp2_submit_trailer(session_.get(), id, fields_.data(), fields_.size());
      }
    }
  }
  return static_cast<ssize_t>(size);
}

int SessionImpl::send_frame(Stream* stream, std::string_view head, size_t length) {
  if (stream == nullptr) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
  out_->append(head);
  out_->move_from(stream->outgoing_, length);
  if (stream->above_) lowered_.push_back(stream);
  return 0;
}

void SessionImpl::on_frame_sent(const nghttp2_frame& frame) {
  if (frame.hd.type == NGHTTP2_GOAWAY && frame.goaway.error_code != NGHTTP2_NO_ERROR)
    failure_ = last_error_.empty() ? nghttp2_http2_strerror(frame.goaway.error_code) : last_error_;
  if (frame.hd.type == NGHTTP2_DATA) ++data_frames_sent_;
  // The whole answer has left, and the request has not: the client need not send the rest (RFC 9113, section 8.1).
  if (kind_ == Kind::kClient || (frame.hd.flags & NGHTTP2_FLAG_END_STREAM) == 0) return;
  if (frame.hd.type != NGHTTP2_DATA && frame.hd.type != NGHTTP2_HEADERS) return;
  const Stream* stream = find(frame.hd.stream_id);
  if (stream != nullptr && !stream->end_came_)
    nghttp2_submit_rst_stream(session_.get(), NGHTTP2_FLAG_NONE, frame.hd.stream_id, NGHTTP2_NO_ERROR);
}

// A request that GOAWAY has overtaken: nghttp2 knows no such stream.
void SessionImpl::on_head_not_sent(int32_t id) {
  const auto at = std::find_if(streams_.begin(), streams_.end(), [id](const Stream* s) { return s->id_ == id; });
  if (at != streams_.end() && !(*at)->head_came_) unsent_.push_back(*at);
}

void SessionImpl::write(Buffer& out, size_t limit) {
  out_ = &out;
  while (out.size() < limit) {
    const uint8_t* bytes = nullptr;
    const ssize_t size = nghttp2_session_mem_send(session_.get(), &bytes);
    if (size < 0 && failure_.empty()) failure_ = nghttp2_strerror(static_cast<int>(size));
    if (size <= 0) break;
    out.append({reinterpret_cast<const char*>(bytes), static_cast<size_t>(size)});
  }
  out_ = nullptr;
  while (!unsent_.empty()) {
    Stream& stream = *unsent_.back();
    detach(stream);
    stream.on_reset(ErrorCode::kRefusedStream, true);
  }
  while (!lowered_.empty()) {
    Stream& stream = *lowered_.back();
    lowered_.pop_back();
    if (!stream.above_ || stream.outgoing_.size() > settings_.write_watermark / 2) continue;
    stream.above_ = false;
    stream.on_below_write_watermark();
  }
}

// --- what comes ---

void SessionImpl::receive(Buffer& data) {
  while (!data.empty() && failure_.empty()) {
    const std::string_view piece = data.front();
    const ssize_t taken =
        nghttp2_session_mem_recv(session_.get(), reinterpret_cast<const uint8_t*>(piece.data()), piece.size());
    if (taken < 0)
      failure_ = last_error_.empty() ? nghttp2_strerror(static_cast<int>(taken)) : last_error_;
    else
      data.drain(static_cast<size_t>(taken));
  }
  data.clear();
}

int SessionImpl::on_begin_frame(const nghttp2_frame_hd& head) {
  constexpr size_t kMostGaps = 16;  // of a client that is none of those that count by two
  if (kind_ == Kind::kClient || head.type != NGHTTP2_HEADERS) return 0;
  const int32_t id = head.stream_id;
  if (id > last_id_) {
    if (id > last_id_ + 2 && passed_over_.size() < kMostGaps) passed_over_.emplace_back(last_id_ + 2, id - 2);
    last_id_ = id;
    return 0;
  }
  for (const auto& [first, last] : passed_over_) {
    if (id < first || id > last) continue;
    last_error_ = "a stream has a lower number than one before it";
    return nghttp2_session_terminate_session(session_.get(), NGHTTP2_PROTOCOL_ERROR);
  }
  return 0;
}

int SessionImpl::on_begin_headers(const nghttp2_frame& frame) {
  const int32_t id = frame.hd.stream_id;
  Stream* stream = find(id);
  if (kind_ == Kind::kServer && frame.headers.cat == NGHTTP2_HCAT_REQUEST) {
    stream = sink_.on_stream();
    if (stream == nullptr)
      return nghttp2_submit_rst_stream(session_.get(), NGHTTP2_FLAG_NONE, id, NGHTTP2_REFUSED_STREAM);
    nghttp2_session_set_stream_user_data(session_.get(), id, stream);
    attach(*stream, id);
  }
  if (stream == nullptr) return 0;
  stream->storage_ = stream->head_came_ ? &stream->trailers_storage() : &stream->headers_storage();
  stream->storage_->clear();
  stream->header_bytes_ = stream->header_count_ = 0;
  return 0;
}

int SessionImpl::on_header(const nghttp2_frame& frame, std::string_view name, std::string_view value) {
  Stream* stream = find(frame.hd.stream_id);
  if (stream == nullptr || stream->storage_ == nullptr) return 0;
  stream->header_bytes_ += name.size() + value.size();
  if (stream->header_bytes_ > settings_.max_header_bytes || ++stream->header_count_ > settings_.max_header_count) {
    last_error_ = "a head has more than " + std::to_string(settings_.max_header_bytes) + " bytes, or more than " +
                  std::to_string(settings_.max_header_count) + " fields";
    return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
  }
  stream->storage_->add(http::header_id(name), name, value);
  return 0;
}

int SessionImpl::on_invalid_header(const nghttp2_frame& frame) {
  Stream* stream = find(frame.hd.stream_id);
  if (stream == nullptr) return 0;
  stream->invalid_ = true;
  return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
}

int SessionImpl::on_data_chunk(int32_t id, std::string_view bytes) {
  Stream* stream = find(id);
  if (stream == nullptr) return nghttp2_session_consume(session_.get(), id, bytes.size());
  stream->incoming_.append(bytes);
  stream->unconsumed_ += bytes.size();
  return 0;
}

void SessionImpl::take_head(Stream& stream) {
  const http::HeaderMap* head = std::exchange(stream.storage_, nullptr);
  if (stream.head_came_) {
    stream.trailers_came_ = true;
    return;
  }
  if (kind_ == Kind::kClient && head != nullptr && head->value(HeaderId::kStatus).starts_with('1')) {
    stream.on_informational();
  } else {
    stream.head_came_ = true;
  }
}

// By Envoy's formulas.
bool SessionImpl::bears(const nghttp2_frame& frame) {
  if (kind_ == Kind::kClient) return true;
  const bool ends = (frame.hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
  switch (frame.hd.type) {
    case NGHTTP2_HEADERS:
      ++streams_seen_;
      empty_frames_ = 0;
      return true;
    case NGHTTP2_DATA:
      empty_frames_ = frame.hd.length == 0 && !ends ? empty_frames_ + 1 : 0;
      return empty_frames_ <= settings_.max_empty_frames;
    case NGHTTP2_PRIORITY:
      return ++priority_frames_ <= settings_.max_priority_frames * (1 + streams_seen_);
    case NGHTTP2_WINDOW_UPDATE:
      return ++window_updates_ <= 5 + 2 * (streams_seen_ + settings_.max_window_updates * data_frames_sent_);
    default:
      return true;
  }
}

int SessionImpl::on_frame(const nghttp2_frame& frame) {
  if (!bears(frame)) {
    last_error_ = "too many frames of one kind";
    return nghttp2_session_terminate_session(session_.get(), NGHTTP2_ENHANCE_YOUR_CALM);
  }
  switch (frame.hd.type) {
    case NGHTTP2_SETTINGS:
      if ((frame.hd.flags & NGHTTP2_FLAG_ACK) == 0) sink_.on_settings();
      return 0;
    case NGHTTP2_PING:
      if ((frame.hd.flags & NGHTTP2_FLAG_ACK) != 0) sink_.on_ping_answer();
      return 0;
    case NGHTTP2_GOAWAY:
      for (Stream* stream : streams_) {
        if (stream->id_ > frame.goaway.last_stream_id) stream->reset_by_peer_ = true;
      }
      sink_.on_goaway(static_cast<ErrorCode>(frame.goaway.error_code));
      return 0;
    default:
      break;
  }
  Stream* stream = find(frame.hd.stream_id);
  if (stream == nullptr) return 0;
  if (frame.hd.type == NGHTTP2_RST_STREAM) stream->reset_by_peer_ = true;
  if (frame.hd.type != NGHTTP2_HEADERS && frame.hd.type != NGHTTP2_DATA) return 0;
  if (frame.hd.type == NGHTTP2_HEADERS) take_head(*stream);
  if (!stream->open()) return 0;
  stream->end_came_ = (frame.hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
  if (!stream->paused_) deliver(*stream);
  return 0;
}

int SessionImpl::on_stream_close(int32_t id, uint32_t code) {
  Stream* stream = find(id);
  if (stream == nullptr) return 0;
  const bool whole = code == NGHTTP2_NO_ERROR && stream->end_came_;
  stream->ended_ = true;
  if (!whole) {
    const bool by_peer = stream->reset_by_peer_;
    detach(*stream);
    stream->on_reset(stream->invalid_ ? ErrorCode::kProtocolError : static_cast<ErrorCode>(code), by_peer);
  } else if (stream->end_told_) {
    detach(*stream);
    stream->on_closed();
  }
  return 0;
}

void SessionImpl::give_window_back(Stream& stream) {
  if (stream.unconsumed_ == 0) return;
  if (stream.ended_)
    nghttp2_session_consume_connection(session_.get(), stream.unconsumed_);
  else
    nghttp2_session_consume(session_.get(), stream.id_, stream.unconsumed_);
  stream.unconsumed_ = 0;
}

void SessionImpl::deliver_data(Stream& stream) {
  const bool end = stream.end_came_ && !stream.trailers_came_;
  if (stream.incoming_.empty() && !end) return;
  stream.end_told_ = end;
  Buffer data = std::move(stream.incoming_);
  stream.on_data(data, end);
  if (stream.open() && !stream.paused_) give_window_back(stream);
}

void SessionImpl::deliver(Stream& stream) {
  const auto stopped = [&] { return !stream.open() || stream.paused_; };
  if (stream.head_came_ && !stream.head_told_) {
    stream.head_told_ = true;
    stream.end_told_ = stream.end_came_ && !stream.trailers_came_ && stream.incoming_.empty();
    stream.on_headers(stream.end_told_);
    if (stopped()) return;
  }
  if (stream.head_told_ && !stream.end_told_) {
    deliver_data(stream);
    if (stopped()) return;
  }
  if (stream.trailers_came_ && !stream.end_told_) {
    stream.end_told_ = true;
    stream.on_trailers();
    if (!stream.open()) return;
  }
  if (!stream.ended_ || !stream.end_told_) return;
  detach(stream);
  stream.on_closed();
}

bool SessionImpl::resume(Stream& stream) {
  if (!stream.open() || !stream.paused_) return false;
  stream.paused_ = false;
  const bool held = !stream.incoming_.empty() || (stream.head_came_ && !stream.head_told_) ||
                    (stream.end_came_ && !stream.end_told_) || stream.ended_;
  if (!held)
    give_window_back(stream);
  else if (std::find(held_.begin(), held_.end(), &stream) == held_.end())
    held_.push_back(&stream);
  return held;
}

void SessionImpl::deliver_held() {
  while (!held_.empty()) {
    Stream& stream = *held_.back();
    held_.pop_back();
    if (!stream.paused_) deliver(stream);
  }
}

}  // namespace inlay::http2
