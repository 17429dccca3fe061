// SPDX-License-Identifier: Apache-2.0
// What a session receives, and how its streams are told.
#include <algorithm>

#include "http2/session_impl.h"

namespace inlay::http2 {

using http::HeaderId;

void SessionImpl::receive(Buffer& data) {
  while (!data.empty() && failure_.empty()) {
    int32_t suspect = 0;
    const std::string_view piece = data.front().substr(0, before_suspect(data.front(), suspect));
    const ssize_t taken =
        nghttp2_session_mem_recv(session_.get(), reinterpret_cast<const uint8_t*>(piece.data()), piece.size());
    if (taken < 0)
      failure_ = last_error_.empty() ? nghttp2_strerror(static_cast<int>(taken)) : last_error_;
    else
      data.drain(static_cast<size_t>(taken));
    if (taken >= 0 && closed_by_client_.has(suspect)) {
      end_with(NGHTTP2_STREAM_CLOSED, "a frame for a stream that is closed");
      break;
    }
  }
  data.clear();
}

// How much of `piece` there is to the end of the head of DATA on a stream that is not open, or may not be any more when
// all before it is read; its stream, or 0 and all of the piece. nghttp2 drops such frames and tells nobody.
size_t SessionImpl::before_suspect(std::string_view piece, int32_t& stream) {
  if (kind_ == Kind::kClient) return piece.size();
  bool reset = false;
  for (size_t at = 0; at < piece.size();) {
    at += heads_.next(piece.substr(at));
    if (!heads_.found()) continue;
    const FrameHead head = heads_.head();
    reset = reset || head.type == NGHTTP2_RST_STREAM;
    if (head.type != NGHTTP2_DATA || (!reset && find(head.stream_id) != nullptr)) continue;
    stream = head.stream_id;
    return at;
  }
  return piece.size();
}

// GOAWAY with that code, and no more is read.
int SessionImpl::end_with(uint32_t code, const char* why) {
  last_error_ = why;
  return nghttp2_session_terminate_session(session_.get(), code);
}

int SessionImpl::on_begin_frame(const nghttp2_frame_hd& head) {
  constexpr size_t kMostGaps = 16;  // of a client that is none of those that count by two
  if (kind_ == Kind::kClient || head.type != NGHTTP2_HEADERS) return 0;
  const int32_t id = head.stream_id;
  if (id <= last_id_ && closed_by_client_.has(id))
    return end_with(NGHTTP2_STREAM_CLOSED, "a frame for a stream that is closed");
  if (id > last_id_) {
    if (id > last_id_ + 2 && passed_over_.size() < kMostGaps) passed_over_.emplace_back(last_id_ + 2, id - 2);
    last_id_ = id;
    return 0;
  }
  for (const auto& [first, last] : passed_over_) {
    if (id < first || id > last) continue;
    return end_with(NGHTTP2_PROTOCOL_ERROR, "a stream has a lower number than one before it");
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
  if (!bears(frame)) return end_with(NGHTTP2_ENHANCE_YOUR_CALM, "too many frames of one kind");
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
  if (stream->end_came_ || stream->reset_by_peer_) closed_by_client_.add(id);
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
