// SPDX-License-Identifier: Apache-2.0
// What a session sends.
#include <algorithm>

#include "http2/session_impl.h"

namespace inlay::http2 {

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

}  // namespace inlay::http2
